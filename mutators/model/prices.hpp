#pragma once

#include "mutators/model/chat.hpp"
#include "reward/base/error.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace atl {

/// What a million tokens cost, in US dollars (or whatever the campaign counts in).
struct Price {
    double prompt = 0;             ///< at least 0, at most k_max_price
    std::optional<double> cached;  ///< of the prompt's tokens that were cached; absent: as `prompt`
    double completion = 0;
};

inline constexpr double k_max_price = 1e5;

/// invalid_argument for a price that is out of range; `where` names it.
[[nodiscard]] Status check_price(const Price& price, const std::string& where);

/// Billionths of a dollar, so that sums do not depend on their order.
using NanoDollars = std::int64_t;

/// prompt x (prompt - cached) + cached x cached + completion x completion, rounded to the nearest.
/// REQUIRES a checked price and usage as read_chat_reply() gives it.
[[nodiscard]] NanoDollars cost_of(const TokenUsage& usage, const Price& price);

}  // namespace atl
