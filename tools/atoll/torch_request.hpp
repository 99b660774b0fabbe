#pragma once

#include "reward/base/error.hpp"
#include "reward/oracle.hpp"
#include "reward/task.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace atl {

/// One small launch of a PyTorch baseline whose outputs are compared with the task's reference.
struct TorchCase {
    std::string workload;
    std::map<std::string, std::int64_t> axes;
    ExpectedOutputs want;
    Tolerance tolerance;
    std::vector<std::filesystem::path> files;  ///< where the helper writes the outputs
};

/// Launches of one measured workload that the helper times, at most.
inline constexpr std::size_t k_torch_samples = 40;

/// A measured input is written as this many elements, which the helper repeats; a prime, so that
/// rows of a matrix are not alike. Parts of sparse matrices are written in full.
inline constexpr std::int64_t k_torch_pattern = 1'048'573;

/// tasks/NAME/baselines/torch.py: what tools/python/torch_baselines.py runs.
[[nodiscard]] std::filesystem::path torch_baseline_file(const Task& task);

/// The helper's order about one task (kind cuda), whose input files are written to `folder`: every
/// public measured workload is timed; with `oracle` every public verify workload, under a
/// distribution each by turns, becomes a case. Not thread-safe.
[[nodiscard]] Expected<nlohmann::json> torch_request(const Task& task, const Oracle* oracle,
                                                     const std::filesystem::path& folder,
                                                     std::vector<TorchCase>& cases);

/// Empty, or what is wrong with the outputs that the helper wrote for a case: sizes, NaN, values.
[[nodiscard]] std::string torch_case_problem(const Task& task, const TorchCase& one);

}  // namespace atl
