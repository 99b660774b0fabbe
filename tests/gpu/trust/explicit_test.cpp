// PTX and machine code with plans of their own, through the evaluator of a real GPU.

#include "reward/gpu/device_probe.hpp"
#include "tests/adversarial/explicit_candidate.hpp"
#include "tests/gpu/trust/trust_fixture.hpp"

#include <cstdio>

namespace atl {
namespace {

using testing::ExplicitCandidate;

std::string test_name(const ::testing::TestParamInfo<ExplicitCandidate>& info) {
    return info.param.file.name;
}

class Explicit : public ::testing::TestWithParam<ExplicitCandidate> {};

TEST_P(Explicit, GetsItsVerdict) {
    const CudaToolkit toolkit = find_cuda_toolkit();
    const DeviceLimits device = value_or_throw(probe_gpu(toolkit.driver->path, 0));
    EvaluationRequest request;
    request.task = value_or_throw(load_task(testing::k_adversarial_folder / "task", "ptx"));
    request.candidate.kind = GetParam().cubin ? "cubin" : "ptx";
    request.candidate.source = testing::explicit_source(
        GetParam(), value_or_throw(NvrtcLibrary::open(toolkit.nvrtc->path)), device.arch);
    request.level = GetParam().file.level;
    request.deadline = std::chrono::hours(1);
    request.use_cache = false;
    const EvaluationResult result =
        evaluate_and_wait(*testing::GpuJudge::get().evaluator, std::move(request));
    ASSERT_TRUE(result) << result.error().error.message();
    const std::string outcome(to_string(result->outcome));
    std::printf("           %s: %.150s\n", outcome.c_str(), result->reason.c_str());
    EXPECT_TRUE(GetParam().file.expected.contains(result->outcome)) << result->reason;
}
INSTANTIATE_TEST_SUITE_P(Gpu, Explicit, ::testing::ValuesIn(testing::load_explicit_candidates()),
                         test_name);

}  // namespace
}  // namespace atl
