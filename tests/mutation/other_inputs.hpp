#pragma once

#include "reward/task.hpp"

#include <cstdint>
#include <filesystem>

namespace atl::mutation {

/// Tasks derived from a shipped one, so that what has passed its verification can be asked again
/// on inputs that it never saw, by the same evaluator, in the same jail, between the same unmapped
/// pages. Both have `k_shapes` workloads at a time: shapes of the task, hidden ones too, random
/// ones near them, and some with one extent many times as long, other ones in each round; every
/// distribution; fresh secret seeds.
inline constexpr std::size_t k_shapes = 36;

/// The source with products and sums rounded one by one. Which of them a compiler fuses depends on
/// what it inlines, so that without this a program need not give its own bits in another place.
[[nodiscard]] std::string exactly(const std::string& source);

/// Expects, to the last bit of every element, what `original` (a starter's source) answers, both
/// compiled as exactly() has it.
[[nodiscard]] TaskPtr same_answers_task(const Task& task, const std::string& original,
                                        std::uint64_t round, const std::filesystem::path& folder);

/// Expects what the task's own reference answers, within the task's own tolerances.
[[nodiscard]] TaskPtr other_shapes_task(const Task& task, std::uint64_t round,
                                        const std::filesystem::path& folder);

/// The shapes of one round. Every extent is at least 1; `admissible()` holds for each.
[[nodiscard]] std::vector<Workload> other_shapes(const Task& task, std::uint64_t round);

/// No extent more than twice as long as any of the task's own, and what the shipped tasks demand
/// besides: top_k's k is at most n, spmv_csr's entries fit into the matrix, and scores of
/// causal_attention do not grow beyond those of the task's own shapes.
[[nodiscard]] bool admissible(const Task& task, const Workload& workload);

}  // namespace atl::mutation
