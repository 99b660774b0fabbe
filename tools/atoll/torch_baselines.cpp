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
#include <deque>
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

/// Reads the helper's lines into the report, as they come.
class AnswerReader {
  public:
    AnswerReader(const std::vector<TaskPtr>& tasks, const Cases& cases, const TorchOptions& options,
                 TorchReport& report)
        : m_cases(cases), m_options(options), m_report(report) {
        for (const TaskPtr& task : tasks) {
            if (report.tasks[task->name].left_out.empty()) {
                m_waiting.push_back(task);
            }
        }
    }
    /// `output`: all of it so far. A line without an end is left for later.
    void read(std::string_view output);
    /// Tasks without a line keep how the helper ended.
    void finish(const JudgeRun& run, double limit_s);

  private:
    void read_line(std::string_view line);
    void read_task(const Task& task, std::string_view line);

    const Cases& m_cases;
    const TorchOptions& m_options;
    TorchReport& m_report;
    std::deque<TaskPtr> m_waiting;  ///< in the order of their lines
    std::size_t m_read = 0;         ///< bytes
    bool m_begun = false;
};

void AnswerReader::read(std::string_view output) {
    for (std::size_t end = output.find('\n', m_read); end != std::string_view::npos;
         end = output.find('\n', m_read)) {
        read_line(output.substr(m_read, end - m_read));
        m_read = end + 1;
    }
}

void AnswerReader::read_line(std::string_view line) {
    if (!m_begun) {
        m_begun = true;
        const Expected<TorchProgram> program = parse_torch_program(line);
        m_report.left_out = program ? program->unavailable : program.error().message();
        m_report.program = program.value_or(TorchProgram());
    } else if (m_report.left_out.empty() && !m_waiting.empty()) {
        const TaskPtr task = std::move(m_waiting.front());
        m_waiting.pop_front();
        read_task(*task, line);
        if (m_options.on_task) {
            m_options.on_task(m_report, task->name);
        }
    }
}

void AnswerReader::read_task(const Task& task, std::string_view line) {
    TorchTaskReport& one = m_report.tasks[task.name];
    Expected<TorchTimes> times = parse_torch_times(line, task);
    if (!times) {
        one.left_out = times.error().message();
        return;
    }
    one.times = std::move(*times);
    one.doubt = one.times.check_error.empty() ? one.doubt : one.times.check_error;
    for (const TorchCase& small : m_cases.at(task.name)) {
        one.doubt = one.doubt.empty() ? torch_case_problem(task, small) : one.doubt;
    }
}

void AnswerReader::finish(const JudgeRun& run, double limit_s) {
    read(run.output);
    if (m_read < run.output.size()) {
        read_line(std::string_view(run.output).substr(m_read));
    }
    const std::string end =
        "PyTorch's process " + end_of(run, limit_s) + last_words(run.error_tail);
    if (!m_begun) {
        m_report.left_out = end;
    }
    for (const TaskPtr& task : m_waiting) {
        m_report.tasks[task->name].left_out = m_report.left_out.empty() ? end : "";
    }
}

Expected<JudgeRun> run_helper(const std::string& python, const fs::path& request,
                              const fs::path& folder, double limit_s, const TorchOptions& options,
                              AnswerReader& reader) {
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
    command.on_output = [&](std::string_view output) { reader.read(output); };
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
    AnswerReader reader(tasks, cases, options, report);
    ATOLL_TRY_ASSIGN(const JudgeRun run,
                     run_helper(pythons.front(), file, folder.path(), limit_s, options, reader));
    reader.finish(run, limit_s);
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
