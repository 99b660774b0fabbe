// How much an evaluation costs beyond what it must: over distinct candidates of a task, one at a
// time, the wall time from submit to verdict divided by the compiler's time plus the time inside
// timed launches. The parts are printed as shares of the same wall time, all from one run.

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
void print_share(const char* name, const std::vector<Sample>& samples, Part part) {
    std::vector<double> shares;
    for (const Sample& sample : samples) {
        shares.push_back(part(sample) / sample.wall);
    }
    std::printf("  %-44s %6.1f %%\n", name, 100 * median(shares));
}

void print_result(const std::vector<Sample>& samples) {
    std::vector<double> ratios;
    for (const Sample& sample : samples) {
        ratios.push_back(sample.wall / (sample.compiler + sample.timed));
    }
    std::sort(ratios.begin(), ratios.end());
    std::printf("submit -> verdict / (compiler + timed launches), %zu candidates\n",
                samples.size());
    std::printf("  median %.3f (target %.1f), lowest %.3f, highest %.3f\n", median(ratios),
                k_target, ratios.front(), ratios.back());
    std::printf("median share of the wall time\n");
    print_share("compiler", samples, [](const Sample& s) { return s.compiler; });
    print_share("compile stage around the compiler", samples,
                [](const Sample& s) { return s.compile_stage - s.compiler; });
    print_share("smoke and verify stages", samples, [](const Sample& s) { return s.verify; });
    print_share("timed launches", samples, [](const Sample& s) { return s.timed; });
    print_share("screen and measure stages around them", samples,
                [](const Sample& s) { return s.measure_stage - s.timed; });
    print_share("queues, frames and the rest", samples, [](const Sample& s) {
        return s.wall - s.compile_stage - s.verify - s.measure_stage;
    });
}

int run(const std::string& name, std::size_t count) {
    const auto folder = atl::find_task(name);
    const auto task = folder ? atl::load_task(*folder)
                             : atl::Expected<atl::TaskPtr>(tl::unexpected(folder.error()));
    auto evaluator = atl::make_local_evaluator({});
    if (!task || !evaluator) {
        std::fprintf(stderr, "%s\n", (task ? evaluator.error() : task.error()).message().c_str());
        return 3;
    }
    std::printf("%s, %s\n", name.c_str(), (*evaluator)->description().c_str());
    std::vector<Sample> samples;
    std::size_t failed = 0;
    for (atl::Candidate& candidate : distinct_candidates(**task, count + 1)) {
        atl::EvaluationRequest request;
        request.task = *task;
        request.candidate = std::move(candidate);
        const auto start = std::chrono::steady_clock::now();
        const atl::EvaluationResult result = atl::evaluate_and_wait(**evaluator, request);
        const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
        if (!result || result->outcome != atl::Outcome::passed) {
            ++failed;
            std::fprintf(stderr, "not counted: %s\n",
                         (result ? result->reason : result.error().error.message()).c_str());
            continue;
        }
        samples.push_back(sample_of(*result, wall.count()));
    }
    // The first one also paid for the task's oracle and the start of the processes.
    if (samples.size() < 2) {
        std::fprintf(stderr, "no candidate passed\n");
        return 1;
    }
    samples.erase(samples.begin());
    print_result(samples);
    if (failed > 0) {
        std::printf("%zu candidates did not pass and are not counted\n", failed);
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string task = argc > 1 ? argv[1] : "matmul";
    const long count = argc > 2 ? std::strtol(argv[2], nullptr, 10) : 30;
    if (argc > 3 || count < 2 || count > 10000 || task.rfind("-", 0) == 0) {
        std::fprintf(stderr, "usage: bench_evaluation [TASK [CANDIDATES]]   (matmul, 30)\n");
        return 2;
    }
    return run(task, static_cast<std::size_t>(count));
}
