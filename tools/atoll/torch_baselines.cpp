#include "tools/atoll/torch_baselines.hpp"

#include "reward/base/private_folder.hpp"
#include "reward/base/programs.hpp"
#include "reward/base/sandbox.hpp"
#include "reward/compiler.hpp"
#include "reward/kinds/judge_process.hpp"
#include "reward/launch_contract.hpp"
#include "tools/atoll/torch_request.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace atl {

namespace {

namespace fs = std::filesystem;
using Cases = std::map<std::string, std::vector<TorchCase>>;

/// The driver maps all of a device's memory into the address space.
constexpr std::uint64_t k_address_space = std::uint64_t{1} << 46;
constexpr std::uint64_t k_output_bytes = 16 << 20;

/// The user's own, but for what would be written elsewhere than to `folder`.
std::vector<std::string> environment_for(const fs::path& folder) {
    std::vector<std::string> environment;
    for (char** word = environ; *word != nullptr; ++word) {
        const std::string_view text = *word;
        if (!text.starts_with("TMPDIR=") && !text.starts_with("TORCHINDUCTOR_CACHE_DIR=") &&
            !text.starts_with("TRITON_CACHE_DIR=")) {
            environment.emplace_back(text);
        }
    }
    environment.push_back("TMPDIR=" + folder.string());
    environment.push_back("TORCHINDUCTOR_CACHE_DIR=" + (folder / "inductor").string());
    environment.push_back("TRITON_CACHE_DIR=" + (folder / "triton").string());
    environment.emplace_back("PYTHONDONTWRITEBYTECODE=1");
    return environment;
}

/// The order about one task. Where there is no reference to compare with, the report says why.
Expected<nlohmann::json> request_for(const Task& task, const TorchOptions& options,
                                     const fs::path& folder, std::vector<TorchCase>& cases,
                                     TorchTaskReport& report) {
    const auto oracle = options.oracle_for
                            ? options.oracle_for(task)
                            : failure(ErrorCode::not_found, "there is no reference.cpp");
    if (!oracle) {
        report.doubt = "not compared with the reference: " + oracle.error().message();
    }
    return torch_request(task, oracle ? oracle->get() : nullptr, folder, cases);
}

std::string end_of(const JudgeRun& run, double limit_s) {
    using End = JudgeRun::End;
    switch (run.end) {
        case End::timeout:
            return fmt::format("stopped after {:.0f} seconds", limit_s);
        case End::too_much_output:
            return "stopped, since it wrote too much";
        case End::cancelled:
            return "interrupted";
        case End::killed:
            return fmt::format("killed by signal {}", run.status);
        case End::exited:
            break;
    }
    return fmt::format("ended with status {}", run.status);
}

/// The last line of what it said, which in Python names the error.
std::string last_words(const std::string& error_tail) {
    std::string last;
    std::istringstream lines(error_tail);
    for (std::string line; std::getline(lines, line);) {
        last = line.empty() ? last : line;
    }
    return last.empty() ? "" : ": " + last.substr(0, 300);
}

/// Reads the helper's lines into the report; tasks without one keep how the helper ended.
void read_answer(const JudgeRun& run, double limit_s, const std::vector<TaskPtr>& tasks,
                 const Cases& cases, TorchReport& report) {
    const std::string end =
        "PyTorch's process " + end_of(run, limit_s) + last_words(run.error_tail);
    std::istringstream lines(run.output);
    std::string line;
    if (!std::getline(lines, line)) {
        report.left_out = end;
        return;
    }
    const Expected<TorchProgram> program = parse_torch_program(line);
    if (!program) {
        report.left_out = program.error().message();
        return;
    }
    report.program = *program;
    report.left_out = program->unavailable;
    for (const TaskPtr& task : tasks) {
        TorchTaskReport& one = report.tasks[task->name];
        if (!one.left_out.empty() || !report.left_out.empty()) {
            continue;
        }
        if (!std::getline(lines, line)) {
            one.left_out = end;
            continue;
        }
        Expected<TorchTimes> times = parse_torch_times(line, *task);
        if (!times) {
            one.left_out = times.error().message();
            continue;
        }
        one.times = std::move(*times);
        one.doubt = one.times.check_error.empty() ? one.doubt : one.times.check_error;
        for (const TorchCase& small : cases.at(task->name)) {
            one.doubt = one.doubt.empty() ? torch_case_problem(*task, small) : one.doubt;
        }
    }
}

Expected<JudgeRun> run_helper(const std::string& python, const fs::path& request,
                              const fs::path& folder, double limit_s, const TorchOptions& options) {
    ATOLL_TRY_ASSIGN(const fs::path helper,
                     find_shipped(std::string(k_shipped_prefix) + "torch_baselines.py"));
    JudgeCommand command;
    command.argv = {python, helper.string(), request.string()};
    command.environment = environment_for(folder);
    command.folder = folder;
    command.timeout_s = limit_s;
    command.memory_bytes = k_address_space;
    command.output_bytes = k_output_bytes;
    command.cancel = options.cancel;
    return run_judge(command);
}

}  // namespace

Expected<TorchReport> run_torch_baselines(const std::vector<TaskPtr>& tasks,
                                          const TorchOptions& options) {
    TorchReport report;
    const std::vector<std::string> pythons = find_programs(options.python);
    if (pythons.empty()) {
        report.left_out = "there is no program '" + options.python + "'";
        return report;
    }
    ATOLL_TRY_ASSIGN(const PrivateFolder folder, PrivateFolder::make("atoll-torch-"));
    nlohmann::json orders = nlohmann::json::array();
    Cases cases;
    for (const TaskPtr& task : tasks) {
        std::error_code code;
        TorchTaskReport& one = report.tasks[task->name];
        if (!fs::is_regular_file(torch_baseline_file(*task), code)) {
            one.left_out = "the task has no baselines/torch.py";
            continue;
        }
        ATOLL_TRY_ASSIGN(nlohmann::json order,
                         request_for(*task, options, folder.path(), cases[task->name], one));
        orders.push_back(std::move(order));
    }
    if (orders.empty()) {
        return report;
    }
    const fs::path file = folder.path() / "request.json";
    const double limit_s = options.seconds_per_task * static_cast<double>(orders.size());
    std::ofstream out(file);
    out << nlohmann::json{{"gpu", options.gpu}, {"tasks", std::move(orders)}}.dump();
    out.close();
    if (!out) {
        return failure(ErrorCode::io, "could not be written", file.string());
    }
    ATOLL_TRY_ASSIGN(const JudgeRun run,
                     run_helper(pythons.front(), file, folder.path(), limit_s, options));
    read_answer(run, limit_s, tasks, cases, report);
    return report;
}

Expected<std::unique_ptr<Oracle>> load_native_oracle(const Task& task, const std::string& sandbox) {
    ATOLL_TRY_ASSIGN(const TaskPtr native, load_task(task.folder, "cpu_cpp"));
    if (native->reference_source.empty()) {
        return failure(ErrorCode::not_found, "the task has no reference.cpp");
    }
    CompilerOptions options;
    ATOLL_TRY_ASSIGN(options.required, sandbox_level_from(sandbox));
    ATOLL_TRY_ASSIGN(const auto compiler, make_jailed_compiler(options));
    CompileRequest request;
    request.source = with_reference_entry_point(*native);
    request.flags = standard_flags();
    ATOLL_TRY_ASSIGN(const CompileResult compiled, compiler->compile(request));
    if (compiled.status != CompileResult::Status::ok) {
        return failure(ErrorCode::invalid_argument, "reference.cpp does not compile");
    }
    return load_oracle(native, compiled.binary);
}

}  // namespace atl
