#include "tools/atoll/exit_codes.hpp"

namespace atl {

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
    throw CommandError(exit_status_of(error), error.message());
}

}  // namespace atl
