#pragma once

#include "mutators/model/prices.hpp"
#include "reward/base/error.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace atl {

/// A model that a campaign may ask.
struct ModelSettings {
    std::string name;   ///< what the campaign calls it: a plain name
    std::string url;    ///< "https://HOST/v1": before "/chat/completions"; no user, no fragment
    std::string model;  ///< the endpoint's name for it; empty: `name`
    /// Where the key is: a variable or a file, one of them at most.
    std::string key_env;
    std::string key_file;
    std::string max_tokens_field = "max_tokens";  ///< or "max_completion_tokens"
    double timeout_s = 600;                       ///< of one attempt, 0.001 to 86,400
    int attempts = 5;                             ///< of one request, 1 to 100
    int in_flight = 64;                           ///< requests at a time, 1 to 4096
    double requests_per_minute = 0;               ///< 0: no limit
    double tokens_per_minute = 0;                 ///< prompt and completion; 0: no limit
    std::optional<Price> price;                   ///< absent: unknown
};

/// Errors: invalid_argument, naming model and key.
[[nodiscard]] Status check_model_settings(const ModelSettings& settings);

/// The address of requests: `url` with "/chat/completions" behind its path. REQUIRES checked
/// settings.
[[nodiscard]] std::string completions_url(const ModelSettings& settings);
/// The same for people: without the query, where keys may be.
[[nodiscard]] std::string shown_url(const ModelSettings& settings);

}  // namespace atl
