#include "reward/workers/blas_kernels.hpp"

#include "reward/cpu_layout.hpp"
#include "tests/unit/reward/verifier_fixture.hpp"

#include <gtest/gtest.h>

#include <string>

namespace atl {
namespace {

using testing::small_kernel;

TEST(BlasKernels, IntelModelsAreTakenByTheirVectors) {
    EXPECT_EQ(openblas_core({.intel = true, .avx2 = true, .avx512 = true}), "SkylakeX");
    EXPECT_EQ(openblas_core({.intel = true, .avx2 = true, .avx512 = false}), "Haswell");
    EXPECT_EQ(openblas_core({.intel = true, .avx2 = false, .avx512 = false}), "");
}

TEST(BlasKernels, OtherMakesAreLeftToTheLibrary) {
    EXPECT_EQ(openblas_core({.intel = false, .avx2 = true, .avx512 = true}), "");
}

/// A rival that is wrong, and so left out, where OpenBLAS chose kernels of less than AVX2.
constexpr const char* k_asks_openblas = R"(
#include <initializer_list>
extern "C" char* openblas_get_corename();
static bool is_old() {
    const char* name = openblas_get_corename();
    for (const char* old : {"Prescott", "Core2", "Nehalem", "Generic"}) {
        if (__builtin_strcmp(name, old) == 0) return true;
    }
    return false;
}
)";

TEST(BlasKernels, TheBaselineRunsOnTheVectorsOfThisMachine) {
    if (!vector_units().avx2) {
        GTEST_SKIP() << "this processor has no AVX2, so old kernels are right";
    }
    testing::TestVerifier verifier;
    EvaluateOrder order = verifier.order(Level::confirm);
    order.cores = {allowed_cores().front()};  // it starts a thread for each, which a jail forbids
    order.rivals = {"openblas"};
    order.rival_trusted = {true};
    Frame frame;
    frame.type = FrameType::evaluate;
    frame.payload = to_json(order);
    frame.handles.push_back(testing::build_shared_object(
        with_entry_point(*verifier.task(), small_kernel("", "")), {"-O2"}));
    frame.handles.push_back(testing::build_shared_object(
        with_entry_point(*verifier.task(),
                         small_kernel("", "if (is_old()) y[0] += 1;", k_asks_openblas)),
        {"-O2", "-Wl,--no-as-needed", "-lopenblas"}));
    const Frame answer = verifier.ask(std::move(frame));
    ASSERT_EQ(answer.type, FrameType::evaluated);
    const EvaluateReply reply = value_or_throw(parse_evaluate_reply(answer.payload));
    ASSERT_TRUE(reply.measure) << reply.reason;
    EXPECT_EQ(reply.measure->rivals.count("openblas"), 1u) << reply.noise;
}

}  // namespace
}  // namespace atl
