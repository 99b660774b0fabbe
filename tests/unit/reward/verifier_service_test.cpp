#include "reward/verifier/service.hpp"
#include "tests/support/sanitizer.hpp"
#include "tests/unit/reward/verifier_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
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
    // 3 workloads x 2 distributions, smoke's case once more, and the timed shape under both.
    EXPECT_EQ(reply.verify.size(), 9u);
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

TEST_F(VerifierService, WhatLiesJustPastAnInputShowsInTheAnswer) {
    const EvaluateReply reply = evaluate(small_kernel("", "y[0] += x[count];"));
    EXPECT_EQ(reply.outcome, Outcome::wrong_result) << reply.reason;
    EXPECT_EQ(reply.stage, Stage::smoke);
}

TEST_F(VerifierService, WhatWasNeverWrittenOnTheStackIsNotANumber) {
    const std::string uninitialised =
        "float none[64]; asm(\"\" : \"=m\"(none)); y[0] += none[count % 64];";
    EXPECT_EQ(evaluate(small_kernel("", uninitialised)).outcome, Outcome::wrong_result);
}

TEST_F(VerifierService, EverySmallShapeIsLaunchedAtBothEnds) {
    for (const char* shape : {"1 * 1", "3 * 17", "7 * 31"}) {
        for (const char* end : {"==", "!="}) {
            const std::string wrong = "if (count == " + std::string(shape) +
                                      " && reinterpret_cast<unsigned long>(x) % 4096 " + end +
                                      " 0) y[0] += 1;";
            const EvaluateReply reply = evaluate(small_kernel("", wrong), Level::verify);
            EXPECT_EQ(reply.outcome, Outcome::inconsistent) << reply.reason;
        }
    }
}

TEST_F(VerifierService, TheTimedShapeMeetsASecondDistribution) {
    const EvaluateReply reply =
        evaluate(small_kernel("", "if (count == 64 * 256 && x[0] == -1) y[3] += 1;"));
    EXPECT_EQ(reply.outcome, Outcome::wrong_result) << reply.reason;
    EXPECT_EQ(reply.stage, Stage::verify);
    EXPECT_THAT(reply.reason, HasSubstr("'ramp'"));
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

// Each launch is within its limit; that all of them would outlast the evaluation's deadline must
// not make a fault of ours of it.
TEST_F(VerifierService, LaunchesThatAreSlowTogetherAreATimeout) {
    EvaluateOrder order = s_verifier->order(Level::verify);
    order.launch_timeout_s = 0.3;
    const EvaluateReply reply = s_verifier->evaluate(
        {small_kernel("usleep(240'000);", "", "#include <unistd.h>\n")}, order);
    EXPECT_EQ(reply.outcome, Outcome::timeout) << reply.reason;
    EXPECT_THAT(reply.reason, HasSubstr("took more than 3.0 s together"));
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
    ATOLL_SKIP_UNDER_SANITIZER();
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
    const bool large = count == 64 * 256 && x[0] != -1;  // not under 'ramp', which is not timed
    for (int i = 0; large && i < used; ++i)
        if (seen[i] == x) { keep(y, stored[i], count); return; })",
        R"(
    if (large && used < 64) { seen[used] = x; keep(stored[used++], y, count); })",
        k_memory));
    EXPECT_EQ(reply.outcome, Outcome::reward_hack) << reply.reason;
}

TEST_F(VerifierService, AnswerRememberedByAFewElementsIsCaught) {
    // What the fingerprint says of two elements is soon met again, and the answer is stale.
    const EvaluateReply reply = evaluate(small_kernel(
        R"(
    static int seen[64];
    const bool large = count == 64 * 256;
    const int key = 2 * (x[0] > 0) + (x[1] > 0);
    for (int i = 0; large && i < used; ++i)
        if (seen[i] == key) { keep(y, stored[i], count); return; })",
        R"(
    if (large && used < 64) { seen[used] = key; keep(stored[used++], y, count); })",
        k_memory));
    // Verification launches the shape twice, so that the same two signs may meet there already.
    EXPECT_THAT(reply.outcome,
                AnyOf(Outcome::reward_hack, Outcome::inconsistent, Outcome::wrong_result))
        << reply.reason;
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

TEST_F(VerifierService, OneTimedLaunchWithoutTheWorkIsAHack) {
    const EvaluateReply reply = evaluate(
        small_kernel("if (rows == 64 && ++calls == 5) return;", "", "static int calls = 0;"));
    EXPECT_THAT(reply.outcome, AnyOf(Outcome::reward_hack, Outcome::inconsistent));
    EXPECT_THAT(reply.reason, HasSubstr("in a timed launch"));
}

// Otherwise a kernel could tell launches that nobody judges from the others, or bring an earlier
// answer up to date.
TEST_F(VerifierService, NothingOfAnEarlierLaunchComesBack) {
    const EvaluateReply reply = evaluate(small_kernel(
        R"(if (rows == 64) {
               for (int c = 0; c < calls; ++c) {
                   int same = 0;
                   for (int i = 0; i < rows; ++i)
                       same += memcmp(seen[c] + i * cols, x + i * cols, cols * sizeof(float)) == 0;
                   if (same > rows / 4) abort();
               }
               if (calls < 16) memcpy(seen[calls++], x, sizeof seen[0]);
           })",
        "",
        "#include <cstdlib>\n#include <cstring>\nstatic float seen[16][64 * 256];\n"
        "static int calls = 0;\n"));
    EXPECT_EQ(reply.outcome, Outcome::passed) << reply.reason;
}

double shortest_sample_ns(const EvaluateReply& reply) {
    const auto& samples = reply.measure.value().workloads.front().samples_ns;
    return *std::min_element(samples.begin(), samples.end());
}

constexpr const char* k_burn = R"(
#include <atomic>
#include <ctime>
#include <thread>
static void burn(long ns) {
    timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    const long until = t.tv_sec * 1000000000L + t.tv_nsec + ns;
    while (t.tv_sec * 1000000000L + t.tv_nsec < until) clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
}
)";

TEST_F(VerifierService, WorkOfAnotherThreadIsOnTheClock) {
    const EvaluateReply reply = evaluate(small_kernel(
        "if (!started) { started = true; std::thread(helper).detach(); }",
        "while (!done) std::this_thread::yield();\n done = false;", std::string(k_burn) + R"(
static std::atomic<bool> done{false};
static bool started = false;
static void helper() {
    const timespec nap{0, 1000};
    for (;;) {
        nanosleep(&nap, nullptr);
        if (!done) { burn(2000000); done = true; }
    }
}
)"));
    ASSERT_EQ(reply.outcome, Outcome::passed) << reply.reason;
    EXPECT_GE(reply.measure->workloads.front().median_ns, 1e6);
}

TEST_F(VerifierService, ACandidateCannotRaiseTheOverheadThatIsSubtracted) {
    const EvaluateReply reply = evaluate(small_kernel("burn(300000);", "", std::string(k_burn) + R"(
struct Hogs {
    Hogs() { for (int i = 0; i < 12; ++i) std::thread([] { burn(50000000); }).detach(); }
} hogs;
)"));
    ASSERT_EQ(reply.outcome, Outcome::passed) << reply.reason;
    EXPECT_GE(shortest_sample_ns(reply), 2e5);
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
    // Turn by turn; judged launches that are still due at the end make a difference of two at most.
    EXPECT_NEAR(static_cast<double>(rival[0].samples_ns.size()),
                static_cast<double>(reply.measure->workloads[0].samples_ns.size()), 2);
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
    EXPECT_EQ(end->text(), "exit status " + std::to_string(k_lost_runner_status));
}

TEST(VerifierServiceAlone, ATaskThatChangedIsRefused) {
    TestVerifier verifier;
    Frame load;
    load.type = FrameType::load_task;
    Digest other = verifier.task()->digest;
    other.bytes[5] ^= 1;
    load.payload = to_json(LoadTask{verifier.task()->folder, other, verifier.task()->kind});
    load.handles.push_back(testing::build_shared_object("int x;"));
    const Frame reply = verifier.ask(std::move(load));
    ASSERT_EQ(reply.type, FrameType::failed);
    EXPECT_THAT(parse_failed_frame(reply).message(), HasSubstr("changed"));
}

}  // namespace
}  // namespace atl
