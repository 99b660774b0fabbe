#include "mutators/model/exchange_record.hpp"

#include "mutators/model/chat_json.hpp"

#include <algorithm>
#include <array>

namespace atl {

namespace {

constexpr std::array k_codes = {
    ErrorCode::invalid_argument, ErrorCode::not_found,   ErrorCode::already_exists,
    ErrorCode::permission,       ErrorCode::no_space,    ErrorCode::io,
    ErrorCode::corrupt,          ErrorCode::too_new,     ErrorCode::limit,
    ErrorCode::timeout,          ErrorCode::unavailable, ErrorCode::interrupted};

ErrorCode code_named(const std::string& name) {
    const auto found = std::find_if(k_codes.begin(), k_codes.end(),
                                    [&](ErrorCode code) { return name == to_string(code); });
    return found == k_codes.end() ? ErrorCode::internal : *found;
}

}  // namespace

std::string request_text(const ChatRequest& request) {
    return write_chat_request(request, {request.model, "max_tokens"});
}

Error recorded_error(const ModelExchanged& event) {
    return {code_named(event.error_code), event.error, "", ""};
}

}  // namespace atl
