// How much an evaluation costs beyond what it must: over distinct candidates of each task, one at a
// time, the wall time from submit to verdict divided by the compiler's time plus the time inside
// timed launches. The parts are printed as shares of the same wall time, all from one run; the last
// row is over the evaluations of all tasks.

#include "reward/base/rng.hpp"
#include "reward/evaluator.hpp"
#include "reward/source_text.hpp"
#include "reward/task.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

namespace {

constexpr double k_target = 1.3;

struct Sample {
    double wall = 0;
    double compiler = 0;       // the compiler's process
    double compile_stage = 0;  // with jail, hand-over and (the first time) the oracle
    double verify = 0;         // smoke and verify stages
    double timed = 0;          // inside timed launches
    double measure_stage = 0;  // screen and measure stages
};

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const std::size_t half = values.size() / 2;
    return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

/// Distinct candidates: the starters with values drawn for their tune macros.
std::vector<atl::Candidate> distinct_candidates(const atl::Task& task, std::size_t count) {
    atl::CounterRng rng(1, atl::RngPurpose::measurement, 0);
    std::vector<atl::Candidate> candidates;
    std::set<atl::Digest> seen;
    for (std::size_t draw = 0; candidates.size() < count && draw < 100 * count; ++draw) {
        atl::Candidate candidate;
        candidate.kind = task.kind;
        candidate.source = task.starters[draw % task.starters.size()].source;
        for (const atl::TuneMacro& macro : atl::tune_macros(candidate.source)) {
            candidate.tune[macro.name] = macro.values[rng.below(macro.values.size())];
        }
        if (seen.insert(atl::candidate_key(candidate)).second) {
            candidates.push_back(std::move(candidate));
        }
    }
    return candidates;
}

Sample sample_of(const atl::Verdict& verdict, double wall) {
    Sample sample;
    sample.wall = wall;
    sample.compiler = verdict.compile ? verdict.compile->seconds : 0;
    sample.timed = verdict.timed_seconds;
    for (const atl::StageTime& time : verdict.stage_times) {
        switch (time.stage) {
            case atl::Stage::lint:
            case atl::Stage::compile:
                sample.compile_stage += time.seconds;
                break;
            case atl::Stage::smoke:
            case atl::Stage::verify:
                sample.verify += time.seconds;
                break;
            default:
                sample.measure_stage += time.seconds;
        }
    }
    return sample;
}

template <class Part>
double median_share(const std::vector<Sample>& samples, Part part) {
    std::vector<double> shares;
    for (const Sample& sample : samples) {
        shares.push_back(100 * part(sample) / sample.wall);
    }
    return median(shares);
}

void print_header() {
    std::printf(
        "| task | candidates | median (lowest to highest); target %.1f | compiler | timed launches "
        "| screen and measure around them | verify | queues, frames and the rest |\n"
        "|---|---|---|---|---|---|---|---|\n",
        k_target);
}

void print_row(const std::string& name, const std::vector<Sample>& samples) {
    std::vector<double> ratios;
    for (const Sample& sample : samples) {
        ratios.push_back(sample.wall / (sample.compiler + sample.timed));
    }
    std::sort(ratios.begin(), ratios.end());
    std::printf("| %s | %zu | %.2f (%.2f to %.2f) ", name.c_str(), samples.size(), median(ratios),
                ratios.front(), ratios.back());
    const auto column = [&](auto part) { std::printf("| %.0f %% ", median_share(samples, part)); };
    column([](const Sample& s) { return s.compiler; });
    column([](const Sample& s) { return s.timed; });
    column([](const Sample& s) { return s.measure_stage - s.timed; });
    column([](const Sample& s) { return s.verify; });
    column([](const Sample& s) { return s.wall - s.compiler - s.verify - s.measure_stage; });
    std::printf("|\n");
    std::fflush(stdout);
}

/// Of those that passed, but for the first one, which also pays for the task's oracle.
std::vector<Sample> samples_of(atl::Evaluator& evaluator, const atl::TaskPtr& task,
                               std::size_t count) {
    std::vector<Sample> samples;
    for (atl::Candidate& candidate : distinct_candidates(*task, count + 1)) {
        atl::EvaluationRequest request;
        request.task = task;
        request.candidate = std::move(candidate);
        const auto start = std::chrono::steady_clock::now();
        const atl::EvaluationResult result = atl::evaluate_and_wait(evaluator, request);
        const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
        if (!result || result->outcome != atl::Outcome::passed) {
            std::fprintf(stderr, "%s: not counted: %s\n", task->name.c_str(),
                         (result ? result->reason : result.error().error.message()).c_str());
            continue;
        }
        samples.push_back(sample_of(*result, wall.count()));
    }
    if (!samples.empty()) {
        samples.erase(samples.begin());
    }
    return samples;
}

int run(const std::vector<std::string>& names, std::size_t count) {
    auto evaluator = atl::make_local_evaluator({});
    if (!evaluator) {
        std::fprintf(stderr, "%s\n", evaluator.error().message().c_str());
        return 3;
    }
    std::printf("%s\n\n", (*evaluator)->description().c_str());
    print_header();
    std::vector<Sample> all;
    for (const std::string& name : names) {
        const auto folder = atl::find_task(name);
        const auto task = folder ? atl::load_task(*folder)
                                 : atl::Expected<atl::TaskPtr>(tl::unexpected(folder.error()));
        if (!task) {
            std::fprintf(stderr, "%s\n", task.error().message().c_str());
            return 2;
        }
        const std::vector<Sample> samples = samples_of(**evaluator, *task, count);
        if (samples.empty()) {
            std::fprintf(stderr, "%s: no candidate passed\n", name.c_str());
            return 1;
        }
        print_row(name, samples);
        all.insert(all.end(), samples.begin(), samples.end());
    }
    if (names.size() > 1) {
        print_row("all", all);
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const long count = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 30;
    std::vector<std::string> tasks(argv + std::min(argc, 2), argv + argc);
    if (count < 2 || count > 10000) {
        std::fprintf(stderr, "usage: bench_evaluation [CANDIDATES [TASK...]]   (30 matmul)\n");
        return 2;
    }
    return run(tasks.empty() ? std::vector<std::string>{"matmul"} : tasks,
               static_cast<std::size_t>(count));
}
