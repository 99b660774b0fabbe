#include "reward/gpu/gpu_jail.hpp"

#include "reward/base/jail_landlock.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/cuda/runner_fixture.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <functional>
#include <thread>

namespace atl {
namespace {

using testing::Buffer;
using ::testing::Contains;
using ::testing::HasSubstr;
using testing::in;
using testing::pointer;
using ::testing::StartsWith;

constexpr int k_open_channel = 0x7ff;  ///< no descriptor of this process

/// errno of a call, 0 when it worked.
int tried(long result) {
    return result < 0 ? errno : 0;
}

/// Runs `attempt` in a child process behind the filter and returns what it returns (below 256).
int behind_filter(GpuRole role, const std::function<int()>& attempt) {
    const SyscallFilter filter = value_or_throw(gpu_filter(role));
    const pid_t child = ::fork();
    if (child == 0) {
        const bool closed = ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
                            filter.apply_to_all_threads().has_value();
        ::_exit(closed ? attempt() : 254);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

int runner_tries(const std::function<long()>& call) {
    return behind_filter(GpuRole::runner, [&] { return tried(call()); });
}
int verifier_tries(const std::function<long()>& call) {
    return behind_filter(GpuRole::verifier, [&] { return tried(call()); });
}

class GpuFilterTest : public ::testing::Test {
  protected:
    void SetUp() override {
        if (!SyscallFilter::supported()) {
            GTEST_SKIP() << "this kernel has no seccomp";
        }
    }
};

TEST_F(GpuFilterTest, WhatAttacksAreMadeOfIsNotPermitted) {
    EXPECT_EQ(runner_tries([] { return ::socket(AF_INET, SOCK_STREAM, 0); }), EPERM);
    EXPECT_EQ(runner_tries([] { return ::socket(AF_UNIX, SOCK_STREAM, 0); }), EPERM);
    EXPECT_EQ(runner_tries([] { return ::connect(k_open_channel, nullptr, 0); }), EPERM);
    EXPECT_EQ(runner_tries([] { return ::execl("/bin/true", "true", nullptr); }), EPERM);
    EXPECT_EQ(runner_tries([] { return ::ptrace(PTRACE_ATTACH, ::getpid(), nullptr, nullptr); }),
              EPERM);
    EXPECT_EQ(runner_tries([] { return ::kill(::getpid(), 0); }), EPERM);
    EXPECT_EQ(runner_tries([] { return ::memfd_create("code", 0); }), EPERM);
}

TEST_F(GpuFilterTest, WhatNobodyNamedIsNotImplemented) {
    EXPECT_EQ(runner_tries([] { return ::syscall(SYS_add_key, nullptr, nullptr, nullptr, 0, 0); }),
              ENOSYS);
    EXPECT_EQ(runner_tries([] { return ::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0); }), ENOSYS)
        << "no new process";
    EXPECT_EQ(runner_tries([] { return ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); }), ENOSYS);
}

TEST_F(GpuFilterTest, OnlyIoctlNumbersOfTheDriverPass) {
    // The kernel looks at the descriptor only behind the filter.
    EXPECT_EQ(runner_tries([] { return ::ioctl(k_open_channel, 0xc020462aUL, nullptr); }), EBADF);
    EXPECT_EQ(runner_tries([] { return ::ioctl(k_open_channel, 0x48UL, nullptr); }), EBADF);
    EXPECT_EQ(runner_tries([] { return ::ioctl(k_open_channel, TIOCSTI, nullptr); }), ENOSYS);
    EXPECT_EQ(runner_tries([] { return ::ioctl(k_open_channel, 0x1234561aUL, nullptr); }), ENOSYS);
}

TEST_F(GpuFilterTest, MemoryIsNeverMadeExecutable) {
    const auto map = [](int protection) {
        return [protection]() -> long {
            return ::mmap(nullptr, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
                           MAP_FAILED
                       ? -1
                       : 0;
        };
    };
    EXPECT_EQ(runner_tries(map(PROT_READ | PROT_WRITE)), 0);
    EXPECT_EQ(runner_tries(map(PROT_READ | PROT_EXEC)), ENOSYS);
    EXPECT_EQ(runner_tries([] {
                  alignas(4096) static char page[4096];
                  return ::mprotect(page, sizeof(page), PROT_READ | PROT_EXEC);
              }),
              ENOSYS);
}

TEST_F(GpuFilterTest, NobodyMakesFiles) {
    EXPECT_EQ(runner_tries([] { return ::open("/tmp/left behind", O_CREAT | O_WRONLY, 0600); }),
              ENOSYS);
    EXPECT_EQ(runner_tries([] { return ::open("/dev/null", O_WRONLY | O_TRUNC); }), ENOSYS);
    EXPECT_EQ(runner_tries([] { return ::syscall(SYS_creat, "/tmp/left behind", 0600); }), ENOSYS);
    EXPECT_EQ(runner_tries([] { return ::open("/dev/null", O_RDWR); }), 0)
        << "devices are opened once more";
}

TEST_F(GpuFilterTest, AVerifierReadsFilesAndWritesNone) {
    EXPECT_EQ(verifier_tries([] { return ::open("/etc/passwd", O_RDONLY); }), 0);
    EXPECT_EQ(verifier_tries([] { return ::open("/tmp/left behind", O_CREAT | O_WRONLY, 0600); }),
              ENOSYS);
    EXPECT_EQ(verifier_tries([] { return ::execl("/bin/true", "true", nullptr); }), EPERM);
    EXPECT_EQ(verifier_tries([] { return ::socket(AF_INET, SOCK_STREAM, 0); }), EPERM);
}

TEST_F(GpuFilterTest, ThreadsThatRanBeforeAreBehindItToo) {
    const SyscallFilter filter = value_or_throw(gpu_filter(GpuRole::runner));
    const pid_t child = ::fork();
    if (child == 0) {
        std::atomic<bool> closed = false;
        int seen = 0;
        std::thread earlier([&] {
            while (!closed) {
                std::this_thread::yield();
            }
            seen = tried(::socket(AF_INET, SOCK_STREAM, 0));
        });
        ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        const bool applied = filter.apply_to_all_threads().has_value();
        closed = true;
        earlier.join();
        ::_exit(applied ? seen : 254);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), EPERM);
}

TEST(GpuJail, OfTheFileSystemReadingIsLeft) {
    if (landlock_version() == 0) {
        GTEST_SKIP() << "this kernel has no Landlock";
    }
    const testing::TemporaryFolder folder;
    const std::string path = folder.path() / "file";
    const pid_t child = ::fork();
    if (child == 0) {
        GpuJail jail;
        const bool entered =
            enter_gpu_jail(jail).has_value() && close_gpu_jail(GpuRole::verifier, jail).has_value();
        const bool writes = ::open(path.c_str(), O_CREAT | O_WRONLY, 0600) >= 0;
        const bool reads = ::open("/etc/passwd", O_RDONLY) >= 0;
        const bool restricted = jail.level == SandboxLevel::restricted;
        ::_exit((entered ? 0 : 1) + (writes ? 2 : 0) + (reads ? 0 : 4) + (restricted ? 0 : 8));
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

constexpr const char* k_hostile = R"(
    #include <cerrno>
    #include <fcntl.h>
    #include <sys/socket.h>
    #include <unistd.h>
    SIMULATED_KERNEL(attacks) {
        float* const y = at<float*>(parameters, 0);
        y[0] = socket(AF_INET, SOCK_STREAM, 0) < 0 ? errno : 0;
        y[1] = open("/tmp/left behind", O_CREAT | O_WRONLY, 0600) < 0 ? errno : 0;
        return 0;
    }
    SIMULATED_KERNEL(starts_a_program) {
        float* const y = at<float*>(parameters, 0);
        y[0] = execl("/bin/true", "true", nullptr) < 0 ? errno : 0;
        y[1] = fork() < 0 ? errno : 0;
        return 0;
    }
)";

class JailedRunnerTest : public testing::WithRunner {};

TEST_F(JailedRunnerTest, SaysWhatJailItIsInAndCodeWithinGetsNothing) {
    if (!SyscallFilter::supported() || landlock_version() == 0) {
        GTEST_SKIP() << "this kernel has no seccomp or no Landlock";
    }
    start();
    const Frame answer = open_device();
    ASSERT_EQ(answer.type, FrameType::gpu_started);
    const GpuStarted started = value_or_throw(parse_gpu_started(answer.payload));
    EXPECT_EQ(started.jail, SandboxLevel::restricted);
    EXPECT_THAT(started.layers, Contains("seccomp"));
    EXPECT_THAT(started.layers, Contains(StartsWith("Landlock")));
    share_buffers();
    std::vector<FileHandle> handles;
    handles.push_back(value_or_throw(
        write_gpu_package({testing::simulated_cubin(k_hostile),
                           {{0, plan_of("attacks")}, {1, plan_of("starts_a_program")}}})));
    payload_of(ask(to_json(GpuLoadCall{0}), std::move(handles)));
    EXPECT_FALSE(play(play_call({0})).fault);
    EXPECT_EQ(values(1)[0], EPERM);
    EXPECT_EQ(values(1)[1], ENOSYS);
    EXPECT_FALSE(play(play_call({1})).fault);
    EXPECT_EQ(values(1)[0], EPERM);
    EXPECT_GT(values(1)[1], 0) << "no new process";
}

}  // namespace
}  // namespace atl
