#include "tools/atoll/baseline_table.hpp"

#include "population/lineage/text_layout.hpp"
#include "reward/statistics.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace atl {

namespace {

/// The fastest starter's time on a workload; 0 without one.
double fastest_starter(const std::vector<BaselineRow>& rows, const std::string& workload) {
    double fastest = 0;
    for (const BaselineRow& row : rows) {
        if (row.what.starts_with(k_starter_words) && row.workload == workload &&
            is_usable_time(row.median_ns)) {
            fastest = fastest > 0 ? std::min(fastest, row.median_ns) : row.median_ns;
        }
    }
    return fastest;
}

std::string mode_words(const std::string& mode) {
    if (mode == "compile") {
        return "torch.compile";
    }
    return mode == "cublaslt" ? "cuBLASLt (PyTorch)" : "PyTorch " + mode;
}

std::string time_of(const BaselineRow& row) {
    return is_usable_time(row.median_ns) ? time_text(row.median_ns) : "-";
}

std::string interval_of(const BaselineRow& row) {
    return is_usable_time(row.median_ns)
               ? fmt::format("+-{:.1f} %", 50 * (row.high_ns - row.low_ns) / row.median_ns)
               : "-";
}

std::string joined(const std::string& first, const std::string& second) {
    return first.empty() || second.empty() ? first + second : first + "; " + second;
}

}  // namespace

std::vector<BaselineRow> rows_of(const std::string& what, const EvaluationResult& result) {
    if (!result || result->outcome != Outcome::passed || !result->measure) {
        const std::string why =
            result ? fmt::format("{}: {}", to_string(result->outcome), result->reason)
                   : result.error().error.message();
        return {{what, "-", 0, 0, 0, "left out: " + why}};
    }
    std::vector<BaselineRow> rows;
    for (const WorkloadTiming& timing : result->measure->workloads) {
        if (!timing.hidden) {
            rows.push_back({what, timing.workload, timing.median_ns, timing.low_ns, timing.high_ns,
                            timing.noisy ? "noisy" : ""});
        }
    }
    return rows;
}

std::vector<BaselineRow> rows_of(const TorchReport& report, const std::string& task) {
    const auto found = report.tasks.find(task);
    const std::string left_out = !report.left_out.empty()      ? report.left_out
                                 : found == report.tasks.end() ? "it was not asked"
                                                               : found->second.left_out;
    if (!left_out.empty()) {
        return {{"PyTorch", "-", 0, 0, 0, "left out: " + left_out}};
    }
    const TorchTaskReport& one = found->second;
    std::vector<BaselineRow> rows;
    for (const TorchRow& row : one.times.rows) {
        BaselineRow out{mode_words(row.mode), row.workload, 0, 0, 0, row.problem};
        if (!row.samples_ns.empty()) {
            const MedianInterval interval = median_interval(row.samples_ns);
            out.median_ns = median(row.samples_ns);
            out.low_ns = interval.low;
            out.high_ns = interval.high;
            const bool by_events = one.times.clock != "cupti";
            out.remark = joined(out.remark, by_events ? "timed by events" : "");
        }
        // Which function the small launches tried is always the same one.
        out.remark = joined(out.remark, row.mode == "eager" ? one.doubt : "");
        rows.push_back(std::move(out));
    }
    if (rows.empty()) {
        rows.push_back({"PyTorch", "-", 0, 0, 0, "left out: " + joined("no times", one.doubt)});
    }
    return rows;
}

std::string baseline_line(const std::string& task, const BaselineRow& row) {
    const std::string line = fmt::format(
        "{:<24}  {:<32}  {:<24}  {:>9}  {:>8}  {}", one_line(task, 40), one_line(row.what, 40),
        one_line(row.workload, 40), time_of(row), interval_of(row), one_line(row.remark, 300));
    return line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
}

std::string baseline_table(const std::vector<BaselineRow>& rows) {
    std::vector<std::vector<std::string>> cells = {
        {"what", "workload", "median", "interval", "of fastest starter", "remark"}};
    for (const BaselineRow& row : rows) {
        const double fastest = fastest_starter(rows, row.workload);
        const bool timed = is_usable_time(row.median_ns);
        cells.push_back(
            {one_line(row.what, 40), one_line(row.workload, 40), time_of(row), interval_of(row),
             timed && fastest > 0 ? fmt::format("{:.2f} x", row.median_ns / fastest) : "-",
             one_line(row.remark, 300)});
    }
    return aligned(cells, "  ");
}

nlohmann::json baseline_json(const std::vector<BaselineRow>& rows) {
    nlohmann::json list = nlohmann::json::array();
    for (const BaselineRow& row : rows) {
        const double fastest = fastest_starter(rows, row.workload);
        nlohmann::json one = {{"what", row.what},     {"workload", row.workload},
                              {"median_ns", nullptr}, {"low_ns", nullptr},
                              {"high_ns", nullptr},   {"of_fastest_starter", nullptr},
                              {"remark", row.remark}};
        if (is_usable_time(row.median_ns)) {
            one["median_ns"] = row.median_ns;
            one["low_ns"] = row.low_ns;
            one["high_ns"] = row.high_ns;
            if (fastest > 0) {
                one["of_fastest_starter"] = row.median_ns / fastest;
            }
        }
        list.push_back(std::move(one));
    }
    return list;
}

}  // namespace atl
