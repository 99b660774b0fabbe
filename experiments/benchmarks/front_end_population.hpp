#pragma once

#include "reward/task.hpp"

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

/// Which kernels the front end is measured with.
namespace population {

struct Source {
    atl::TaskPtr task;
    std::string name;  ///< "softmax/1_block_per_row"
    std::string text;
};

/// Starters of the tasks whose kernels are as models write them for small tasks: copies, row
/// reductions, softmax, norms, transposition, matrix-vector products, tiled products of matrices.
[[nodiscard]] std::vector<Source> small_tasks();
/// Starters of every task on CUDA, tensor-core attention and grouped products included.
[[nodiscard]] std::vector<Source> all_tasks();
[[nodiscard]] std::vector<Source> one_task(const std::string& name);
/// Every .cu file of a folder, as candidates of softmax: kernels of any kind, and a launch() with
/// that task's parameters. For kernels that other people's models wrote.
[[nodiscard]] std::vector<Source> files_of(const std::filesystem::path& folder);

/// The number-th choice among the values of a source's tune macros, by turns through all of their
/// combinations: other constants, other unrolling, other shapes of shared memory.
[[nodiscard]] std::map<std::string, std::string> tune_of(const Source& source, std::size_t number);

}  // namespace population
