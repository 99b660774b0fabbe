#pragma once

#include "mutators/model/chat.hpp"
#include "mutators/model/prices.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace atl {

/// What calls took. What is not known is counted apart, so that no sum looks whole that is not.
struct Spent {
    std::uint64_t calls = 0;          ///< all of them
    std::uint64_t failed = 0;         ///< without a reply: what they cost nobody says
    std::uint64_t without_usage = 0;  ///< replies that do not say their tokens
    std::uint64_t without_price = 0;  ///< replies of models whose price is not configured
    TokenUsage tokens;                ///< of the replies that say
    NanoDollars nano_dollars = 0;     ///< of the replies that say, of models with a price

    Spent& operator+=(const Spent& other);
    /// Share of the prompt's tokens that the endpoint had cached, 0 to 1; nullopt without any.
    [[nodiscard]] std::optional<double> cached_share() const;
    /// "$1.2345", "at least $1.2345 (unknown: 2 calls without a price, 1 without usage, 1 failed)",
    /// "unknown (3 calls without a price)".
    [[nodiscard]] std::string money_text() const;
};

}  // namespace atl
