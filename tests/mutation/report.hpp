#pragma once

#include "tests/mutation/strength.hpp"

#include <string>
#include <vector>

namespace atl::mutation {

struct Totals {
    std::size_t made = 0;
    std::size_t no_program = 0;
    std::size_t killed = 0;
    std::size_t same = 0;
    std::size_t tolerated = 0;
    std::size_t survived = 0;
    std::size_t unjudged = 0;

    void add(Fate fate);
    /// Of those that are wrong by the task's own measure on some input, the share killed.
    [[nodiscard]] double kill_rate() const;
    /// The same of those that give other bits on some input, whether or not the task allows them.
    [[nodiscard]] double kill_rate_of_any_difference() const;
};

[[nodiscard]] Totals totals_of(const std::vector<TaskStrength>& strengths);

/// Tables by task and class, and every mutant that passed with other bits, as Markdown.
[[nodiscard]] std::string report_of(const std::vector<TaskStrength>& strengths);

}  // namespace atl::mutation
