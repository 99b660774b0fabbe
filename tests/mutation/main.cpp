/// How strong is the verification of the shipped tasks? Injects faults into their starters, lets
/// the real evaluator judge them, and asks those that pass on other inputs whether they differ.
/// Also evaluates what is right, which must never be rejected. Prints a report as Markdown.
/// Status 0: at least 98 % of the wrong mutants were killed, and nothing honest was rejected.
///
///     mutation_strength [--per-class N=3] [TASK...]     (default: all tasks on the CPU)

#include "reward/cpu_layout.hpp"
#include "tests/adversarial/candidate_file.hpp"
#include "tests/mutation/report.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <atomic>
#include <chrono>
#include <future>
#include <iostream>

namespace {

using namespace atl;
using namespace atl::mutation;

constexpr double k_target = 0.98;

struct Arguments {
    std::size_t per_class = 3;
    std::vector<std::string> tasks;
};

Arguments parse(int count, char** texts) {
    Arguments arguments;
    for (int i = 1; i < count; ++i) {
        if (std::string(texts[i]) == "--per-class" && i + 1 < count) {
            arguments.per_class = std::stoul(texts[++i]);
        } else {
            arguments.tasks.emplace_back(texts[i]);
        }
    }
    if (arguments.tasks.empty()) {
        for (const std::filesystem::path& folder : list_tasks()) {
            arguments.tasks.push_back(folder.string());
        }
    }
    return arguments;
}

/// The honest kernels of the adversarial suite, on its small task.
TaskStrength judge_unusual_kernels(Judge& judge) {
    TaskStrength strength;
    strength.task = "unusual kernels";
    const TaskPtr task = value_or_throw(load_task(testing::k_adversarial_folder / "task"));
    const std::vector<testing::ListedCandidate> files = testing::load_candidates("honest");
    std::vector<Candidate> candidates(files.size());
    for (std::size_t i = 0; i < files.size(); ++i) {
        candidates[i].source = files[i].source;
    }
    const std::vector<EvaluationResult> results = judge.judge(task, candidates, Level::verify);
    for (std::size_t i = 0; i < files.size(); ++i) {
        count_honest(files[i].name, results[i], strength);
    }
    return strength;
}

using Clock = std::chrono::steady_clock;

std::string progress_of(const TaskStrength& strength, Clock::time_point begin) {
    const Totals totals = totals_of({strength});
    std::string text = fmt::format(
        "{:5.0f} s {}: {} made, {} no programs, {} killed, {} same, {} tolerated, {} survived; {} "
        "honest, {} rejected\n",
        std::chrono::duration<double>(Clock::now() - begin).count(), strength.task, totals.made,
        totals.no_program, totals.killed, totals.same, totals.tolerated, totals.survived,
        strength.honest, strength.rejected.size());
    for (const JudgedMutant& judged : strength.mutants) {
        if (judged.fate == Fate::survived) {
            text += fmt::format("        survived: {}:{} {} -> {}; {}\n", judged.starter,
                                judged.mutant.line, judged.mutant.before, judged.mutant.after,
                                judged.reason);
        }
    }
    for (const std::string& one : strength.rejected) {
        text += "        rejected: " + one + "\n";
    }
    return text;
}

/// Pairs of cores that this process may use: each runs one evaluator, and is on its own.
std::vector<std::vector<int>> pairs_of_cores() {
    const std::vector<int> cores = allowed_cores();
    std::vector<std::vector<int>> pairs;
    for (std::size_t i = 0; i + 1 < cores.size(); i += 2) {
        pairs.push_back({cores[i], cores[i + 1]});
    }
    return pairs.empty() ? std::vector<std::vector<int>>{cores} : pairs;
}

/// What this thread starts from now on stays on these cores.
void stay_on(const std::vector<int>& cores) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const int core : cores) {
        CPU_SET(static_cast<std::size_t>(core), &set);
    }
    if (sched_setaffinity(0, sizeof(set), &set) != 0) {
        throw std::runtime_error("sched_setaffinity failed");
    }
}

/// The tasks in turn, by whoever is free; the result of task i is at i, the last one is of the
/// unusual kernels.
class Work {
  public:
    Work(std::vector<TaskPtr> tasks, std::size_t per_class)
        : m_tasks(std::move(tasks)), m_per_class(per_class), m_strengths(m_tasks.size() + 1) {}

    /// Returns what the evaluator says of itself.
    std::string serve(const std::vector<int>& cores) {
        stay_on(cores);
        Judge judge;
        for (std::size_t i = m_next++; i < m_strengths.size(); i = m_next++) {
            m_strengths[i] =
                i < m_tasks.size() ? strength_of(judge, m_tasks[i]) : judge_unusual_kernels(judge);
            std::cerr << progress_of(m_strengths[i], m_begin);
        }
        return judge.description();
    }
    [[nodiscard]] const std::vector<TaskStrength>& strengths() const { return m_strengths; }
    [[nodiscard]] double seconds() const {
        return std::chrono::duration<double>(Clock::now() - m_begin).count();
    }

  private:
    [[nodiscard]] TaskStrength strength_of(Judge& judge, const TaskPtr& task) const {
        TaskStrength strength;
        strength.task = task->name;
        judge_mutants(judge, task, m_per_class, strength);
        judge_honest(judge, task, strength);
        return strength;
    }

    const std::vector<TaskPtr> m_tasks;
    const std::size_t m_per_class;
    const Clock::time_point m_begin = Clock::now();
    std::atomic<std::size_t> m_next = 0;
    std::vector<TaskStrength> m_strengths;
};

int run(const Arguments& arguments) {
    std::vector<TaskPtr> tasks;
    for (const std::string& name : arguments.tasks) {
        const TaskPtr task = value_or_throw(load_task(value_or_throw(find_task(name))));
        if (task->kind == "cpu_cpp") {  // mutants are of C++ sources
            tasks.push_back(task);
        }
    }
    Work work(std::move(tasks), arguments.per_class);
    const std::vector<std::vector<int>> pairs = pairs_of_cores();
    std::vector<std::future<std::string>> servers;
    for (const std::vector<int>& cores : pairs) {
        servers.push_back(std::async(std::launch::async, &Work::serve, &work, cores));
    }
    std::string description;
    for (std::future<std::string>& server : servers) {
        description = server.get();
    }
    std::cout << fmt::format("{}; {} evaluator(s), {:.0f} s.\n\n", description, pairs.size(),
                             work.seconds())
              << report_of(work.strengths());
    const Totals totals = totals_of(work.strengths());
    const bool rejected =
        std::any_of(work.strengths().begin(), work.strengths().end(),
                    [](const TaskStrength& one) { return !one.rejected.empty(); });
    return totals.kill_rate() >= k_target && totals.unjudged == 0 && !rejected ? 0 : 1;
}

}  // namespace

int main(int count, char** texts) {
    try {
        return run(parse(count, texts));
    } catch (const std::exception& error) {
        std::cerr << "mutation_strength: " << error.what() << "\n";
        return 2;
    }
}
