#include "reward/base/process.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

namespace {

using namespace std::chrono_literals;
using atl::ChildProcess;
using atl::FileHandle;
using atl::SpawnOptions;

ChildProcess spawn_shell(const std::string& script, SpawnOptions options = {}) {
    options.argv = {"/bin/sh", "-c", script};
    auto child = ChildProcess::spawn(options);
    EXPECT_TRUE(child.has_value()) << child.error().message();
    return std::move(*child);
}

std::string text_of(const FileHandle& file) {
    std::array<char, 256> text{};
    const ssize_t size = ::pread(file.get(), text.data(), text.size(), 0);
    return {text.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

TEST(Process, ReportsHowAProgramEnded) {
    EXPECT_EQ(spawn_shell("exit 3").wait(-1ms)->text(), "exit status 3");
    EXPECT_EQ(spawn_shell("kill -ABRT $$").wait(-1ms)->text(), "killed by signal 6 (Aborted)");
    SpawnOptions missing;
    missing.argv = {"/no/such/program"};
    EXPECT_EQ(ChildProcess::spawn(missing).error().code, atl::ErrorCode::not_found);
}

TEST(Process, GivesTheHandlesThatWereAskedForAndNoOthers) {
    const FileHandle output(::memfd_create("output", MFD_CLOEXEC));
    const FileHandle first(::memfd_create("first", MFD_CLOEXEC));
    // Inheritable, as a careless library would open it.
    const FileHandle leaky(::dup(first.get()));
    ASSERT_EQ(::fcntl(leaky.get(), F_GETFD), 0);
    SpawnOptions options;
    options.output = output.get();
    // Descriptors that overlap with their places 3 and 4 must not overwrite each other.
    const FileHandle second(::memfd_create("second", MFD_CLOEXEC));
    options.handles = {second.get(), first.get()};
    // No pipe: the shell would hold its ends while one looks.
    ChildProcess child = spawn_shell(
        "readlink /proc/$$/fd/3; readlink /proc/$$/fd/4; "
        "for n in 5 6 7 8 9; do if [ -e /proc/$$/fd/$n ]; then echo leaks $n; fi; done; echo end",
        options);
    EXPECT_EQ(child.wait(-1ms)->text(), "exit status 0");
    const std::string text = text_of(output);
    EXPECT_EQ(text.find("/memfd:second (deleted)\n/memfd:first (deleted)\nend\n"), 0u) << text;
}

TEST(Process, GivesOnlyTheEnvironmentThatWasAskedFor) {
    const FileHandle output(::memfd_create("output", MFD_CLOEXEC));
    SpawnOptions options;
    options.argv = {"/usr/bin/env"};
    options.environment = {"ONLY=this"};
    options.output = output.get();
    auto child = ChildProcess::spawn(options);
    ASSERT_TRUE(child.has_value());
    EXPECT_EQ(child->wait(-1ms)->text(), "exit status 0");
    EXPECT_EQ(text_of(output), "ONLY=this\n");
}

TEST(Process, WaitsNoLongerThanTold) {
    ChildProcess child = spawn_shell("exec sleep 1000");
    EXPECT_FALSE(child.wait(0ms).has_value());
    child.kill();
    EXPECT_EQ(child.wait(-1ms)->text(), "killed by signal 9 (Killed)");
    child.kill();
    EXPECT_EQ(child.wait(-1ms)->status, SIGKILL) << "the end is remembered";
}

TEST(Process, DiesWithItsObject) {
    FileHandle watch;
    {
        ChildProcess child = spawn_shell("exec sleep 1000");
        watch.reset(::dup(child.pidfd()));
        ChildProcess other = std::move(child);
        pollfd entry{watch.get(), POLLIN, 0};
        EXPECT_EQ(::poll(&entry, 1, 0), 0) << "moving kills";
    }
    pollfd entry{watch.get(), POLLIN, 0};
    EXPECT_EQ(::poll(&entry, 1, 10'000), 1);
}

TEST(Process, PinsToCores) {
    cpu_set_t before;
    ASSERT_EQ(::sched_getaffinity(0, sizeof(before), &before), 0);
    int core = 0;
    while (!CPU_ISSET(static_cast<std::size_t>(core), &before)) {
        ++core;
    }
    EXPECT_TRUE(atl::pin_to_cores({core}).has_value());
    cpu_set_t now;
    ASSERT_EQ(::sched_getaffinity(0, sizeof(now), &now), 0);
    EXPECT_EQ(CPU_COUNT(&now), 1);
    EXPECT_TRUE(CPU_ISSET(static_cast<std::size_t>(core), &now));
    ::sched_setaffinity(0, sizeof(before), &before);
    EXPECT_FALSE(atl::pin_to_cores({-1}).has_value());
    EXPECT_FALSE(atl::pin_to_cores({1 << 20}).has_value());
    EXPECT_TRUE(atl::pin_to_cores({}).has_value());
}

// A handler of ours that runs in a child writes into pipes that are ours too.
TEST(Process, AForkedChildDoesNotHearTheSignalsThatEndACampaign) {
    static volatile sig_atomic_t heard = 0;
    const auto before = ::signal(SIGINT, [](int) { heard = heard + 1; });
    const pid_t child = atl::fork_without_signals();
    if (child == 0) {
        ::raise(SIGINT);
        ::_exit(heard);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    ::raise(SIGINT);
    EXPECT_EQ(heard, 1);
    ::signal(SIGINT, before);
}

}  // namespace
