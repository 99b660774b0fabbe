#include "mutators/memory/memory_settings.hpp"

#include "mutators/memory/exemplars.hpp"
#include "mutators/memory/inspirations.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace atl {

void declare(MemorySettings& s, SettingVisitor& v) {
    v.choice("memory.exemplars", s.exemplars, exemplar_names(),
             "Which programs of the island a model is shown with their scores, to compare: none; "
             "the best (top_k); or some of different speed, faster ones more often (contrastive).");
    v.integer("memory.exemplar_count", s.exemplar_count, {1, k_max_exemplars},
              "Exemplars shown, at most.");
    v.real("memory.temperature", s.temperature, {0.01, 100},
           "How evenly contrastive draws slow and fast exemplars: high, all alike; low, only the "
           "fastest.");
    v.real("memory.bucket_width", s.bucket_width, {0.001, 10},
           "Programs whose scores differ by less than about this share (0.1 = 10 %) count as "
           "equally fast for contrastive, which shows no two of them.");
    v.texts("memory.inspirations", s.inspirations,
            "Further programs of the island that a model is shown for ideas, one for each name, at "
            "most 8: top (the best left), diverse (the one least like those chosen), random; good, "
            "medium, poor (any of the upper 30 %, the middle 40 %, the lower 30 %).");
    v.integer("memory.failure_count", s.failure_count, {0, 1'000'000},
              "A model is told what failed once the same has failed this many times; 0: never.");
    v.integer("memory.failure_rules", s.failure_rules, {1, 64},
              "Such failures that it is told, at most, the most frequent first.");
    v.integer("memory.methods", s.methods, {0, 32},
              "Methods against the parent's bottleneck that it is told, at most.");
    v.real("memory.faster", s.faster, {1, 1000},
           "Changes that raised the score by more than this factor are remembered as ones that "
           "helped.");
    v.real("memory.slower", s.slower, {1, 1000},
           "Changes that lowered it by more than this factor, as ones that hurt.");
    v.integer("memory.pairs", s.pairs, {0, 32},
              "Such changes that it is told, half of either sort: first those of programs with the "
              "parent's bottleneck, and of those most like the parent.");
    v.integer("memory.insight_every", s.insight_every, {0, 1'000'000},
              "Commits from one time that a model is asked what the campaign has taught to the "
              "next; what it says is told from then on. 0: never.");
}

Status check_memory(const MemorySettings& settings, const std::string& where) {
    if (settings.inspirations.size() > k_max_inspirations) {
        return failure(
            ErrorCode::invalid_argument,
            "memory.inspirations: at most " + std::to_string(k_max_inspirations) + " may be given",
            where);
    }
    const std::vector<std::string>& names = inspiration_names();
    for (const std::string& name : settings.inspirations) {
        if (std::find(names.begin(), names.end(), name) == names.end()) {
            return failure(ErrorCode::invalid_argument,
                           "memory.inspirations: there is no '" + name + "'", where,
                           fmt::format("one of {}", fmt::join(names, ", ")));
        }
    }
    return {};
}

}  // namespace atl
