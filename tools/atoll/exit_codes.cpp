#include "tools/atoll/exit_codes.hpp"

namespace atl {

namespace {

/// what() would end at a NUL, which a TOML string may hold.
std::string with_nuls_escaped(const std::string& text) {
    std::string escaped;
    for (const char c : text) {
        escaped += c == '\0' ? std::string("\\0") : std::string(1, c);
    }
    return escaped;
}

}  // namespace

int exit_status_of(const Error& error) {
    switch (error.code) {
        case ErrorCode::invalid_argument:
        case ErrorCode::not_found:
        case ErrorCode::already_exists:
        case ErrorCode::permission:
        case ErrorCode::too_new:
        case ErrorCode::corrupt:
        case ErrorCode::limit:
            return k_exit_usage;
        default:
            return k_exit_infrastructure;
    }
}

void end_with(const Error& error) {
    throw CommandError(exit_status_of(error), with_nuls_escaped(error.message()));
}

}  // namespace atl
