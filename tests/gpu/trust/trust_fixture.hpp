#pragma once

#include "reward/cuda/toolkit.hpp"
#include "reward/evaluator.hpp"
#include "reward/verdict_json.hpp"
#include "tests/adversarial/candidate_file.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace atl::testing {

/// The evaluator of this machine's first GPU, one for the whole program. This process never starts
/// the driver itself: one that has started it must not fork, and an evaluator starts processes.
struct GpuJudge {
    TaskPtr task;
    std::unique_ptr<Evaluator> evaluator;
    static constexpr double k_launch_timeout_s = 1;

    static GpuJudge& get() {
        static GpuJudge judge;
        return judge;
    }

    /// Why there is none; empty when there is.
    [[nodiscard]] std::string open() {
        const CudaToolkit toolkit = find_cuda_toolkit();
        if (!toolkit.driver) {
            return "libcuda was not found";
        }
        const Status made = make();
        return made ? "" : made.error().message();
    }

    /// The options of every evaluator here; `protocol` empty: the default one.
    static LocalEvaluatorOptions options(std::string_view protocol = "") {
        const char* sandbox = std::getenv("ATOLL_TEST_SANDBOX");
        LocalEvaluatorOptions options;
        options.kind = "cuda";
        options.required_sandbox = sandbox == nullptr ? "full" : sandbox;
        options.limits.launch_timeout_s = k_launch_timeout_s;
        options.limits.compile_timeout_s = 10;
        options.limits.measure_seconds = 0.05;
        options.limits.protocol = protocol;
        return options;
    }
    static Expected<std::unique_ptr<Evaluator>> make_evaluator(std::string_view protocol = "") {
        return make_local_evaluator(options(protocol));
    }

  private:
    Status make() {
        ATOLL_TRY_ASSIGN(task, load_task(k_adversarial_folder / "task", "cuda"));
        ATOLL_TRY_ASSIGN(evaluator, make_evaluator());
        return {};
    }
};

/// What one candidate got, and when.
struct Judged {
    EvaluationResult result;
    std::chrono::steady_clock::time_point at;
};

inline EvaluationRequest request_for(const ListedCandidate& file) {
    EvaluationRequest request;
    request.task = GpuJudge::get().task;
    request.candidate.kind = "cuda";
    request.candidate.source = file.source;
    request.level = file.level;
    request.deadline = std::chrono::hours(1);
    request.use_cache = false;
    if (file.level == Level::confirm) {
        request.rivals.push_back({"starter", {}, {}});
        request.rivals.back().candidate.kind = "cuda";
        request.rivals.back().candidate.source =
            text_of_file(k_adversarial_folder / "task" / "starters" / "block_per_row.cu");
    }
    return request;
}

inline std::future<Judged> submit(const ListedCandidate& file) {
    auto promise = std::make_shared<std::promise<Judged>>();
    GpuJudge::get().evaluator->submit(request_for(file), [promise](EvaluationResult result) {
        promise->set_value({std::move(result), std::chrono::steady_clock::now()});
    });
    return promise->get_future();
}

}  // namespace atl::testing
