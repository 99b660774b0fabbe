#pragma once

#include "reward/base/error.hpp"
#include "reward/task.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// The first line of what tools/python/torch_baselines.py says.
struct TorchProgram {
    std::string torch;  ///< version
    std::string device;
    std::string unavailable;  ///< why there are no times; empty: there are
};

/// One function on one workload.
struct TorchRow {
    std::string workload;
    std::string mode;  ///< "eager", "compile", "cublaslt"
    std::vector<double> samples_ns;
    std::string problem;  ///< why there are none, or what is wrong with its answer
};

struct TorchTimes {
    std::string clock;        ///< "cupti" or "events"
    std::string check_error;  ///< why cases were not computed
    std::vector<TorchRow> rows;
};

/// The helper runs the user's Python and libraries: its lines are checked like any foreign text.
/// corrupt or limit: no JSON object, a key that is missing or unknown, a number that is no time, a
/// workload or mode that was not asked for or comes twice, another task. Texts are cut for a
/// terminal by whoever shows them. Pure.
[[nodiscard]] Expected<TorchProgram> parse_torch_program(std::string_view line);
[[nodiscard]] Expected<TorchTimes> parse_torch_times(std::string_view line, const Task& task);

}  // namespace atl
