#include "tests/support/sanitizer.hpp"
#include "tests/unit/reward/verifier_fixture.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace atl {
namespace {

using testing::small_kernel;
using testing::TestVerifier;

/// One verifier serves all tests: what one candidate used must not count for the next.
class CandidateMemory : public ::testing::Test {
  protected:
    static void SetUpTestSuite() { s_verifier = std::make_unique<TestVerifier>(); }
    static void TearDownTestSuite() { s_verifier.reset(); }

    static EvaluateReply evaluate(const std::string& source, Level level) {
        EvaluateReply reply = s_verifier->evaluate(source, level);
        EXPECT_EQ(reply.outcome, Outcome::passed) << reply.reason;
        return reply;
    }
    static double mib(const std::string& source, Level level) {
        const EvaluateReply reply = evaluate(source, level);
        EXPECT_TRUE(reply.memory_bytes);
        return static_cast<double>(reply.memory_bytes.value_or(0)) / (1 << 20);
    }

    static std::unique_ptr<TestVerifier> s_verifier;
};

std::unique_ptr<TestVerifier> CandidateMemory::s_verifier;

std::string with_scratch(const std::string& allocate, const std::string& release = "") {
    return small_kernel(allocate + R"(
    memset(scratch, rows, 16 << 20);
    asm volatile("" : : "r"(scratch) : "memory");
)" + release,
                        "", "#include <cstdlib>\n#include <cstring>\n");
}

TEST_F(CandidateMemory, IsWhatACandidateTouchesOfItsOwn) {
    ATOLL_SKIP_UNDER_SANITIZER();  // it has much memory itself
    for (const Level level : {Level::verify, Level::measure}) {
        EXPECT_LT(mib(small_kernel("", ""), level), 4);
        const double kept = mib(with_scratch("static char scratch[16 << 20];"), level);
        EXPECT_GT(kept, 14);
        EXPECT_LT(kept, 24);
        const double freed =
            mib(with_scratch("void* scratch = malloc(16 << 20);", "free(scratch);"), level);
        EXPECT_GT(freed, 14) << "a peak counts although it is over";
        EXPECT_LT(freed, 24);
        EXPECT_LT(mib(small_kernel("", ""), level), 4) << "not what others used before";
    }
}

TEST_F(CandidateMemory, IsNotToldWhereHiddenShapesHadAPart) {
    EXPECT_EQ(evaluate(small_kernel("", ""), Level::confirm).memory_bytes, std::nullopt);
}

TEST_F(CandidateMemory, IsNotMeasuredOfAWrongOne) {
    const EvaluateReply reply =
        s_verifier->evaluate(small_kernel("", "y[0] += 1;"), Level::measure);
    EXPECT_FALSE(is_correct(reply.outcome));
    EXPECT_EQ(reply.memory_bytes, std::nullopt);
}

}  // namespace
}  // namespace atl
