// Inputs whose structure is one of a few.

#include "tests/gpu/trust/trust_fixture.hpp"

namespace atl {
namespace {

TEST(SparseStructure, WhatWasLearntInOneLaunchIsOfNoUseToTheOthers) {
    const testing::ListedCandidate file = testing::load_candidate(
        testing::k_adversarial_folder / "cuda" / "sparse" / "remember_the_structure.cu");
    EvaluationRequest request = testing::request_for(file);
    request.task = value_or_throw(
        load_task(testing::k_adversarial_folder / "../../experiments/tasks/spmv_csr", "cuda"));
    const EvaluationResult result =
        evaluate_and_wait(*testing::GpuJudge::get().evaluator, std::move(request));
    ASSERT_TRUE(result) << result.error().error.message();
    ASSERT_EQ(result->outcome, Outcome::passed) << result->reason;
    ASSERT_TRUE(result->measure);
    for (const WorkloadTiming& timing : result->measure->workloads) {
        std::printf("           %s: %.2f us, %zu samples\n", timing.workload.c_str(),
                    timing.median_ns / 1e3, timing.samples_ns.size());
        EXPECT_GE(timing.median_ns, 1000 * file.at_least_us) << timing.workload;
    }
}

}  // namespace
}  // namespace atl
