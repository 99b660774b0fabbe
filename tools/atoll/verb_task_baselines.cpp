#include "population/lineage/text_layout.hpp"
#include "reward/task.hpp"
#include "search/stop_signal.hpp"
#include "tools/atoll/baseline_table.hpp"
#include "tools/atoll/evaluator_options.hpp"
#include "tools/atoll/exit_codes.hpp"
#include "tools/atoll/output.hpp"
#include "tools/atoll/reference_candidate.hpp"
#include "tools/atoll/torch_baselines.hpp"
#include "tools/atoll/verbs.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <memory>
#include <thread>

namespace atl {

namespace {

constexpr const char* k_footer = R"(Examples:
  atoll task baselines softmax                  starters, reference.cu and, where there is one, PyTorch
  atoll task baselines softmax matmul --json    an array on standard output
  atoll task baselines matmul --python ~/torch/bin/python3

Starters and reference.cu are evaluated as candidates are (protocol cuda-cold-v2); the reference's time has
the rounding of its double outputs in it. Then baselines/torch.py of the task is run, eager and
compiled, by tools/python/torch_baselines.py, which says how it times. Its answers on small workloads are
compared with reference.cpp, those on timed ones with its own in double. What is missing (PyTorch, a
compiler, baselines/torch.py) is left out, and the table says why. Without --json each row is printed when
it is there, and a table for each task at the end, beside the fastest starter.

Exit status: 0 measured, 1 a starter failed, 2 usage, 3 a fault of this machine's set-up, 130 interrupted.)";

constexpr std::chrono::milliseconds k_signal_interval{50};
/// Of one program. A reference may be slow; what takes longer is left out.
constexpr std::chrono::seconds k_deadline{120};

struct Arguments {
    std::vector<std::string> tasks;
    std::string python = "python3";
    bool json = false;
    LocalEvaluatorOptions evaluator;
};

struct Program {
    std::string what;
    std::string source;
};

/// Starters, then the reference where it can be made a candidate.
std::vector<Program> programs_of(const Task& task) {
    std::vector<Program> programs;
    for (const Starter& starter : task.starters) {
        programs.push_back({k_starter_words + starter.name, starter.source});
    }
    if (auto reference = reference_candidate(task)) {
        programs.push_back({"reference.cu", std::move(*reference)});
    }
    return programs;
}

void print_rows(const Arguments& arguments, const std::string& task,
                const std::vector<BaselineRow>& rows) {
    for (const BaselineRow& row : rows) {
        if (!arguments.json) {
            print(baseline_line(task, row));
        }
    }
}

std::vector<BaselineRow> measured_rows(Evaluator& evaluator, const TaskPtr& task,
                                       const Arguments& arguments, const StopSignal& stop,
                                       bool& all_passed) {
    std::vector<BaselineRow> rows;
    for (const Program& program : programs_of(*task)) {
        EvaluationRequest request;
        request.task = task;
        request.candidate.kind = task->kind;
        request.candidate.source = program.source;
        request.deadline = k_deadline;
        request.use_cache = false;
        const EvaluationResult result = evaluate_and_wait(evaluator, std::move(request));
        if (stop.requested()) {
            throw CommandError(k_exit_interrupted, "interrupted");
        }
        const bool passed = result && is_correct(result->outcome);
        all_passed = all_passed && (passed || !program.what.starts_with(k_starter_words));
        std::vector<BaselineRow> own = rows_of(program.what, result);
        print_rows(arguments, task->name, own);
        rows.insert(rows.end(), own.begin(), own.end());
    }
    return rows;
}

/// Ends the helper when the user asks to stop.
TorchReport torch_report(const std::vector<TaskPtr>& tasks, const Arguments& arguments,
                         const StopSignal& stop) {
    std::stop_source cancel;
    const std::jthread watch([&](const std::stop_token& done) {
        while (!done.stop_requested() && !stop.requested()) {
            std::this_thread::sleep_for(k_signal_interval);
        }
        cancel.request_stop();
    });
    TorchOptions options;
    options.python = arguments.python;
    options.gpu = arguments.evaluator.gpus.empty() ? 0 : arguments.evaluator.gpus.front();
    options.cancel = cancel.get_token();
    options.oracle_for = [&](const Task& task) {
        return load_native_oracle(task, arguments.evaluator.required_sandbox);
    };
    options.on_task = [&](const TorchReport& report, const std::string& task) {
        print_rows(arguments, task, rows_of(report, task));
    };
    TorchReport report = value_or_end(run_torch_baselines(tasks, options));
    if (stop.requested()) {
        throw CommandError(k_exit_interrupted, "interrupted");
    }
    return report;
}

void print_tables(const Arguments& arguments, const std::vector<TaskPtr>& tasks,
                  std::vector<std::vector<BaselineRow>> rows, const TorchReport& torch,
                  const std::string& description) {
    nlohmann::json array = nlohmann::json::array();
    if (!arguments.json && !torch.program.torch.empty()) {
        print("\nPyTorch " + one_line(torch.program.torch) + "\n");
    }
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        const std::vector<BaselineRow> own = rows_of(torch, tasks[i]->name);
        rows[i].insert(rows[i].end(), own.begin(), own.end());
        if (arguments.json) {
            array.push_back({{"task", tasks[i]->name},
                             {"device", description},
                             {"torch", torch.program.torch},
                             {"rows", baseline_json(rows[i])}});
        } else {
            print("\n" + tasks[i]->name + "\n" + baseline_table(rows[i]));
        }
    }
    if (arguments.json) {
        print(array.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
    }
}

int run(const Arguments& arguments) {
    std::vector<TaskPtr> tasks;
    for (const std::string& name : arguments.tasks) {
        tasks.push_back(value_or_end(load_task(value_or_end(find_task(name)), "cuda")));
    }
    StopSignal stop;
    const SignalWatch watch(stop);
    bool all_passed = true;
    std::vector<std::vector<BaselineRow>> rows;
    std::string description;
    {
        const std::unique_ptr<Evaluator> evaluator =
            make_evaluator_or_throw(options_for(*tasks.front(), arguments.evaluator));
        description = evaluator->description();
        if (!arguments.json) {
            print(printable(description) + "\n\n");
        }
        for (const TaskPtr& task : tasks) {
            rows.push_back(measured_rows(*evaluator, task, arguments, stop, all_passed));
        }
    }  // its processes leave the device to PyTorch
    const TorchReport torch = torch_report(tasks, arguments, stop);
    print_tables(arguments, tasks, std::move(rows), torch, description);
    return all_passed ? k_exit_ok : k_exit_failed;
}

}  // namespace

void add_task_baselines_verb(CLI::App& task_verb, VerbContext& context) {
    const auto arguments = std::make_shared<Arguments>();
    CLI::App* verb = task_verb.add_subcommand(
        "baselines", "Time starters, reference and PyTorch on a GPU, in one run");
    verb->footer(k_footer);
    verb->add_option("task", arguments->tasks, "Names or folders")->required();
    verb->add_option("--python", arguments->python,
                     "Python with PyTorch: a name in $PATH or a path")
        ->capture_default_str();
    verb->add_flag("--json", arguments->json, "For programs: one object per task");
    verb->add_option("--sandbox", arguments->evaluator.required_sandbox,
                     "Weakest level to compile at: full, restricted or none")
        ->check(CLI::IsMember({"full", "restricted", "none"}))
        ->capture_default_str();
    verb->add_option("--gpu", arguments->evaluator.gpus, "GPU that measures (default: 0)")
        ->check(CLI::Range(0, 1023))
        ->expected(1)
        ->type_name("N");
    verb->callback([arguments, &context] { context.exit_status = run(*arguments); });
}

}  // namespace atl
