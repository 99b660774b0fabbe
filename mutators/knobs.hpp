#pragma once

#include "reward/base/rng.hpp"
#include "reward/candidate.hpp"
#include "reward/task.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// One thing about a candidate that can be set without touching its text: a `// tune:` macro, or
/// a group of allowed compiler flags of which at most one is chosen (flags that differ only after
/// '=' exclude each other).
struct Knob {
    enum class Kind { macro, flag };
    Kind kind = Kind::macro;
    std::string name;                 ///< macro, or flag up to '='
    std::vector<std::string> values;  ///< macro values; for flags "" (off) and the whole flags
    std::size_t default_index = 0;
};

/// One value index per knob.
using KnobSetting = std::vector<std::size_t>;

/// All knobs of a source: its macros in source order, then the task's flags in its order.
[[nodiscard]] std::vector<Knob> knobs_of(const Task& task, std::string_view source);

/// Where the candidate's knobs stand. A value that is not listed counts as the default.
[[nodiscard]] KnobSetting setting_of(const std::vector<Knob>& knobs, const Candidate& candidate);

/// `candidate` with its knobs set: macros at their default are left out of `tune`, so that equal
/// programs get equal keys.
[[nodiscard]] Candidate with_setting(const std::vector<Knob>& knobs, const KnobSetting& setting,
                                     Candidate candidate);

/// "TILE 64 -> 128, -funroll-loops on"; "nothing" when both are equal.
[[nodiscard]] std::string describe_change(const std::vector<Knob>& knobs, const KnobSetting& from,
                                          const KnobSetting& to);

}  // namespace atl
