#pragma once

#include "reward/evaluator.hpp"
#include "tools/atoll/torch_baselines.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

namespace atl {

/// One program on one workload. Without times (0) `remark` says why.
struct BaselineRow {
    std::string what;  ///< "starter 1_tiles", "reference.cu", "PyTorch eager"
    std::string workload;
    double median_ns = 0;
    double low_ns = 0;  ///< 95 % interval of the median
    double high_ns = 0;
    std::string remark;
};

inline constexpr const char* k_starter_words = "starter ";

/// Of a program that was evaluated here: a row per public workload, or one that says why not.
[[nodiscard]] std::vector<BaselineRow> rows_of(const std::string& what,
                                               const EvaluationResult& result);

/// Of what PyTorch's helper found out about a task: a row per workload and mode, or one that says
/// why not. An answer that is not right, or was not compared, is a remark.
[[nodiscard]] std::vector<BaselineRow> rows_of(const TorchReport& report, const std::string& task);

/// A row by itself, before others are known: task, program, workload, time, interval, remark. Safe
/// for a terminal.
[[nodiscard]] std::string baseline_line(const std::string& task, const BaselineRow& row);
/// Time, interval, time over the fastest starter's on the same workload, remark. Safe for a
/// terminal.
[[nodiscard]] std::string baseline_table(const std::vector<BaselineRow>& rows);
/// The same as an array of objects; a time or ratio that is not known is null.
[[nodiscard]] nlohmann::json baseline_json(const std::vector<BaselineRow>& rows);

}  // namespace atl
