// After a candidate that ends a runner, the next one is judged as if nothing had been.

#include "tests/gpu/trust/trust_fixture.hpp"

#include <algorithm>
#include <cstdio>

namespace atl {
namespace {

using testing::Judged;
using testing::ListedCandidate;
using Seconds = std::chrono::duration<double>;

ListedCandidate candidate(const std::string& file) {
    return testing::load_candidate(testing::k_adversarial_folder / "cuda" / file);
}

std::string test_name(const ::testing::TestParamInfo<const char*>& info) {
    return info.param;
}

class AfterAFault : public ::testing::TestWithParam<const char*> {};

// The times are for people: from the verdict on the first to that on the next.
TEST_P(AfterAFault, TheNextCandidateIsRight) {
    ListedCandidate next = candidate("honest/warp_per_row_plain.cu");
    next.level = Level::verify;
    ASSERT_TRUE(testing::submit(next).get().result) << "the device's first candidate";
    const ListedCandidate bad = candidate(std::string("attacks/") + GetParam() + ".cu");
    std::vector<double> times;
    for (int round = 0; round < 3; ++round) {
        const Judged fault = testing::submit(bad).get();
        // Only now: of two at once the one that is compiled first would be judged first.
        const Judged right = testing::submit(next).get();
        ASSERT_TRUE(fault.result) << fault.result.error().error.message();
        ASSERT_TRUE(right.result) << right.result.error().error.message();
        EXPECT_TRUE(bad.expected.contains(fault.result->outcome)) << fault.result->reason;
        EXPECT_EQ(right.result->outcome, Outcome::passed) << right.result->reason;
        times.push_back(Seconds(right.at - fault.at).count() * 1e3);
    }
    std::sort(times.begin(), times.end());
    std::printf("           next verdict after %.0f, %.0f and %.0f ms\n", times[0], times[1],
                times[2]);
    RecordProperty("next_verdict_ms", std::to_string(times[1]));
}
INSTANTIATE_TEST_SUITE_P(Gpu, AfterAFault,
                         ::testing::Values("write_to_null", "trap", "misaligned_access",
                                           "hang_in_one_block", "hang_in_all_blocks",
                                           "trap_when_timed", "hang_when_timed"),
                         test_name);

}  // namespace
}  // namespace atl
