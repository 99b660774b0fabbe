#include "reward/feedback.hpp"

#include "reward/base/words.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atl {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

WorkloadTiming timing(const std::string& workload, bool hidden, double ns) {
    WorkloadTiming timing;
    timing.workload = workload;
    timing.hidden = hidden;
    timing.median_ns = ns;
    timing.light_ns = 250;
    return timing;
}

VerifyCase failed_case(const std::string& workload, bool hidden) {
    VerifyCase one;
    one.workload = workload;
    one.hidden = hidden;
    one.output = "y";
    one.first_bad_index = 3;
    one.got = 1.5;
    one.want = 2;
    return one;
}

TEST(Feedback, SaysWhatWasMeasured) {
    Verdict verdict;
    verdict.outcome = Outcome::passed;
    verdict.measure = MeasureReport{"p", {timing("large", false, 2000)}, {}};
    const std::string text = feedback_text(verdict, {{"large", 3000}});
    EXPECT_THAT(text, HasSubstr("Outcome: passed."));
    EXPECT_THAT(text, HasSubstr("- large: 2.00 us, 1.5 times as fast as the starter, 12.5 % of"));
}

TEST(Feedback, SaysWhatIsWrong) {
    Verdict verdict;
    verdict.outcome = Outcome::wrong_result;
    verdict.reason = "wrong";
    verdict.verify = {failed_case("odd", false)};
    EXPECT_THAT(feedback_text(verdict, {}), HasSubstr("workload odd"));
    EXPECT_THAT(feedback_text(verdict, {}), HasSubstr("y[3] is 1.5, should be 2"));
}

TEST(Feedback, HiddenWorkloadsAreInNothingThatIsTold) {
    Verdict verdict;
    verdict.outcome = Outcome::wrong_result;
    verdict.verify = {failed_case("secret", true), failed_case("odd", false)};
    verdict.measure =
        MeasureReport{"p",
                      {timing("large", false, 2000), timing("secret", true, 1234)},
                      {{"rival", {timing("large", false, 1), timing("secret", true, 4321)}}}};
    verdict.timed_seconds = 1;
    verdict.memory_bytes = 7;
    const Verdict shown = public_part(verdict);
    EXPECT_THAT(to_json(verdict), HasSubstr("secret"));
    EXPECT_THAT(to_json(shown), Not(HasSubstr("secret")));
    EXPECT_THAT(feedback_text(shown, {}), Not(HasSubstr("secret")));
    EXPECT_THAT(feedback_text(shown, {}), HasSubstr("workload odd"));
    EXPECT_EQ(shown.timed_seconds, 0);
    EXPECT_EQ(shown.memory_bytes, std::nullopt);
    EXPECT_EQ(shown.measure->workloads.size(), 1u);
}

TEST(Feedback, IsBoundedAndStaysUtf8) {
    Verdict verdict;
    verdict.outcome = Outcome::compile_error;
    verdict.compile = CompileReport{};
    for (int i = 0; i < 3000; ++i) {
        verdict.compile->log += "\xc3\xa4";
    }
    verdict.feedback = verdict.compile->log + verdict.compile->log;
    for (const char* before : {"", "x"}) {
        verdict.reason = before;
        const std::string text = feedback_text(verdict, {});
        EXPECT_LE(text.size(), k_longest_feedback);
        EXPECT_TRUE(is_utf8(text));
    }
}

}  // namespace
}  // namespace atl
