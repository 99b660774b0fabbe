#include "mutators/model/attempt.hpp"

#include "mutators/model/chat_json.hpp"

#include <utility>

namespace atl {

namespace {

struct Meaning {
    ErrorCode code;
    bool may_try_again;
    const char* hint;
};

Meaning meaning_of(int status) {
    switch (status) {
        case 401:
        case 403:
            return {ErrorCode::permission, false, "check the key that key_env or key_file names"};
        case 402:
            return {ErrorCode::unavailable, false, "the account has no credit"};
        case 404:
        case 405:
            return {ErrorCode::not_found, false, "check url (often it ends with /v1) and model"};
        case 408:
        case 409:
        case 425:
            return {ErrorCode::unavailable, true, "try again later"};
        case 413:
            return {ErrorCode::invalid_argument, false, "make the prompt shorter"};
        case 429:
            return {ErrorCode::unavailable, true,
                    "lower in_flight, requests_per_minute or tokens_per_minute"};
        case 501:
        case 505:
            return {ErrorCode::invalid_argument, false, "check url"};
        default:
            break;
    }
    if (status >= 500) {
        return {ErrorCode::unavailable, true, "the endpoint is in trouble; try again later"};
    }
    return {ErrorCode::invalid_argument, false, "the endpoint does not take this request"};
}

bool is_spent_quota(const std::string& code) {
    return code == "insufficient_quota" || code == "billing_hard_limit_reached";
}

AttemptFailure failure_of(int status, const HttpAnswer& answer) {
    const EndpointError said = read_endpoint_error(answer.body);
    const Meaning meaning = meaning_of(status);
    AttemptFailure failed;
    failed.error.code = meaning.code;
    failed.error.hint = meaning.hint;
    failed.error.what = "HTTP " + std::to_string(status);
    if (!said.message.empty()) {
        failed.error.what += ": " + said.message;
    }
    if (!said.code.empty()) {
        failed.error.what += " (" + said.code + ")";
    }
    failed.may_try_again = meaning.may_try_again;
    if (is_spent_quota(said.code)) {
        failed.may_try_again = false;
        failed.error.hint = "the account has no credit";
    }
    if (failed.may_try_again) {
        failed.asked_to_wait = answer.retry_after;
    }
    return failed;
}

AttemptFailure redirected(const HttpAnswer& answer) {
    return {{ErrorCode::invalid_argument,
             "HTTP " + std::to_string(answer.status) + ": the endpoint is elsewhere" +
                 (answer.redirect_host.empty() ? "" : ", at host " + answer.redirect_host),
             "", "requests and keys are not sent after a redirect; set url to where it is"},
            false,
            {}};
}

}  // namespace

tl::expected<ChatReply, AttemptFailure> judge_attempt(HttpResult result, int samples) {
    if (!result) {
        HttpFailure& failed = result.error();
        return tl::unexpected(AttemptFailure{std::move(failed.error), failed.may_try_again, {}});
    }
    const HttpAnswer& answer = *result;
    if (answer.status >= 300 && answer.status < 400) {
        return tl::unexpected(redirected(answer));
    }
    if (answer.status < 200 || answer.status >= 400) {
        return tl::unexpected(failure_of(answer.status, answer));
    }
    Expected<ChatReply> reply = read_chat_reply(answer.body, samples);
    if (reply) {
        return std::move(*reply);
    }
    if (is_endpoint_error(answer.body)) {
        const int status = read_endpoint_error(answer.body).status;
        return tl::unexpected(failure_of(status >= 400 ? status : 500, answer));
    }
    Error error = std::move(reply.error());
    if (!error.where.empty()) {
        error.what = error.where + ": " + error.what;
    }
    return tl::unexpected(AttemptFailure{std::move(error), false, {}});
}

}  // namespace atl
