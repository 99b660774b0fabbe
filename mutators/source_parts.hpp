#pragma once

#include "mutators/knobs.hpp"
#include "mutators/regions.hpp"
#include "reward/task.hpp"

#include <string_view>
#include <vector>

namespace atl {

/// What operators look at in a source, read once for all individuals that share it.
struct SourceParts {
    std::vector<Knob> knobs;
    RegionDigests regions;
};

[[nodiscard]] SourceParts read_parts(const Task& task, std::string_view source);

}  // namespace atl
