#pragma once

#include "reward/oracle.hpp"
#include "reward/task.hpp"
#include "tools/atoll/torch_answer.hpp"

#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace atl {

/// What the helper found out about one task.
struct TorchTaskReport {
    std::string left_out;  ///< why it has no times; empty: it has
    /// Empty: the baseline's answers are the reference's. Else why they were not compared, or how
    /// they differ.
    std::string doubt;
    TorchTimes times;
};

struct TorchReport {
    std::string left_out;  ///< of all tasks: no Python, no PyTorch, no GPU there
    TorchProgram program;
    std::map<std::string, TorchTaskReport> tasks;  ///< by name
};

struct TorchOptions {
    std::string python = "python3";  ///< a name to look for in $PATH, or a path
    int gpu = 0;
    double seconds_per_task = 180;  ///< all tasks together take as many times that at most
    /// The reference that baselines are compared with; an error says why there is none.
    std::function<Expected<std::unique_ptr<Oracle>>(const Task&)> oracle_for;
    std::stop_token cancel{};
    /// Called when a task's times are there, with the report so far and the task's name; on the
    /// thread that waits.
    std::function<void(const TorchReport&, const std::string&)> on_task{};
};

/// Runs tools/python/torch_baselines.py for tasks of kind cuda, in a private folder, with the
/// user's environment and under limits on time and output. Whatever is missing or goes wrong in it
/// is a report; an error is a fault of ours (disk, inputs). Blocks.
[[nodiscard]] Expected<TorchReport> run_torch_baselines(const std::vector<TaskPtr>& tasks,
                                                        const TorchOptions& options);

/// The reference.cpp of the folder of `task`, compiled by `sandbox` or a higher level; an error
/// where the folder has none or there is no compiler.
[[nodiscard]] Expected<std::unique_ptr<Oracle>> load_native_oracle(const Task& task,
                                                                   const std::string& sandbox);

}  // namespace atl
