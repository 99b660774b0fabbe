#include "population/lineage/text_layout.hpp"
#include "reward/base/settings.hpp"
#include "reward/candidate_files.hpp"
#include "reward/gpu/protocols.hpp"
#include "reward/gpu/sanitizer.hpp"
#include "reward/source_text.hpp"
#include "reward/task.hpp"
#include "search/stop_signal.hpp"
#include "tools/atoll/evaluator_options.hpp"
#include "tools/atoll/exit_codes.hpp"
#include "tools/atoll/output.hpp"
#include "tools/atoll/sanitize_candidates.hpp"
#include "tools/atoll/usage_error.hpp"
#include "tools/atoll/verbs.hpp"
#include "tools/atoll/verdict_report.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace atl {

namespace {

constexpr std::chrono::milliseconds k_signal_interval{50};

constexpr const char* k_footer = R"(Examples:
  atoll eval matmul my_matmul.cpp                      compile, verify and time one file
  atoll eval softmax a.cpp b.cpp c.cpp --json          a batch; an array on standard output
  atoll eval matmul my.cpp --tune TILE=64 --flag=-ffast-math
  atoll eval matmul my.cpp --level confirm             hidden workloads, beside starter and baselines
  atoll eval matmul a.cpp --level confirm --rival b.cpp    a beside b as well, launch by launch
  atoll eval matmul my.cpp --level verify              right or wrong only
  atoll eval matmul my.cu                              the same on a GPU
  atoll eval matmul my.cu --profile                    and its bottleneck, by the GPU's counters
  atoll eval matmul my.cu --level verify --sanitize    what compute-sanitizer says of its kernels
  atoll eval matmul my.ptx                             PTX, or a .cubin.json, with a plan of its launches

Exit status: 0 all passed, 1 a candidate failed, 2 usage or a task that is at fault itself, 3 a
fault of this machine's set-up, 130 interrupted.)";

/// Each has a process and a set of buffers of its own.
constexpr std::size_t k_most_rivals = 16;

/// Unless the limits let the evaluation, and those ahead of it, take longer.
constexpr std::chrono::seconds k_deadline{300};

struct Arguments {
    std::string task;
    std::string kind;
    std::vector<std::string> files;
    std::string level = "measure";
    std::vector<std::string> tune;
    std::vector<std::string> flags;
    std::vector<std::string> rivals;
    std::optional<int> deadline_s;
    bool json = false;
    bool profile = false;
    bool sanitize = false;
    std::vector<std::string> sanitize_tools = {"memcheck", "racecheck"};
    LocalEvaluatorOptions evaluator;
};

/// Waits for a known number of answers and shows how many have come.
class Answers {
  public:
    Answers(std::size_t count, bool show, const StopSignal& stop)
        : m_results(count), m_show(show), m_stop(stop) {}

    void put(std::size_t index, EvaluationResult result) {
        const std::lock_guard lock(m_mutex);
        m_results[index] = std::move(result);
        ++m_done;
        if (m_show) {
            std::fprintf(stderr, "\r%zu of %zu evaluated", m_done, m_results.size());
            std::fflush(stderr);
        }
        m_changed.notify_all();
    }

    /// Throws CommandError when the user asked to stop.
    std::vector<std::optional<EvaluationResult>> wait() {
        std::unique_lock lock(m_mutex);
        while (!m_changed.wait_for(lock, k_signal_interval,
                                   [&] { return m_done == m_results.size(); })) {
            if (m_stop.requested()) {
                clear_line();
                throw CommandError(k_exit_interrupted, "interrupted");
            }
        }
        clear_line();
        return std::move(m_results);
    }

  private:
    void clear_line() const {
        if (m_show) {
            std::fputs("\r\033[K", stderr);
        }
    }

    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::vector<std::optional<EvaluationResult>> m_results;
    std::size_t m_done = 0;
    const bool m_show;
    const StopSignal& m_stop;
};

Level level_of(const std::string& name) {
    return name == "verify" ? Level::verify : name == "confirm" ? Level::confirm : Level::measure;
}

std::map<std::string, std::string> tune_values(const std::vector<std::string>& words) {
    std::map<std::string, std::string> tune;
    for (const std::string& word : words) {
        const std::size_t equals = word.find('=');
        if (equals == std::string::npos || equals == 0) {
            throw CommandError(k_exit_usage, "--tune " + word + ": must be NAME=VALUE");
        }
        tune[word.substr(0, equals)] = word.substr(equals + 1);
    }
    return tune;
}

/// A misspelt macro would be ignored by the compiler without a word.
void warn_about_unknown_macros(const std::string& file, const Candidate& candidate) {
    std::vector<std::string> known;
    const auto add = [&](const std::string& text) {
        for (const TuneMacro& macro : tune_macros(text)) {
            known.push_back(macro.name);
        }
    };
    add(candidate.source);
    for (const CandidateFile& part : candidate.files) {
        add(part.content);
    }
    for (const auto& [name, value] : candidate.tune) {
        if (std::find(known.begin(), known.end(), name) == known.end()) {
            const std::string nearest = nearest_word(name, known);
            complain(file + " has no '// tune:' macro " + name +
                     (nearest.empty() ? "" : " (did you mean " + nearest + "?)"));
        }
    }
}

std::vector<Candidate> read_candidates(const Arguments& arguments, const Task& task) {
    std::vector<Candidate> candidates;
    for (const std::string& file : arguments.files) {
        Candidate candidate;
        candidate.kind = task.kind;
        value_or_end(read_candidate(file, candidate));
        candidate.tune = tune_values(arguments.tune);
        candidate.flags = arguments.flags;
        std::sort(candidate.flags.begin(), candidate.flags.end());
        candidate.flags.erase(std::unique(candidate.flags.begin(), candidate.flags.end()),
                              candidate.flags.end());
        warn_about_unknown_macros(file, candidate);
        candidates.push_back(std::move(candidate));
    }
    return candidates;
}

std::optional<Candidate> default_starter(const Task& task) {
    if (task.starters.empty()) {
        return std::nullopt;
    }
    Candidate candidate;
    candidate.kind = source_kind(task.kind);
    candidate.source = task.starters.front().source;
    return candidate;
}

/// The starter, the task's baselines, and the files of --rival under their own names.
std::vector<Rival> rivals_of(const Arguments& arguments, const Task& task) {
    if (level_of(arguments.level) != Level::confirm || task.external) {
        if (!arguments.rivals.empty()) {
            throw CommandError(k_exit_usage,
                               "--rival needs --level confirm, and a task whose launches are timed "
                               "here: only there are programs measured side by side");
        }
        return {};
    }
    std::vector<Rival> rivals;
    if (const std::optional<Candidate> starter = default_starter(task)) {
        rivals.push_back({k_starter_rival, *starter, {}});
    }
    for (const Baseline& baseline : task.baselines) {
        Candidate candidate;
        candidate.kind = source_kind(task.kind);
        candidate.source = baseline.source;
        rivals.push_back({baseline.name, std::move(candidate), baseline.libraries});
    }
    if (arguments.rivals.size() > k_most_rivals) {
        throw CommandError(k_exit_usage, fmt::format("--rival: {} files, {} is the most",
                                                     arguments.rivals.size(), k_most_rivals));
    }
    for (const std::string& file : arguments.rivals) {
        Rival rival;
        rival.name = printable(file);
        rival.candidate.kind = task.kind;
        value_or_end(read_candidate(file, rival.candidate));
        const auto same = [&](const Rival& other) { return other.name == rival.name; };
        if (std::any_of(rivals.begin(), rivals.end(), same)) {
            throw CommandError(
                k_exit_usage, "--rival " + rival.name + ": named twice, or as a rival of the task");
        }
        rivals.push_back(std::move(rival));
    }
    return rivals;
}

/// `ahead`: files handed over before, which are evaluated first.
EvaluationRequest request_for(const Arguments& arguments, const TaskPtr& task,
                              const std::vector<Rival>& rivals, Candidate candidate,
                              const Evaluator& evaluator, std::size_t ahead) {
    EvaluationRequest request;
    request.task = task;
    request.candidate = std::move(candidate);
    request.level = level_of(arguments.level);
    request.rivals = rivals;
    request.profile = arguments.profile;
    request.deadline = arguments.deadline_s
                           ? std::chrono::seconds(*arguments.deadline_s)
                           : deadline_for(request, arguments.evaluator.limits, k_deadline, ahead,
                                          task_needs_device(*task) ? arguments.evaluator.devices
                                                                   : evaluator.parallelism());
    return request;
}

/// What the speed-up is measured against: the starter beside the candidate in the same run
/// (confirm), else the starter's own verdict.
BaselineTimes baseline_for(const EvaluationResult& result,
                           const std::optional<EvaluationResult>& starter) {
    if (result && result->measure) {
        const auto rival = result->measure->rivals.find(k_starter_rival);
        if (rival != result->measure->rivals.end()) {
            Verdict verdict;
            verdict.measure = MeasureReport{"", rival->second, {}};
            return baseline_times(verdict);
        }
    }
    return starter && *starter ? baseline_times(**starter) : BaselineTimes();
}

int exit_status_of(const std::vector<EvaluatedFile>& evaluated) {
    int status = k_exit_ok;
    for (const EvaluatedFile& one : evaluated) {
        if (!one.result) {
            return is_fault_of_task(one.result.error().error) ? k_exit_usage
                                                              : k_exit_infrastructure;
        }
        status = is_correct(one.result->outcome) ? status : k_exit_failed;
    }
    return status;
}

void print_reports(const Arguments& arguments, const Task& task,
                   const std::vector<EvaluatedFile>& evaluated,
                   const std::optional<EvaluationResult>& starter) {
    nlohmann::json array = nlohmann::json::array();
    for (const EvaluatedFile& one : evaluated) {
        const BaselineTimes baseline = baseline_for(one.result, starter);
        if (arguments.json) {
            array.push_back(report_json(one, baseline));
        } else {
            print(report_text(one, task, baseline) +
                  (arguments.profile && one.result ? metrics_text(*one.result) : "") + "\n");
        }
    }
    if (arguments.json) {
        // A file's name may be any bytes.
        print(array.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
    }
}

std::unique_ptr<Evaluator> evaluator_for(const Arguments& arguments, const Task& task) {
    return make_evaluator_or_throw(options_for(task, arguments.evaluator));
}

/// The kind that the names of all files and rivals agree on; empty when they say nothing.
std::string kind_of_files(const Arguments& arguments) {
    std::string kind;
    std::string first;
    for (const std::vector<std::string>* files : {&arguments.files, &arguments.rivals}) {
        for (const std::string& file : *files) {
            const std::string own = kind_of_file(file);
            if (!own.empty() && !kind.empty() && own != kind) {
                throw CommandError(k_exit_usage, first + " is " + kind + ", " + file + " is " +
                                                     own +
                                                     ": evaluate them one after the other, or say "
                                                     "with --kind what all of them are");
            }
            first = kind.empty() ? file : first;
            kind = own.empty() ? kind : own;
        }
    }
    return kind;
}

/// Of the kind that was asked for, else of that of the files. Those of a task that has its own
/// judge may have any names.
TaskPtr task_for(const Arguments& arguments) {
    const std::filesystem::path folder = value_or_end(find_task(arguments.task));
    TaskPtr task = value_or_end(load_task(folder, arguments.kind));
    if (!arguments.kind.empty() || task->external) {
        return task;
    }
    return value_or_end(load_task(folder, kind_of_files(arguments)));
}

std::string protocol_help() {
    std::string text = "How CUDA candidates are timed with --level measure:";
    for (const GpuProtocol& protocol : gpu_protocols()) {
        text += fmt::format("\n{} ({})", protocol.name, protocol.meaning);
    }
    return text;
}

/// A protocol that would not be followed must not be named.
void check_protocol(const Arguments& arguments, const Task& task) {
    if (arguments.evaluator.limits.protocol.empty()) {
        return;
    }
    if (!is_gpu_kind(task.kind) || level_of(arguments.level) != Level::measure) {
        throw CommandError(k_exit_usage,
                           "--protocol is for kernels on a GPU with --level measure: others have "
                           "one way to be timed, and a confirmation takes the default one");
    }
}

/// Only GPUs have counters that are read, and only launches that are timed are counted.
void check_profile(const Arguments& arguments, const Task& task) {
    if (arguments.profile &&
        (!is_gpu_kind(task.kind) || level_of(arguments.level) == Level::verify)) {
        throw CommandError(k_exit_usage,
                           "--profile is for kernels on a GPU, with --level measure or confirm");
    }
}

int run(const Arguments& arguments) {
    const TaskPtr task = task_for(arguments);
    check_profile(arguments, *task);
    check_protocol(arguments, *task);
    std::vector<Candidate> candidates = read_candidates(arguments, *task);
    const std::vector<Rival> rivals = rivals_of(arguments, *task);
    const std::string sanitizer = arguments.sanitize ? compute_sanitizer_or_throw(*task) : "";
    // The starter's times are wanted where nothing else gives a baseline.
    const std::optional<Candidate> starter =
        level_of(arguments.level) == Level::measure ? default_starter(*task) : std::nullopt;
    const bool show = can_redraw(STDERR_FILENO);
    StopSignal stop;  // so that the evaluator ends in good order and leaves nothing behind
    const SignalWatch watch(stop);
    // Outlives who answers.
    Answers answers(candidates.size() + (starter ? 1 : 0), show, stop);
    std::unique_ptr<Evaluator> evaluator = evaluator_for(arguments, *task);
    if (show) {
        std::fprintf(stderr, "%s\n", printable(evaluator->description()).c_str());
    }
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        evaluator->submit(
            request_for(arguments, task, rivals, candidates[i], *evaluator, i),
            [&answers, i](EvaluationResult result) { answers.put(i, std::move(result)); });
    }
    if (starter) {
        EvaluationRequest request =
            request_for(arguments, task, rivals, *starter, *evaluator, arguments.files.size());
        request.profile = false;
        evaluator->submit(std::move(request),
                          [&answers, last = arguments.files.size()](EvaluationResult result) {
                              answers.put(last, std::move(result));
                          });
    }
    std::vector<std::optional<EvaluationResult>> results = answers.wait();
    std::vector<EvaluatedFile> evaluated;
    for (std::size_t i = 0; i < arguments.files.size(); ++i) {
        evaluated.push_back({arguments.files[i], std::move(*results[i])});
    }
    if (arguments.sanitize) {
        evaluator.reset();  // its processes hold the device's memory
        sanitize_candidates(task, candidates, arguments.evaluator, sanitizer,
                            arguments.sanitize_tools, evaluated);
    }
    print_reports(arguments, *task, evaluated, starter ? std::move(results.back()) : std::nullopt);
    return exit_status_of(evaluated);
}

}  // namespace

void add_eval_verb(CLI::App& app, VerbContext& context) {
    CLI::App* verb = app.add_subcommand("eval", "Evaluate files for a task: compile, verify, time");
    verb->footer(k_footer);
    const auto arguments = std::make_shared<Arguments>();
    verb->add_option("TASK", arguments->task, "Name or folder of a task")->required();
    verb->add_option("FILE", arguments->files,
                     "Candidate sources; folders where the task's own program judges")
        ->required();
    verb->add_option("--kind", arguments->kind,
                     "What the files are: " + launched_kinds_text() +
                         "; unset: by their names (.cu, .ptx, .cubin.json)")
        ->check(refuse_unknown_kind);
    verb->add_flag("--json", arguments->json, "Print one JSON array");
    verb->add_option("--level", arguments->level, "How far to go: verify, measure or confirm")
        ->check(CLI::IsMember({"verify", "measure", "confirm"}))
        ->capture_default_str();
    verb->add_option("--tune", arguments->tune, "Value of a '// tune:' macro (repeatable)")
        ->type_name("NAME=VALUE")
        ->expected(1)
        ->take_all();
    verb->add_option("--flag", arguments->flags,
                     "Compiler flag among the task's allowed flags (repeatable): --flag=-O2")
        ->expected(1)
        ->take_all();
    verb->add_option("--rival", arguments->rivals,
                     "Source to measure beside each FILE, launch by launch, with --level confirm "
                     "(repeatable)")
        ->type_name("FILE")
        ->expected(1)
        ->take_all();
    verb->add_flag("--profile", arguments->profile,
                   "Count what the GPU does on the largest public workload that is timed, and name "
                   "the bottleneck by it (on a GPU; needs CUPTI 13 and permission to read "
                   "counters, else it is told from what is known without them)");
    verb->add_flag(
        "--sanitize", arguments->sanitize,
        "Then run compute-sanitizer on each candidate's launches for public workloads (slow)");
    verb->add_option("--sanitize-tool", arguments->sanitize_tools,
                     "Tool of compute-sanitizer (repeatable): memcheck, racecheck or initcheck "
                     "(default: the first two)")
        ->check(CLI::IsMember(sanitizer_tools()))
        ->needs("--sanitize")
        ->expected(1)
        ->take_all();
    verb->add_option("--deadline", arguments->deadline_s,
                     "Seconds, from the start, after which a file is given up; unset: no sooner "
                     "than its limits, and those of the files before it, let it take")
        ->check(CLI::Range(1, 86400));
    verb->add_option("--protocol", arguments->evaluator.limits.protocol, protocol_help())
        ->check(CLI::IsMember(gpu_protocol_names()))
        ->type_name("NAME");
    add_evaluator_options(*verb, arguments->evaluator);
    verb->callback([arguments, &context] { context.exit_status = run(*arguments); });
}

}  // namespace atl
