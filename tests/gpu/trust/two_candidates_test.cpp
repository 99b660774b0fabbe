// Two candidates who help each other: what the first leaves on the device the second must not find.

#include "tests/gpu/trust/trust_fixture.hpp"

namespace atl {
namespace {

using testing::Judged;
using testing::ListedCandidate;

TEST(TwoCandidates, NothingOfTheFirstHelpsTheSecond) {
    const std::filesystem::path folder = testing::k_adversarial_folder / "cuda" / "pairs";
    const ListedCandidate first = testing::load_candidate(folder / "leave_answers.cu");
    const ListedCandidate second = testing::load_candidate(folder / "take_answers.cu");
    for (int round = 0; round < 3; ++round) {
        const Judged leaves = testing::submit(first).get();
        ASSERT_TRUE(leaves.result) << leaves.result.error().error.message();
        EXPECT_EQ(leaves.result->outcome, Outcome::passed) << leaves.result->reason;
        const Judged takes = testing::submit(second).get();
        ASSERT_TRUE(takes.result) << takes.result.error().error.message();
        EXPECT_TRUE(second.expected.contains(takes.result->outcome))
            << "round " << round << ": " << to_string(takes.result->outcome) << ", "
            << takes.result->reason;
    }
}

}  // namespace
}  // namespace atl
