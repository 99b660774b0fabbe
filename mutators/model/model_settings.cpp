#include "mutators/model/model_settings.hpp"

#include "mutators/model/chat.hpp"
#include "reward/base/words.hpp"

#include <algorithm>
#include <string_view>

namespace atl {

namespace {

constexpr std::size_t k_longest_url = 2048;

tl::unexpected<Error> bad(const ModelSettings& settings, const std::string& key,
                          const std::string& what, const std::string& hint = {}) {
    return failure(ErrorCode::invalid_argument, what, "models." + settings.name + "." + key, hint);
}

bool is_within(double value, double low, double high) {
    return value >= low && value <= high;
}

/// The URL is not shown in these errors: what is wrong with it may be a key within.
Status check_url(const ModelSettings& settings) {
    constexpr const char* k_hint =
        "for example https://api.openai.com/v1 or http://localhost:8000/v1";
    const std::string_view url = settings.url;
    const bool plain =
        std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c < 0x7f && c != '#'; });
    std::size_t host = std::string_view::npos;
    for (const std::string_view scheme : {"http://", "https://"}) {
        host = url.starts_with(scheme) ? scheme.size() : host;
    }
    if (!plain || url.size() > k_longest_url || host == std::string_view::npos) {
        return bad(settings, "url", "a URL that begins with http:// or https:// is needed", k_hint);
    }
    const std::string_view authority = url.substr(host, url.find_first_of("/?", host) - host);
    if (authority.find('@') != std::string_view::npos) {
        return bad(settings, "url", "a user or password in a URL would be shown in errors",
                   "name the key with key_env or key_file");
    }
    if (authority.empty()) {
        return bad(settings, "url", "there is no host", k_hint);
    }
    return {};
}

std::string with_path(const ModelSettings& settings, bool with_query) {
    const std::size_t mark = std::min(settings.url.find('?'), settings.url.size());
    std::string path = settings.url.substr(0, mark);
    while (path.ends_with('/')) {
        path.pop_back();
    }
    return path + "/chat/completions" + (with_query ? settings.url.substr(mark) : "");
}

}  // namespace

Status check_model_settings(const ModelSettings& settings) {
    if (!is_plain_name(settings.name)) {
        return bad(settings, "", std::string("a model's name is ") + k_plain_name_rule);
    }
    ATOLL_TRY(check_url(settings));
    if (settings.model.size() > k_max_model_bytes || !is_utf8(settings.model)) {
        return bad(settings, "model", "the endpoint's name of a model is a short text");
    }
    if (settings.max_tokens_field != "max_tokens" &&
        settings.max_tokens_field != "max_completion_tokens") {
        return bad(settings, "max_tokens_field", "max_tokens or max_completion_tokens is needed");
    }
    if (!is_within(settings.timeout_s, 0.001, 86'400)) {
        return bad(settings, "timeout_s", "from 0.001 to 86400 seconds");
    }
    if (settings.attempts < 1 || settings.attempts > 100) {
        return bad(settings, "attempts", "from 1 to 100");
    }
    if (settings.in_flight < 1 || settings.in_flight > 4096) {
        return bad(settings, "in_flight", "from 1 to 4096");
    }
    if (!is_within(settings.requests_per_minute, 0, 1e9) ||
        !is_within(settings.tokens_per_minute, 0, 1e12)) {
        return bad(settings, "requests_per_minute, tokens_per_minute", "at least 0; 0: no limit");
    }
    if (settings.price) {
        ATOLL_TRY(check_price(*settings.price, "models." + settings.name + ".price"));
    }
    return {};
}

std::string completions_url(const ModelSettings& settings) {
    return with_path(settings, true);
}
std::string shown_url(const ModelSettings& settings) {
    return with_path(settings, false);
}

}  // namespace atl
