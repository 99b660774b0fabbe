#pragma once

#include "mutators/memory/memory_settings.hpp"
#include "mutators/memory/shown_choice.hpp"
#include "reward/base/rng.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace atl {

inline constexpr std::int64_t k_max_exemplars = 16;

/// Programs that a model is shown with their scores, so that it can tell what the better ones do
/// and the worse ones do not. By name:
///
///   none
///   top_k        the fittest, with probability 1
///   contrastive  as in CUDA-L1 (arXiv 2507.14111): programs of about the same score s share a
///                bucket, the whole part of ln(s) / ln(1 + bucket_width); a bucket is drawn with
///                probability exp(m / t) / sum of exp(m / t) over the buckets left, where m is its
///                mean score, as a share of the best one's so that the temperature t has no unit;
///                a program of it uniformly; then the next, from another bucket
///
/// Of `entries` (an island's members, best first, fitness above 0), without those `taken`; at most
/// settings.exemplar_count, fewer where there are not enough (buckets). Pure.
[[nodiscard]] std::vector<ShownChoice> choose_exemplars(const MemorySettings& settings,
                                                        std::span<const ArchiveEntry> entries,
                                                        std::span<const IndividualId> taken,
                                                        CounterRng& rng);

[[nodiscard]] const std::vector<std::string>& exemplar_names();

}  // namespace atl
