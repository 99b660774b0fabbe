#include "reward/gpu/gpu_package.hpp"
#include "reward/gpu/gpu_protocol.hpp"
#include "reward/gpu_devices.hpp"
#include "reward/kinds/cuda.hpp"
#include "tests/support/fake_lane.hpp"
#include "tests/unit/cuda/front_end_fixture.hpp"

#include <gmock/gmock.h>

#include <regex>
#include <string>

namespace atl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class CudaKind : public testing::FrontEndTest {
  protected:
    /// The task with a reference in CUDA.
    TaskPtr cuda_task(const std::string& reference_source) const {
        auto task = std::make_shared<Task>(*m_task);
        task->kind = "cuda";
        task->allowed_flags = {"--use_fast_math", "-funroll-loops"};
        task->reference_source = reference_source;
        return task;
    }
    EvaluationRequest evaluation(const std::string& source) const {
        EvaluationRequest request;
        request.task = cuda_task(reference());
        request.candidate.kind = "cuda";
        request.candidate.source = source;
        return request;
    }
    static Expected<Prepared> prepare(const EvaluationRequest& request) {
        return kind().prepare(request, {}, {}, service(), {});
    }
    static Rival rival(const std::string& name, const std::string& source) {
        Rival rival;
        rival.name = name;
        rival.candidate.kind = "cuda";
        rival.candidate.source = source;
        return rival;
    }
    static const CandidateKind& kind() { return *find_kind("cuda"); }
    std::optional<std::string> complaint(const std::string& source,
                                         const std::vector<std::string>& flags = {}) const {
        Candidate candidate;
        candidate.kind = "cuda";
        candidate.source = source;
        candidate.flags = flags;
        return kind().lint(*cuda_task(""), candidate);
    }
};

TEST_F(CudaKind, CompilesWithEveryFlagThatTheTuneOperatorMayChoose) {
    EvaluationRequest request = evaluation(plain());
    const TaskPtr softmax = value_or_throw(
        load_task(std::filesystem::path(ATOLL_SOURCE_DIR) / "experiments/tasks/softmax", "cuda"));
    ASSERT_GT(softmax->allowed_flags.size(), 3U);
    auto task = std::make_shared<Task>(*request.task);
    task->allowed_flags = softmax->allowed_flags;
    request.task = task;
    for (const std::string& flag : softmax->allowed_flags) {
        request.candidate.flags = {flag};
        const Prepared prepared = value_or_throw(prepare(request));
        EXPECT_FALSE(prepared.ended) << flag << ": " << prepared.verdict.reason;
    }
}

TEST_F(CudaKind, PackagesSayHowMuchLocalMemoryTheirLaunchesTake) {
    const std::string array =
        "float a[1000]; for (int k = 0; k < 1000; ++k) a[k * 7 % 1000] = k * x[k % n]; y[0] = "
        "a[n % 1000];";
    const auto local_bytes_of = [&](const std::string& kernel, const std::string& launch) {
        const Prepared prepared = value_or_throw(prepare(evaluation(source(kernel, launch))));
        EXPECT_FALSE(prepared.ended) << prepared.verdict.reason;
        return value_or_throw(read_gpu_package(*prepared.order.binaries.at(0))).local_bytes;
    };
    const std::string both = plain_kernel() +
                             "\n__global__ void kept(const float* x, float* y, "
                             "int n) { " +
                             array + " }";
    const std::uint64_t most =
        local_bytes_of(both, plain_launch() + " kept<<<1, 1, 0, stream>>>(x, y, rows);");
    EXPECT_GE(most, std::uint64_t{4000} * 2048 * 132);
    EXPECT_LE(most, std::uint64_t{4200} * 2048 * 132);
    EXPECT_EQ(local_bytes_of(both, plain_launch()), 0U) << "it is not launched";
}

TEST_F(CudaKind, PreparesPackagesOfCandidateReferenceAndRivalsForADevice) {
    EvaluationRequest request = evaluation(plain());
    request.level = Level::confirm;
    request.cutoff_ns = 1234;
    request.candidate.tune = {{"BLOCK", "64"}};
    request.rivals = {rival("starter", plain()), rival("broken", "__global__ void launch("),
                      rival("linked", plain())};
    request.rivals.back().libraries = {"cublas"};
    auto prepared = prepare(request);
    ASSERT_TRUE(prepared) << prepared.error().message();
    ASSERT_FALSE(prepared->ended) << prepared->verdict.reason;
    EXPECT_EQ(prepared->order.evaluate.task, request.task->digest);
    EXPECT_EQ(prepared->order.evaluate.cutoff_ns, 1234);
    EXPECT_THAT(prepared->order.evaluate.rivals, ElementsAre("starter"));
    EXPECT_THAT(prepared->verdict.noise, HasSubstr("rival 'broken' was left out"));
    EXPECT_THAT(prepared->verdict.noise, HasSubstr("rival 'linked' was left out"));
    ASSERT_EQ(prepared->order.binaries.size(), 2u);
    const GpuPackage candidate = value_or_throw(read_gpu_package(*prepared->order.binaries[0]));
    const GpuPackage oracle = value_or_throw(read_gpu_package(*prepared->order.oracle));
    EXPECT_EQ(candidate.plans.size(), m_task->workloads.size()) << "hidden ones take part";
    EXPECT_EQ(oracle.plans.size(), m_task->workloads.size());
    EXPECT_EQ(oracle.plan_of(0)->outputs[0], 2 * candidate.plan_of(0)->outputs[0]);
    EXPECT_FALSE(candidate.touches_variables) << "so that its code may stay loaded";
    EXPECT_EQ(candidate.local_bytes, 0U);
    ASSERT_TRUE(prepared->verdict.compile);
    EXPECT_EQ(prepared->verdict.compile->binary_bytes, candidate.cubin.size());
    EXPECT_THAT(prepared->verdict.compile->compiler, HasSubstr("NVRTC"));
    EXPECT_THAT(prepared->verdict.compile->flags, ElementsAre("-DBLOCK=64"));
    testing::FakeLane lane;
    const Verdict verdict = value_or_throw(kind().execute(request, std::move(*prepared), lane));
    EXPECT_EQ(verdict.outcome, Outcome::passed);
    EXPECT_EQ(lane.orders().size(), 1u);
    EXPECT_EQ(verdict.measure->rivals.count("starter"), 1u);
}

TEST_F(CudaKind, EveryRightCandidateHasItsFootprintAndCountersAreForWhoAsks) {
    EvaluationRequest request = evaluation(plain());
    auto prepared = prepare(request);
    ASSERT_TRUE(prepared) << prepared.error().message();
    EXPECT_EQ(prepared->order.evaluate.profile_workload, std::nullopt);
    testing::FakeLane lane;
    const Verdict verdict = value_or_throw(kind().execute(request, std::move(*prepared), lane));
    ASSERT_TRUE(verdict.profile);
    EXPECT_EQ(verdict.profile->source, "static");
    EXPECT_FALSE(verdict.profile->sentence.empty());
    ASSERT_EQ(verdict.profile->kernels.size(), 1u);
    EXPECT_GT(verdict.profile->kernels[0].registers, 0u);
    EXPECT_GT(verdict.profile->kernels[0].occupancy, 0);
    request.profile = true;
    prepared = prepare(request);
    ASSERT_TRUE(prepared) << prepared.error().message();
    ASSERT_TRUE(prepared->order.evaluate.profile_workload);
    const Workload& workload = m_task->workloads[*prepared->order.evaluate.profile_workload];
    EXPECT_EQ(workload.id, verdict.profile->workload);
    EXPECT_FALSE(workload.hidden);
    request.level = Level::verify;
    prepared = prepare(request);
    ASSERT_TRUE(prepared) << prepared.error().message();
    EXPECT_EQ(prepared->order.evaluate.profile_workload, std::nullopt) << "nothing is timed";
}

TEST_F(CudaKind, HiddenWorkloadsTakePartInConfirmationsOnly) {
    auto prepared = prepare(evaluation(plain()));
    ASSERT_TRUE(prepared) << prepared.error().message();
    for (const auto& file : {prepared->order.oracle, prepared->order.binaries[0]}) {
        for (const auto& [index, plan] : value_or_throw(read_gpu_package(*file)).plans) {
            EXPECT_FALSE(m_task->workloads[index].hidden);
        }
    }
}

TEST_F(CudaKind, ACandidatesFaultEndsTheVerdict) {
    std::string text = plain();
    text.replace(text.find("alpha * x[i]"), 5, "alpho");
    auto prepared = prepare(evaluation(text));
    ASSERT_TRUE(prepared) << prepared.error().message();
    EXPECT_TRUE(prepared->ended);
    EXPECT_EQ(prepared->verdict.outcome, Outcome::compile_error);
    EXPECT_EQ(prepared->verdict.stage, Stage::compile);
    EXPECT_THAT(prepared->verdict.reason, HasSubstr("candidate.cu(6): error"));
    EXPECT_THAT(prepared->verdict.compile->log, HasSubstr("alpho"));
}

TEST_F(CudaKind, AReferenceThatDoesNotCompileIsTheTasksFault) {
    EvaluationRequest request = evaluation(plain());
    request.task = cuda_task(plain());
    const auto prepared = prepare(request);
    ASSERT_FALSE(prepared);
    EXPECT_EQ(prepared.error().code, ErrorCode::invalid_argument);
    EXPECT_THAT(prepared.error().where, HasSubstr("reference.cu"));
    EXPECT_THAT(prepared.error().hint, HasSubstr("void reference(const float* x"));
    EXPECT_THAT(prepared.error().hint, HasSubstr("double* y"));
}

TEST_F(CudaKind, TheLinterAsksForAKernelAndALauncherAndKnowsDeviceFlags) {
    EXPECT_EQ(complaint(plain()), std::nullopt);
    EXPECT_THAT(complaint("__global__ void f() {}").value(), HasSubstr("void launch("));
    EXPECT_THAT(complaint("void launch() {}").value(), HasSubstr("__global__"));
    EXPECT_EQ(complaint(plain(), {"--use_fast_math"}), std::nullopt);
    EXPECT_THAT(complaint(plain(), {"-funroll-loops"}).value(), HasSubstr("-funroll-loops"));
    EXPECT_THAT(complaint(plain(), {"--fmad=true"}).value(), HasSubstr("allowed flags"));
}

TEST_F(CudaKind, TheContractsExamplesAreGoodCandidates) {
    const std::string contract = kind().contract(*m_task);
    EXPECT_THAT(contract, HasSubstr("float* y, int rows, int cols, cudaStream_t stream)"));
    const std::regex launcher(
        R"(void launch\(const float\* x, (const float\* y, )?float\* (y|out), (int rows, int cols|int n),)");
    std::size_t at = contract.find("Example 1,");
    for (int example = 1; example <= 3; ++example) {
        const std::size_t end = contract.find("Example " + std::to_string(example + 1) + ",", at);
        ASSERT_NE(at, std::string::npos);
        std::string source =
            contract.substr(contract.find('\n', at), end - contract.find('\n', at));
        // The small task has these arguments; what the example calls `n` is their product.
        const std::string mine =
            "void launch(const float* x, const float* b, float, float* y, int rows, "
            "int cols,";
        source = std::regex_replace(source, launcher, mine);
        if (example == 3) {
            source = std::regex_replace(
                source, std::regex(R"(cudaStream_t stream\) \{)"),
                "cudaStream_t stream) { const float* out_of = b; float* out = y; "
                "const int n = rows * cols;");
            source = std::regex_replace(source, std::regex(R"(\(x, y, parts, n\);)"),
                                        "(x, out_of, parts, n);");
        }
        const FrontEndReply reply = FrontEndTest::prepare(FrontEndTest::request(source));
        EXPECT_FALSE(reply.fault) << example << ": " << reply.reason << reply.log << source;
        at = end;
    }
}

TEST(CudaKindAlone, TheRoomsReadmeHasTheContract) {
    const testing::SmallTask small;
    const std::string contract = make_cuda_kind()->contract(*small.task());
    const std::string page = contract.substr(contract.find("A candidate is one ordinary"));
    const std::string readme =
        value_or_throw(read_file(ATOLL_SOURCE_DIR "/reward/README.md", 1 << 20));
    EXPECT_NE(readme.find(page.substr(0, page.find_last_not_of('\n') + 1)), std::string::npos)
        << "copy reward/kinds/cuda_contract.inc into reward/README.md";
}

TEST(CudaKindAlone, ACandidateStandsAloneWithItsTuneValues) {
    Candidate candidate;
    candidate.source = "void launch();\n";
    candidate.tune = {{"BLOCK", "64"}};
    EXPECT_EQ(make_cuda_kind()->standalone_source(candidate), "#define BLOCK 64\nvoid launch();\n");
    EXPECT_EQ(make_cuda_kind()->trust(), "jailed");
    EXPECT_THAT(make_cuda_kind()->fingerprint(), HasSubstr(k_cuda_protocol));
}

TEST(CudaKindAlone, AnEvaluatorWithoutAGpuSaysSo) {
    const testing::SmallTask small;
    EvaluationRequest request;
    request.task = small.task();
    CompileService service(make_no_compiler());
    const auto prepared = make_cuda_kind()->prepare(request, {}, {}, service, {});
    ASSERT_FALSE(prepared);
    EXPECT_EQ(prepared.error().code, ErrorCode::unavailable);
    EXPECT_THAT(prepared.error().hint, HasSubstr("atoll doctor"));
}

TEST(GpuParts, WhatIsMissingIsNamed) {
    CudaToolkit toolkit;
    EXPECT_THAT(check_gpu_parts(toolkit).error().message(), HasSubstr("driver"));
    toolkit.driver = CudaLibrary{"libcuda.so.1", 13, 0};
    EXPECT_THAT(check_gpu_parts(toolkit).error().message(), HasSubstr("NVRTC"));
    toolkit.nvrtc = CudaLibrary{"libnvrtc.so", 13, 0};
    toolkit.problems = {"install the headers"};
    const Status headers = check_gpu_parts(toolkit);
    EXPECT_THAT(headers.error().message(), HasSubstr("headers"));
    EXPECT_EQ(headers.error().hint, "install the headers");
}

TEST_F(CudaKind, AGpuGetsItsLaneWithOurKernelsCompiledForIt) {
    CudaToolkit toolkit;
    toolkit.driver = CudaLibrary{ATOLL_SIMULATED_DRIVER, 13, 0};
    toolkit.nvrtc = CudaLibrary{place().library, 13, 0};
    toolkit.include = place().include;
    LocalEvaluatorOptions options;
    options.kind = "cuda";
    options.required_sandbox = "none";
    EvaluatorParts parts;
    const Status added = add_gpus(options, toolkit, {}, parts, ATOLL_BIN_DIR "/atoll-worker");
    ASSERT_TRUE(added) << added.error().message();
    ASSERT_EQ(parts.lanes.size(), 1u);
    EXPECT_THAT(parts.lanes[0]->device(), HasSubstr("gpu:0 "));
    ASSERT_NE(parts.compiler->front_end(), nullptr);
    EXPECT_EQ(parts.compiler->front_end()->device().arch, "sm_90a");
    options.gpus = {7};
    EXPECT_FALSE(add_gpus(options, toolkit, {}, parts, ATOLL_BIN_DIR "/atoll-worker"));
}

}  // namespace
}  // namespace atl
