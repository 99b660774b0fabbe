#include "tools/atoll/torch_answer.hpp"

#include "reward/base/json_reader.hpp"
#include "tools/atoll/torch_request.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace atl {

namespace {

constexpr std::size_t k_most_line_bytes = 1 << 20;
constexpr std::size_t k_most_text_bytes = 1000;
constexpr double k_most_time_ns = 1e12;
constexpr std::array k_modes = {"eager", "compile", "cublaslt"};
constexpr const char* k_where = "answer of torch_baselines.py";

bool is_timed(const Task& task, const std::string& id) {
    return std::any_of(task.workloads.begin(), task.workloads.end(), [&](const Workload& workload) {
        return workload.id == id && !workload.hidden && workload.use == Workload::Use::measure;
    });
}

Expected<TorchRow> parse_row(const nlohmann::json& value, const std::string& where,
                             const Task& task) {
    if (!value.is_object()) {
        return failure(ErrorCode::corrupt, "must be an object", where);
    }
    TorchRow row;
    JsonReader reader(value, where);
    reader.text("workload", row.workload, k_most_text_bytes)
        .text("mode", row.mode, k_most_text_bytes)
        .text("problem", row.problem, k_most_text_bytes)
        .numbers("samples_ns", row.samples_ns, k_torch_samples);
    const auto is_time = [](double ns) { return ns > 0 && ns < k_most_time_ns; };
    if (!std::all_of(row.samples_ns.begin(), row.samples_ns.end(), is_time)) {
        reader.fail("samples_ns: a number that is no time of a launch");
    }
    if (!is_timed(task, row.workload)) {
        reader.fail("workload: was not asked for");
    }
    if (std::find(k_modes.begin(), k_modes.end(), row.mode) == k_modes.end()) {
        reader.fail("mode: is not known");
    }
    if (row.samples_ns.empty() && row.problem.empty()) {
        reader.fail("neither times nor a reason");
    }
    ATOLL_TRY(reader.finish());
    return row;
}

}  // namespace

Expected<TorchProgram> parse_torch_program(std::string_view line) {
    ATOLL_TRY_ASSIGN(const nlohmann::json object,
                     parse_json_object(line, k_most_line_bytes, k_where));
    TorchProgram program;
    std::int64_t version = 0;
    JsonReader reader(object, k_where);
    reader.integer("version", version, std::int64_t{1}, std::int64_t{1})
        .text("torch", program.torch, k_most_text_bytes)
        .text("device", program.device, k_most_text_bytes)
        .text("unavailable", program.unavailable, k_most_text_bytes);
    ATOLL_TRY(reader.finish());
    return program;
}

Expected<TorchTimes> parse_torch_times(std::string_view line, const Task& task) {
    ATOLL_TRY_ASSIGN(const nlohmann::json object,
                     parse_json_object(line, k_most_line_bytes, k_where));
    TorchTimes times;
    std::string name;
    JsonReader reader(object, k_where);
    reader.text("task", name, k_most_text_bytes)
        .text("clock", times.clock, k_most_text_bytes)
        .text("check_error", times.check_error, k_most_text_bytes);
    if (name != task.name) {
        reader.fail("task: is not the one that was asked about");
    }
    const nlohmann::json* rows = reader.array("rows", k_modes.size() * k_most_workloads);
    for (std::size_t i = 0; rows != nullptr && i < rows->size(); ++i) {
        ATOLL_TRY_ASSIGN(TorchRow row, parse_row((*rows)[i], reader.path("rows"), task));
        const auto same = [&](const TorchRow& other) {
            return other.workload == row.workload && other.mode == row.mode;
        };
        if (std::any_of(times.rows.begin(), times.rows.end(), same)) {
            reader.fail("rows: " + row.mode + " of " + row.workload + " comes twice");
        }
        times.rows.push_back(std::move(row));
    }
    ATOLL_TRY(reader.finish());
    return times;
}

}  // namespace atl
