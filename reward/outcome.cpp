#include "reward/outcome.hpp"

#include <array>

namespace atl {

namespace {

constexpr std::array<std::string_view, k_outcome_count> k_names = {
    "passed",          "rejected",     "compile_error", "compile_limit",
    "launch_error",    "wrong_result", "non_finite",    "inputs_modified",
    "timeout",         "crash",        "memory_fault",  "memory_limit",
    "forbidden_call",  "inconsistent", "reward_hack",   "slower_than_cutoff",
    "evaluator_failed"};

}  // namespace

std::string_view to_string(Outcome outcome) {
    return k_names[static_cast<std::size_t>(outcome)];
}

std::optional<Outcome> outcome_from(std::string_view name) {
    for (std::size_t i = 0; i < k_names.size(); ++i) {
        if (k_names[i] == name) {
            return static_cast<Outcome>(i);
        }
    }
    return std::nullopt;
}

}  // namespace atl
