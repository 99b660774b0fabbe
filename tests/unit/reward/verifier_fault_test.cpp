#include "reward/verifier/candidate_fault.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

namespace atl {
namespace {

using ::testing::HasSubstr;

StartRun limits() {
    StartRun message;
    message.memory_bytes = 1ull << 30;
    message.cpu_seconds = 10;
    return message;
}

RunEnded by_signal(int number) {
    RunEnded death;
    death.signalled = true;
    death.status = number;
    return death;
}

Outcome outcome_of(const RunEnded& death, bool killed = false) {
    return fault_of_death(death, killed, limits()).outcome;
}

TEST(FaultOfDeath, SignalsMapToOutcomes) {
    EXPECT_EQ(outcome_of(by_signal(SIGSYS)), Outcome::forbidden_call);
    EXPECT_EQ(outcome_of(by_signal(SIGSEGV)), Outcome::memory_fault);
    EXPECT_EQ(outcome_of(by_signal(SIGBUS)), Outcome::memory_fault);
    EXPECT_EQ(outcome_of(by_signal(SIGXCPU)), Outcome::timeout);
    EXPECT_EQ(outcome_of(by_signal(SIGABRT)), Outcome::crash);
    EXPECT_EQ(outcome_of(by_signal(SIGILL)), Outcome::crash);
    EXPECT_EQ(outcome_of(by_signal(SIGFPE)), Outcome::crash);
}

TEST(FaultOfDeath, ARefusedSystemCallIsNamedWhereItIsKnown) {
    RunEnded death = by_signal(SIGSYS);
    EXPECT_EQ(fault_of_death(death, false, limits()).reason,
              "made a system call that the jail does not allow");
    death.refused_call = "socket";
    EXPECT_EQ(fault_of_death(death, false, limits()).reason,
              "made a system call that the jail does not allow: socket");
    // A name decides nothing.
    death.status = SIGSEGV;
    EXPECT_EQ(outcome_of(death), Outcome::memory_fault);
}

TEST(FaultOfDeath, AKillFromOutsideIsUnexplainedUnlessTheMemoryWasFull) {
    RunEnded death = by_signal(SIGKILL);
    EXPECT_EQ(outcome_of(death), Outcome::crash);
    EXPECT_TRUE(fault_of_death(death, false, limits()).unexplained);
    death.peak_rss_bytes = 1020ull << 20;
    EXPECT_EQ(outcome_of(death), Outcome::memory_limit);
    EXPECT_FALSE(fault_of_death(death, false, limits()).unexplained);
    EXPECT_FALSE(fault_of_death(by_signal(SIGSEGV), false, limits()).unexplained);
}

TEST(FaultOfDeath, OurKillIsATimeoutWhateverTheStatus) {
    EXPECT_EQ(outcome_of(by_signal(SIGKILL), true), Outcome::timeout);
    EXPECT_EQ(outcome_of(by_signal(SIGSEGV), true), Outcome::timeout);
}

TEST(FaultOfDeath, KernelsKillAtTheCpuLimitIsATimeout) {
    RunEnded death = by_signal(SIGKILL);
    death.cpu_seconds = 10.1;
    EXPECT_EQ(outcome_of(death), Outcome::timeout);
}

TEST(FaultOfDeath, AbortOrFaultWithTheAllowanceFullIsAMemoryLimit) {
    RunEnded death = by_signal(SIGABRT);
    death.peak_rss_bytes = 1020ull << 20;
    EXPECT_EQ(outcome_of(death), Outcome::memory_limit);
    death = by_signal(SIGSEGV);
    death.peak_rss_bytes = 1020ull << 20;
    EXPECT_EQ(outcome_of(death), Outcome::memory_limit);
}

TEST(FaultOfDeath, AMemoryFaultRemindsOfAllocationsThatFail) {
    EXPECT_THAT(fault_of_death(by_signal(SIGSEGV), false, limits()).reason,
                HasSubstr("an allocation that does not fit into its 1024 MiB of memory returns "
                          "null"));
    StartRun unlimited = limits();
    unlimited.memory_bytes = 0;
    EXPECT_THAT(fault_of_death(by_signal(SIGSEGV), false, unlimited).reason,
                ::testing::Not(HasSubstr("allocation")));
}

TEST(FaultOfDeath, LeavingByExitIsACrashThatNamesTheStatus) {
    RunEnded death;
    death.status = 3;
    const CandidateFault fault = fault_of_death(death, false, limits());
    EXPECT_EQ(fault.outcome, Outcome::crash);
    EXPECT_THAT(fault.reason, HasSubstr("exit status 3"));
}

}  // namespace
}  // namespace atl
