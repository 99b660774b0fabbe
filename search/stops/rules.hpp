#pragma once

#include "search/stops/stop_rule.hpp"

namespace atl {

/// The best individual's search fitness reached the target.
struct TargetFitness {
    double fitness = 0;
    [[nodiscard]] std::optional<std::string> reason(const StopView& view) const;
};

/// That many candidates were evaluated; duplicates are free.
struct MaxEvaluations {
    std::uint64_t evaluations = 0;
    [[nodiscard]] std::optional<std::string> reason(const StopView& view) const;
};

struct TimeBudget {
    double seconds = 0;
    [[nodiscard]] std::optional<std::string> reason(const StopView& view) const;
};

/// That many commits passed without a better best.
struct Stagnation {
    std::uint64_t commits = 0;
    [[nodiscard]] std::optional<std::string> reason(const StopView& view) const;
};

/// Models took that many tokens, prompts and completions together, those of tickets in flight
/// included.
struct TokenBudget {
    std::int64_t tokens = 0;
    [[nodiscard]] std::optional<std::string> reason(const StopView& view) const;
};

/// Models cost that much; replies whose cost is not known count nothing.
struct MoneyBudget {
    double dollars = 0;
    [[nodiscard]] std::optional<std::string> reason(const StopView& view) const;
};

/// Devices worked that long for committed tickets.
struct DeviceBudget {
    double seconds = 0;
    [[nodiscard]] std::optional<std::string> reason(const StopView& view) const;
};

/// The last proposals, that many in a row, were all measured before: nothing new is within reach
/// of the operators.
struct Exhausted {
    std::uint64_t proposals = 0;
    [[nodiscard]] std::optional<std::string> reason(const StopView& view) const;
};

}  // namespace atl
