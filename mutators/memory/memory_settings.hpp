#pragma once

#include "reward/base/error.hpp"
#include "reward/base/settings.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace atl {

/// What is shown to models beside the parents: section [memory] of a campaign's config. Only
/// operators whose prompt has the block get it (Operator::shows()); campaigns without such
/// operators pay nothing.
struct MemorySettings {
    // Programs with their scores, to compare: exemplars.hpp.
    std::string exemplars = "contrastive";
    std::int64_t exemplar_count = 2;
    double temperature = 0.5;
    double bucket_width = 0.1;
    // Programs for ideas: inspirations.hpp.
    std::vector<std::string> inspirations = {"top", "diverse"};
    // What was learned: failure_table.hpp, pair_memory.hpp, methods.hpp, insights.hpp.
    std::int64_t failure_count = 3;
    std::int64_t failure_rules = 8;
    std::int64_t methods = 3;
    double faster = 1.04;
    double slower = 1.15;
    std::int64_t pairs = 4;
    std::int64_t insight_every = 25;
};

void declare(MemorySettings& settings, SettingVisitor& visitor);
/// What declare() cannot: the names in a list.
[[nodiscard]] Status check_memory(const MemorySettings& settings, const std::string& where);

}  // namespace atl
