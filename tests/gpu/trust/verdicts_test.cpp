// What verdicts of a real GPU say of themselves: that they were reached in the jail, by which
// protocol, and from which counters.

#include "reward/base/jail_filter.hpp"
#include "reward/base/jail_landlock.hpp"
#include "reward/gpu/protocols.hpp"
#include "tests/gpu/trust/trust_fixture.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdio>

namespace atl {
namespace {

using ::testing::HasSubstr;
using testing::ListedCandidate;

ListedCandidate honest(Level level) {
    ListedCandidate file = testing::load_candidate(testing::k_adversarial_folder /
                                                   "cuda/honest/warp_per_row_plain.cu");
    file.level = level;
    return file;
}

TEST(Verdicts, SayThatTheyWereReachedInTheJail) {
    const EvaluationResult result = testing::submit(honest(Level::verify)).get().result;
    ASSERT_TRUE(result) << result.error().error.message();
    EXPECT_EQ(result->outcome, Outcome::passed) << result->reason;
    const bool possible = landlock_version() > 0 && SyscallFilter::supported();
    EXPECT_EQ(result->trust, possible ? "jailed" : "unjailed");
}

TEST(Verdicts, AfterAFaultTheyAreAsJailedAsBefore) {
    ListedCandidate bad =
        testing::load_candidate(testing::k_adversarial_folder / "cuda/attacks/write_to_null.cu");
    static_cast<void>(testing::submit(bad).get());
    const EvaluationResult result = testing::submit(honest(Level::verify)).get().result;
    ASSERT_TRUE(result) << result.error().error.message();
    const bool possible = landlock_version() > 0 && SyscallFilter::supported();
    EXPECT_EQ(result->trust, possible ? "jailed" : "unjailed");
}

TEST(Verdicts, CountersWorkInTheJail) {
    EvaluationRequest request = testing::request_for(honest(Level::measure));
    request.profile = true;
    const EvaluationResult result =
        evaluate_and_wait(*testing::GpuJudge::get().evaluator, std::move(request));
    ASSERT_TRUE(result) << result.error().error.message();
    ASSERT_EQ(result->outcome, Outcome::passed) << result->reason;
    ASSERT_TRUE(result->profile);
    const std::string& why = result->profile->why_static;
    // What a machine may lack; anything else is the jail's or ours.
    for (const char* lack : {"no CUPTI", "NVreg_RestrictProfilingToAdminUsers"}) {
        if (why.find(lack) != std::string::npos) {
            GTEST_SKIP() << why;
        }
    }
    EXPECT_EQ(why, "");
    EXPECT_FALSE(result->profile->metrics.empty());
    std::printf("           %s\n", result->profile->sentence.c_str());
}

class Protocol : public ::testing::TestWithParam<GpuProtocol> {};

TEST_P(Protocol, TakesTheTrialsAndTheClockThatItSays) {
    const GpuProtocol& protocol = GetParam();
    const std::unique_ptr<Evaluator> evaluator =
        value_or_throw(testing::GpuJudge::make_evaluator(protocol.name));
    const EvaluationResult result =
        evaluate_and_wait(*evaluator, testing::request_for(honest(Level::measure)));
    ASSERT_TRUE(result) << result.error().error.message();
    ASSERT_EQ(result->outcome, Outcome::passed) << result->reason;
    ASSERT_TRUE(result->measure);
    EXPECT_EQ(result->measure->protocol, protocol.name);
    ASSERT_FALSE(result->measure->workloads.empty());
    for (const WorkloadTiming& timing : result->measure->workloads) {
        std::printf("           %s: %.2f us, %zu samples\n", timing.workload.c_str(),
                    timing.median_ns / 1e3, timing.samples_ns.size());
        EXPECT_GT(timing.median_ns, 0);
        if (protocol.trials > 0) {
            EXPECT_EQ(timing.samples_ns.size(), protocol.trials);
        }
        EXPECT_GT(timing.reverified, 0);
    }
    if (protocol.clock == GpuProtocol::Clock::events) {
        EXPECT_THAT(result->noise, HasSubstr("events"));
    }
}
std::string protocol_name(const ::testing::TestParamInfo<GpuProtocol>& tested) {
    std::string name(tested.param.name);
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}
INSTANTIATE_TEST_SUITE_P(Gpu, Protocol,
                         ::testing::ValuesIn(gpu_protocols().begin(), gpu_protocols().end()),
                         protocol_name);

}  // namespace
}  // namespace atl
