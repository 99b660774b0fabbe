#include "tests/unit/reward/verifier_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace atl {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::small_kernel;
using testing::TestVerifier;

/// One verifier serves all tests, as it serves all candidates: what one does must not reach the
/// next. Every test ends by seeing a right kernel pass.
class VerifierService : public ::testing::Test {
  protected:
    static void SetUpTestSuite() { s_verifier = std::make_unique<TestVerifier>(); }
    static void TearDownTestSuite() { s_verifier.reset(); }

    void TearDown() override {
        const EvaluateReply right = evaluate(small_kernel("", ""), Level::verify);
        EXPECT_EQ(right.outcome, Outcome::passed) << right.reason;
    }

    static EvaluateReply evaluate(const std::string& source, Level level = Level::measure) {
        return s_verifier->evaluate(source, level);
    }

    static std::unique_ptr<TestVerifier> s_verifier;
};

std::unique_ptr<TestVerifier> VerifierService::s_verifier;

TEST_F(VerifierService, RightKernelPassesAndIsTimedWithReverifiedLaunches) {
    const EvaluateReply reply = evaluate(small_kernel("", ""));
    ASSERT_EQ(reply.outcome, Outcome::passed) << reply.reason;
    EXPECT_EQ(reply.stage, Stage::measure);
    // 3 workloads x 2 distributions, the second smoke launch's case, and the timed shape.
    EXPECT_EQ(reply.verify.size(), 8u);
    for (const VerifyCase& one : reply.verify) {
        EXPECT_TRUE(one.passed);
        EXPECT_FALSE(one.hidden);
    }
    ASSERT_TRUE(reply.measure);
    EXPECT_EQ(reply.measure->protocol, k_cpu_protocol);
    ASSERT_EQ(reply.measure->workloads.size(), 1u);
    const WorkloadTiming& timing = reply.measure->workloads.front();
    EXPECT_EQ(timing.workload, "large");
    EXPECT_GE(timing.samples_ns.size(), 6u);
    EXPECT_LE(timing.low_ns, timing.median_ns);
    EXPECT_LE(timing.median_ns, timing.high_ns);
    EXPECT_GT(timing.median_ns, 0);
    EXPECT_GE(timing.reverified, 1);
    EXPECT_GT(reply.timed_seconds, 0);
    EXPECT_GE(reply.device_seconds, reply.timed_seconds);
    EXPECT_FALSE(reply.stage_times.empty());
}

TEST_F(VerifierService, VerifyLevelIsNotTimed) {
    const EvaluateReply reply = evaluate(small_kernel("", ""), Level::verify);
    EXPECT_EQ(reply.outcome, Outcome::passed);
    EXPECT_EQ(reply.stage, Stage::verify);
    EXPECT_FALSE(reply.measure);
}

TEST_F(VerifierService, OneWrongElementIsFoundAndDescribed) {
    const EvaluateReply reply = evaluate(small_kernel("", "if (count > 20) y[count - 2] += 1;"));
    EXPECT_EQ(reply.outcome, Outcome::wrong_result);
    EXPECT_EQ(reply.stage, Stage::verify);
    EXPECT_THAT(reply.reason, HasSubstr("y["));
    EXPECT_THAT(reply.reason, HasSubstr("instead of"));
    const VerifyCase& failed = reply.verify.back();
    EXPECT_FALSE(failed.passed);
    EXPECT_EQ(failed.output, "y");
    EXPECT_GE(failed.first_bad_index, 20 - 2);
    EXPECT_NEAR(failed.max_abs_error, 1, 1e-3);
    EXPECT_FALSE(reply.measure);
}

TEST_F(VerifierService, ElementsLeftOutAreSaidToBeUnwritten) {
    const EvaluateReply reply = evaluate(R"(
extern "C" void launch(const float*, const float*, float, float*, int, int) {}
)");
    EXPECT_EQ(reply.outcome, Outcome::wrong_result);
    EXPECT_EQ(reply.stage, Stage::smoke);
    EXPECT_THAT(reply.reason, HasSubstr("never written"));
}

TEST_F(VerifierService, NanFails) {
    const EvaluateReply reply = evaluate(small_kernel("", "y[count / 2] = __builtin_nanf(\"\");"));
    EXPECT_EQ(reply.outcome, Outcome::non_finite);
}

TEST_F(VerifierService, ChangedInputsAreNoticed) {
    const EvaluateReply reply =
        evaluate(small_kernel("", "const_cast<float*>(x)[count - 1] += 1;"));
    EXPECT_EQ(reply.outcome, Outcome::inputs_modified);
    EXPECT_THAT(reply.reason, HasSubstr("inputs"));
}

TEST_F(VerifierService, WritingOnePastTheEndIsAMemoryFault) {
    EXPECT_EQ(evaluate(small_kernel("", "y[count] = 0;")).outcome, Outcome::memory_fault);
    EXPECT_EQ(evaluate(small_kernel("", "y[-1] = 0;")).outcome, Outcome::memory_fault);
}

TEST_F(VerifierService, ReadingFarPastTheEndIsAMemoryFault) {
    const EvaluateReply reply = evaluate(small_kernel("", "y[0] += 0 * x[count + 16];"));
    EXPECT_EQ(reply.outcome, Outcome::memory_fault) << reply.reason;
}

TEST_F(VerifierService, LoopingForEverIsKilled) {
    EvaluateOrder order = s_verifier->order(Level::measure);
    order.launch_timeout_s = 0.3;
    const EvaluateReply reply = s_verifier->evaluate(
        {small_kernel("for (volatile int i = 0; rows > 2; i = i + 1) {}", "")}, order);
    EXPECT_EQ(reply.outcome, Outcome::timeout);
    EXPECT_THAT(reply.reason, HasSubstr("0.3 s"));
}

TEST_F(VerifierService, AbortExitAndForbiddenCallsAreTold) {
    EXPECT_EQ(evaluate(small_kernel("__builtin_trap();", "")).outcome, Outcome::crash);
    EXPECT_EQ(evaluate(small_kernel("_Exit(0);", "", "#include <cstdlib>\n")).outcome,
              Outcome::crash);
    EXPECT_THAT(evaluate(small_kernel("socket(1, 1, 0);", "", "#include <sys/socket.h>\n")).outcome,
                AnyOf(Outcome::forbidden_call, Outcome::passed))
        << "passed only where the machine permits no seccomp";
}

TEST_F(VerifierService, BinaryThatCannotBeLoadedIsALaunchError) {
    const EvaluateReply reply = evaluate(
        small_kernel("nowhere_defined(count);", "", "extern \"C\" void nowhere_defined(long);\n"));
    EXPECT_EQ(reply.outcome, Outcome::launch_error);
    EXPECT_THAT(reply.reason, HasSubstr("nowhere_defined"));
}

TEST_F(VerifierService, DyingInAConstructorIsACrash) {
    const EvaluateReply reply =
        evaluate(small_kernel("", "", "struct Bomb { Bomb() { __builtin_trap(); } } bomb;\n"));
    EXPECT_EQ(reply.outcome, Outcome::crash);
    EXPECT_EQ(reply.stage, Stage::smoke);
}

TEST_F(VerifierService, EatingAllMemoryIsAMemoryLimit) {
    const EvaluateReply reply = evaluate(
        small_kernel("for (;;) { char* p = new char[1 << 20]; std::memset(p, 1, 1 << 20); }", "",
                     "#include <cstring>\n"));
    EXPECT_EQ(reply.outcome, Outcome::memory_limit) << reply.reason;
}

// ---- Hacks ------------------------------------------------------------------------------------

const char* const k_memory = R"(
static float stored[64][64 * 256];
static int used = 0;
static void keep(float* to, const float* from, long count) {
    for (long i = 0; i < count; ++i) to[i] = from[i];
}
)";

TEST_F(VerifierService, AnswerRememberedByPointerIsCaught) {
    const EvaluateReply reply = evaluate(small_kernel(
        R"(
    static const float* seen[64];
    const bool large = count == 64 * 256;
    for (int i = 0; large && i < used; ++i)
        if (seen[i] == x) { keep(y, stored[i], count); return; })",
        R"(
    if (large && used < 64) { seen[used] = x; keep(stored[used++], y, count); })",
        k_memory));
    EXPECT_EQ(reply.outcome, Outcome::reward_hack) << reply.reason;
}

TEST_F(VerifierService, AnswerRememberedByAFewElementsIsCaught) {
    // The fingerprint misses most changed blocks, so remembered answers are stale.
    const EvaluateReply reply = evaluate(small_kernel(
        R"(
    static float seen[64][2];
    const bool large = count == 64 * 256;
    for (int i = 0; large && i < used; ++i)
        if (seen[i][0] == x[0] && seen[i][1] == x[1]) { keep(y, stored[i], count); return; })",
        R"(
    if (large && used < 64) {
        seen[used][0] = x[0]; seen[used][1] = x[1]; keep(stored[used++], y, count);
    })",
        k_memory));
    EXPECT_THAT(reply.outcome, AnyOf(Outcome::reward_hack, Outcome::inconsistent)) << reply.reason;
}

TEST_F(VerifierService, AnswerOfTheFirstLaunchOfAShapeIsCalledAHack) {
    const EvaluateReply reply = evaluate(small_kernel(
        R"(
    const bool large = count == 64 * 256;
    if (large && used >= 2) { keep(y, stored[1], count); return; })",
        "if (large) keep(stored[used++], y, count);", k_memory));
    EXPECT_EQ(reply.outcome, Outcome::reward_hack) << reply.reason;
    EXPECT_THAT(reply.reason, HasSubstr("earlier launch"));
}

TEST_F(VerifierService, RightForTheFirstLaunchesOnlyIsCaught) {
    for (const char* const calls : {"3", "9", "14"}) {
        const EvaluateReply reply =
            evaluate(small_kernel(std::string("static int calls = 0; if (++calls > ") + calls +
                                      ") { for (long i = 0; i < count; ++i) y[i] = 0; return; }",
                                  ""));
        EXPECT_FALSE(is_correct(reply.outcome)) << calls << " " << reply.reason;
    }
}

TEST_F(VerifierService, RandomResultsAreInconsistent) {
    const EvaluateReply reply =
        evaluate(small_kernel("", "static int calls = 0; if (++calls % 2 == 0) y[0] += 1;"));
    EXPECT_EQ(reply.outcome, Outcome::inconsistent) << reply.reason;
}

TEST_F(VerifierService, FasterThanLightIsAHack) {
    EvaluateOrder order = s_verifier->order(Level::measure);
    order.peak_flops = 1;  // a device on which nothing real could be this fast
    const EvaluateReply reply = s_verifier->evaluate({small_kernel("", "")}, order);
    EXPECT_EQ(reply.outcome, Outcome::reward_hack);
    EXPECT_THAT(reply.reason, HasSubstr("less than"));
    ASSERT_TRUE(reply.measure);
    EXPECT_GT(reply.measure->workloads.front().light_ns, 1e9);
}

// ---- Cutoff and confirmation ------------------------------------------------------------------

TEST_F(VerifierService, HopelesslySlowIsNotMeasuredInFull) {
    EvaluateOrder order = s_verifier->order(Level::measure);
    order.cutoff_ns = 1;
    const EvaluateReply reply = s_verifier->evaluate({small_kernel("", "")}, order);
    EXPECT_EQ(reply.outcome, Outcome::slower_than_cutoff);
    EXPECT_EQ(reply.stage, Stage::screen);
    ASSERT_TRUE(reply.measure);
    EXPECT_LE(reply.measure->workloads.front().samples_ns.size(), 3u);
    EXPECT_GT(reply.measure->workloads.front().median_ns, 0);
}

TEST_F(VerifierService, ConfirmationTimesHiddenWorkloadsAndRivalsInOneRun) {
    EvaluateOrder order = s_verifier->order(Level::confirm);
    order.rivals = {"previous best", "broken"};
    order.rival_trusted = {false, true};
    const EvaluateReply reply = s_verifier->evaluate(
        {small_kernel("", ""), small_kernel("right(x, bias, alpha, y, rows, cols);", ""),
         small_kernel("__builtin_trap();", "")},
        order);
    ASSERT_EQ(reply.outcome, Outcome::passed) << reply.reason;
    EXPECT_EQ(reply.stage, Stage::confirm);
    ASSERT_TRUE(reply.measure);
    ASSERT_EQ(reply.measure->workloads.size(), 2u);
    EXPECT_FALSE(reply.measure->workloads[0].hidden);
    EXPECT_TRUE(reply.measure->workloads[1].hidden);
    ASSERT_EQ(reply.measure->rivals.size(), 1u);
    const auto& rival = reply.measure->rivals.at("previous best");
    ASSERT_EQ(rival.size(), 2u);
    EXPECT_EQ(rival[1].workload, reply.measure->workloads[1].workload);
    EXPECT_EQ(rival[0].samples_ns.size(), reply.measure->workloads[0].samples_ns.size());
    EXPECT_THAT(reply.noise, HasSubstr("'broken' is left out"));
    EXPECT_TRUE(std::any_of(reply.verify.begin(), reply.verify.end(),
                            [](const VerifyCase& one) { return one.hidden; }));
}

TEST_F(VerifierService, FailureOnAHiddenWorkloadDoesNotNameIt) {
    // 5 x 29 and 48 x 200 are hidden shapes.
    const EvaluateReply reply =
        evaluate(small_kernel("", "if (rows == 5 || rows == 48) y[0] += 1;"), Level::confirm);
    EXPECT_EQ(reply.outcome, Outcome::wrong_result);
    EXPECT_THAT(reply.reason, Not(HasSubstr("secret")));
    EXPECT_THAT(reply.reason, HasSubstr("hidden"));
    EXPECT_EQ(evaluate(small_kernel("", "if (rows == 5) y[0] += 1;")).outcome, Outcome::passed)
        << "hidden shapes must not be used before confirmation";
}

// ---- Orders that make no sense -----------------------------------------------------------------

TEST_F(VerifierService, MalformedFramesAreAnsweredAndSurvived) {
    Frame frame;
    frame.type = FrameType::evaluate;
    frame.payload = "{";
    Frame reply = s_verifier->ask(std::move(frame));
    EXPECT_EQ(reply.type, FrameType::failed);

    frame = {};
    frame.type = FrameType::evaluate;
    frame.payload = to_json(s_verifier->order(Level::measure));
    reply = s_verifier->ask(std::move(frame));
    ASSERT_EQ(reply.type, FrameType::failed);
    EXPECT_THAT(parse_failed_frame(reply).message(), HasSubstr("handle"));

    frame = {};
    frame.type = FrameType::run_ended;
    EXPECT_EQ(s_verifier->ask(std::move(frame)).type, FrameType::failed);

    EvaluateOrder unknown = s_verifier->order(Level::measure);
    unknown.task.bytes[0] ^= 1;
    frame = {};
    frame.type = FrameType::evaluate;
    frame.payload = to_json(unknown);
    frame.handles.push_back(testing::build_shared_object("int x;"));
    reply = s_verifier->ask(std::move(frame));
    ASSERT_EQ(reply.type, FrameType::failed);
    EXPECT_EQ(parse_failed_frame(reply).code, ErrorCode::not_found);
}

TEST(VerifierServiceAlone, ADeadRunnerIsAFaultOfOursAndEndsTheVerifier) {
    TestVerifier verifier;
    ASSERT_EQ(verifier.evaluate(small_kernel("", ""), Level::verify).outcome, Outcome::passed);
    verifier.runner().process().kill();
    Frame frame;
    frame.type = FrameType::evaluate;
    frame.payload = to_json(verifier.order(Level::verify));
    frame.handles.push_back(
        testing::build_shared_object(with_entry_point(*verifier.task(), small_kernel("", ""))));
    const Frame reply = verifier.ask(std::move(frame));
    ASSERT_EQ(reply.type, FrameType::failed);
    EXPECT_EQ(parse_failed_frame(reply).code, ErrorCode::unavailable);
    const auto end = verifier.verifier().process().wait(testing::k_patience);
    ASSERT_TRUE(end);
    EXPECT_EQ(end->text(), "exit status 1");
}

TEST(VerifierServiceAlone, ATaskThatChangedIsRefused) {
    TestVerifier verifier;
    Frame load;
    load.type = FrameType::load_task;
    Digest other = verifier.task()->digest;
    other.bytes[5] ^= 1;
    load.payload = to_json(LoadTask{verifier.task()->folder, other});
    load.handles.push_back(testing::build_shared_object("int x;"));
    const Frame reply = verifier.ask(std::move(load));
    ASSERT_EQ(reply.type, FrameType::failed);
    EXPECT_THAT(parse_failed_frame(reply).message(), HasSubstr("changed"));
}

}  // namespace
}  // namespace atl
