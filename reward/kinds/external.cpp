#include "reward/kinds/external.hpp"

#include "reward/base/private_folder.hpp"
#include "reward/base/programs.hpp"
#include "reward/candidate_files.hpp"
#include "reward/kinds/judge_answer.hpp"
#include "reward/kinds/judge_process.hpp"
#include "reward/source_text.hpp"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

namespace atl {

namespace {

namespace fs = std::filesystem;

/// What a judge gets of our environment: enough to find its interpreter and libraries, no secrets.
std::vector<std::string> judge_environment(const Task& task, const fs::path& folder) {
    static constexpr std::array<const char*, 11> k_passed = {
        "PATH",       "LD_LIBRARY_PATH",     "LANG",
        "LC_ALL",     "VIRTUAL_ENV",         "PYTHONPATH",
        "PYTHONHOME", "CONDA_PREFIX",        "CUDA_HOME",
        "CUDA_PATH",  "CUDA_VISIBLE_DEVICES"};
    std::vector<std::string> environment;
    for (const char* name : k_passed) {
        if (const char* value = std::getenv(name)) {
            environment.push_back(std::string(name) + "=" + value);
        }
    }
    environment.push_back("HOME=" + folder.string());
    environment.push_back("TMPDIR=" + folder.string());
    environment.push_back("ATOLL_TASK=" + task.folder.string());
    environment.push_back("PYTHONDONTWRITEBYTECODE=1");
    return environment;
}

bool is_script(const fs::path& argument) {
    static constexpr std::array<std::string_view, 8> k_extensions = {".py", ".sh",  ".pl", ".rb",
                                                                     ".js", ".lua", ".jl", ".R"};
    const std::string extension = argument.extension().string();
    return std::find(k_extensions.begin(), k_extensions.end(), extension) != k_extensions.end();
}

tl::unexpected<Error> missing(const Task& task, const std::string& what) {
    return failure(ErrorCode::invalid_argument, "the judge's program '" + what + "' is missing",
                   (task.folder / "definition.json").string() + ": atoll.external.command",
                   "install it, or correct the command");
}

/// An absolute path for argv[0]: relative to the task's folder when it has a slash, else from PATH.
Expected<std::string> find_program(const Task& task, const std::string& name) {
    if (name.find('/') != std::string::npos) {
        const fs::path path = task.folder / name;
        return ::access(path.c_str(), X_OK) == 0 ? Expected<std::string>(path.string())
                                                 : missing(task, name);
    }
    const std::vector<std::string> found = find_programs(name);
    return found.empty() ? missing(task, name) : Expected<std::string>(found.front());
}

Expected<std::vector<std::string>> command_line(const Task& task, const fs::path& candidate) {
    const std::vector<std::string>& command = task.external->command;
    std::vector<std::string> argv;
    ATOLL_TRY_ASSIGN(const std::string program, find_program(task, command.at(0)));
    argv.push_back(program);
    for (std::size_t i = 1; i < command.size(); ++i) {
        if (command[i].starts_with(k_shipped_prefix)) {
            ATOLL_TRY_ASSIGN(const fs::path shipped, find_shipped(command[i]));
            argv.push_back(shipped.string());
            continue;
        }
        std::error_code code;
        const fs::path path = task.folder / command[i];
        const bool exists = !command[i].empty() && fs::exists(path, code);
        if (!exists && command[i][0] != '-' && is_script(command[i])) {
            return missing(task, command[i]);
        }
        argv.push_back(exists ? path.lexically_normal().string() : command[i]);
    }
    argv.push_back(candidate.string());
    return argv;
}

void fail(Verdict& verdict, Outcome outcome, std::string reason, const JudgeRun& run) {
    verdict.outcome = outcome;
    verdict.reason = std::move(reason);
    verdict.feedback = cut_text(run.error_tail, k_max_feedback_bytes);
}

void interpret(const Task& task, const JudgeRun& run, Verdict& verdict) {
    using End = JudgeRun::End;
    if (run.end == End::timeout) {
        return fail(
            verdict, Outcome::timeout,
            "the judge was stopped after " + std::to_string(task.external->timeout_s) + " seconds",
            run);
    }
    if (run.end == End::too_much_output) {
        return fail(
            verdict, Outcome::evaluator_failed,
            "the judge wrote more than " + std::to_string(task.external->output_bytes) + " bytes",
            run);
    }
    if (run.end == End::killed || run.status != 0) {
        return fail(verdict, Outcome::evaluator_failed,
                    run.end == End::killed
                        ? "the judge was killed by signal " + std::to_string(run.status)
                        : "the judge ended with exit status " + std::to_string(run.status),
                    run);
    }
    if (const Status answer = read_judge_answer(run.output, verdict); !answer) {
        verdict.artefacts.clear();
        verdict.measure.reset();
        fail(verdict, Outcome::evaluator_failed, cut_text(answer.error().message(), 1000), run);
    }
}

Expected<JudgeRun> run_once(const Task& task, const Candidate& candidate,
                            const std::stop_token& cancel) {
    ATOLL_TRY_ASSIGN(const PrivateFolder folder, PrivateFolder::make("atoll-judge-"));
    const fs::path name = task.external->candidate_file;
    const fs::path copy = folder.path() / (candidate.files.empty() ? name : name.stem());
    ATOLL_TRY(write_candidate(copy, candidate));
    JudgeCommand command;
    ATOLL_TRY_ASSIGN(command.argv, command_line(task, copy));
    command.environment = judge_environment(task, folder.path());
    command.folder = folder.path();
    command.timeout_s = task.external->timeout_s;
    command.memory_bytes = task.external->memory_bytes;
    command.output_bytes = task.external->output_bytes;
    command.cancel = cancel;
    return run_judge(command);
}

/// None of our limits ends a judge so: it was the kernel short of memory, a person, or the judge
/// itself. Only the last comes again.
bool killed_from_outside(const JudgeRun& run) {
    return run.end == JudgeRun::End::killed && run.status == SIGKILL;
}

class ExternalKind final : public CandidateKind {
  public:
    std::string name() const override { return "external"; }
    std::string trust() const override { return "external"; }
    std::string fingerprint() const override { return k_external_protocol; }
    bool needs_device() const override { return false; }

    std::string contract(const Task& task) const override {
        return "One file, " +
               (task.external ? task.external->candidate_file : std::string("candidate")) +
               ", judged by a program of the task's.\n" + task.description + "\n";
    }

    std::string standalone_source(const Candidate& candidate) const override {
        return apply_tune_to_text(candidate.source, candidate.tune);
    }

    std::optional<std::string> lint(const Task& task, const Candidate& candidate) const override {
        if (!task.external) {
            return "task '" + task.name + "' has no judge: its kind is " + task.kind;
        }
        return lint_common(task, candidate);
    }

    Expected<Prepared> prepare(const EvaluationRequest& request, Verdict verdict,
                               const EvaluationLimits&, CompileService&,
                               std::stop_token cancel) const override {
        Prepared prepared;
        ATOLL_TRY_ASSIGN(prepared.verdict, judge_external(*request.task, request.candidate,
                                                          std::move(verdict), std::move(cancel)));
        prepared.ended = true;
        return prepared;
    }

    Expected<Verdict> execute(const EvaluationRequest&, Prepared prepared,
                              DeviceLane&) const override {
        return std::move(prepared.verdict);
    }
};

}  // namespace

Status find_judge(const Task& task) {
    ATOLL_TRY(command_line(task, {}));
    return {};
}

Expected<Verdict> judge_external(const Task& task, const Candidate& candidate, Verdict verdict,
                                 std::stop_token cancel) {
    verdict.kind = "external";
    verdict.trust = "external";
    ATOLL_TRY_ASSIGN(JudgeRun run, run_once(task, candidate, cancel));
    if (killed_from_outside(run)) {
        ATOLL_TRY_ASSIGN(run, run_once(task, candidate, cancel));
    }
    if (run.end == JudgeRun::End::cancelled) {
        return failure(ErrorCode::interrupted, "nobody waits for the verdict any more", "judge");
    }
    interpret(task, run, verdict);
    verdict.stage = verdict.measure ? Stage::measure : Stage::verify;
    verdict.stage_times.push_back({verdict.stage, run.seconds});
    return verdict;
}

std::shared_ptr<const CandidateKind> make_external_kind() {
    return std::make_shared<ExternalKind>();
}

}  // namespace atl
