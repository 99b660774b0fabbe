#include "mutators/model/prices.hpp"

#include <cmath>

namespace atl {

namespace {

bool is_price(double value) {
    return value >= 0 && value <= k_max_price;
}

}  // namespace

Status check_price(const Price& price, const std::string& where) {
    if (!is_price(price.prompt) || !is_price(price.cached.value_or(0)) ||
        !is_price(price.completion)) {
        return failure(ErrorCode::invalid_argument,
                       "a price has prompt and completion, each 0 to 100000 a million tokens",
                       where);
    }
    return {};
}

NanoDollars cost_of(const TokenUsage& usage, const Price& price) {
    // A dollar per million tokens is a thousand nanodollars per token.
    const double sum = price.prompt * static_cast<double>(usage.prompt - usage.cached) +
                       price.cached.value_or(price.prompt) * static_cast<double>(usage.cached) +
                       price.completion * static_cast<double>(usage.completion);
    return std::llround(sum * 1000);
}

}  // namespace atl
