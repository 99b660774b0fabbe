#include "mutators/model/spent.hpp"

#include <fmt/format.h>

#include <utility>

namespace atl {

namespace {

std::string count_of(std::uint64_t calls) {
    return fmt::format("{} call{}", calls, calls == 1 ? "" : "s");
}

}  // namespace

Spent& Spent::operator+=(const Spent& other) {
    calls += other.calls;
    failed += other.failed;
    without_usage += other.without_usage;
    without_price += other.without_price;
    tokens.prompt += other.tokens.prompt;
    tokens.cached += other.tokens.cached;
    tokens.completion += other.tokens.completion;
    tokens.reasoning += other.tokens.reasoning;
    nano_dollars += other.nano_dollars;
    return *this;
}

std::optional<double> Spent::cached_share() const {
    if (tokens.prompt == 0) {
        return std::nullopt;
    }
    return static_cast<double>(tokens.cached) / static_cast<double>(tokens.prompt);
}

std::string Spent::money_text() const {
    const std::string known = fmt::format("${:.4f}", static_cast<double>(nano_dollars) * 1e-9);
    std::string unknown;
    for (const auto& [count, words] :
         {std::pair(without_price, "without a price"), std::pair(without_usage, "without usage"),
          std::pair(failed, "failed")}) {
        if (count > 0) {
            unknown += (unknown.empty() ? "" : ", ") + count_of(count) + " " + words;
        }
    }
    if (unknown.empty()) {
        return known;
    }
    return nano_dollars == 0 ? "unknown (" + unknown + ")"
                             : "at least " + known + " (unknown: " + unknown + ")";
}

}  // namespace atl
