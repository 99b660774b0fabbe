#include "reward/base/jail_filter.hpp"
#include "tests/support/sanitizer.hpp"
#include "tests/unit/reward/jail_fixture.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>

namespace {

using namespace atl;
using namespace atl::testing;

class JailRunner : public ::testing::TestWithParam<SandboxLevel> {};

std::string level_name(const ::testing::TestParamInfo<SandboxLevel>& info) {
    return std::string(to_string(info.param));
}

TEST_P(JailRunner, LaunchesOnArgumentsBetweenGuardPages) {
    TestRunner runner(GetParam());
    const FileHandle binary = build_shared_object(entry(R"(
        const float* a = (const float*)tensors[0]; const float* b = (const float*)tensors[1];
        float* c = (float*)tensors[2];
        for (long long i = 0; i < axes[0]; ++i) c[i] = a[i] + scalars[0] * b[i];)"));
    TestRun run(runner, binary, {0, 64, 128}, {2.0}, {100});
    ASSERT_EQ(run.wait_loaded(), k_run_loaded) << run.load_text();
    for (int i = 0; i < 100; ++i) {
        run.buffer<float>(0)[i] = static_cast<float>(i);
        run.buffer<float>(1)[16 + i] = 1.0F;
    }
    ASSERT_TRUE(run.launch());
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(run.buffer<float>(2)[32 + i], static_cast<float>(i + 2));
    }
    run.buffer<float>(0)[99] = 1000.0F;
    ASSERT_TRUE(run.launch());
    EXPECT_EQ(run.buffer<float>(2)[32 + 99], 1002.0F);
    run.kill();
    EXPECT_EQ(text_of(run.wait_ended()), "killed by signal 9 (Killed)");
}

TEST_P(JailRunner, AWriteBeyondEitherEndIsAMemoryFault) {
    TestRunner runner(GetParam());
    const FileHandle binary =
        build_shared_object(entry("((volatile float*)tensors[0])[axes[0]] = 1;"));
    for (const std::int64_t index : {std::int64_t{1024}, std::int64_t{-1}}) {
        TestRun run(runner, binary, {0}, {}, {index});
        EXPECT_EQ(run.launch_and_die().status, SIGSEGV) << index;
    }
    TestRun run(runner, binary, {0}, {}, {1023});
    ASSERT_EQ(run.wait_loaded(), k_run_loaded);
    EXPECT_TRUE(run.launch());
    run.kill();
    (void)run.wait_ended();
}

TEST_P(JailRunner, ArgumentsAreReadOnly) {
    TestRunner runner(GetParam());
    const FileHandle binary = build_shared_object(entry("*(volatile double*)scalars = 5;"));
    TestRun run(runner, binary, {0}, {1.0});
    EXPECT_EQ(run.launch_and_die().status, SIGSEGV);
}

TEST_P(JailRunner, ForbiddenCallsKillWithSigsys) {
    TestRunner runner(GetParam());
    const std::string headers = R"(
        #include <fcntl.h>
        #include <signal.h>
        #include <sys/mman.h>
        #include <sys/socket.h>
        #include <sys/syscall.h>
        #include <unistd.h>
    )";
    for (const std::string body : {
             R"(open("/etc/passwd", O_RDWR);)",
             R"(open("/tmp/x", O_CREAT | O_RDONLY, 0600);)",
             R"(socket(AF_UNIX, SOCK_STREAM, 0);)",
             R"(fork();)",
             R"(char* const none[] = {nullptr}; execve("/bin/true", none, none);)",
             R"(kill(getppid(), SIGKILL);)",
             R"(syscall(SYS_tgkill, getppid(), getppid(), SIGABRT);)",
             R"(syscall(SYS_tgkill, 1, 1, SIGABRT);)",
             R"(write(3, "x", 1);)",
             R"(memfd_create("x", 0);)",
             R"(syscall(SYS_io_uring_setup, 1, nullptr);)",
             R"(syscall(SYS_unshare, 0x10000000);)",
             R"(syscall(SYS_ptrace, 16, 1, 0, 0);)",
             R"(syscall(SYS_process_vm_readv, 1, nullptr, 0, nullptr, 0, 0);)",
             R"(mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);)",
             R"(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);)",
         }) {
        const FileHandle binary = build_shared_object(entry(body, headers));
        TestRun run(runner, binary, {0});
        const RunEnded ended = run.launch_and_die();
        EXPECT_TRUE(ended.signalled) << body;
        EXPECT_EQ(ended.status, SIGSYS) << body;
    }
}

TEST_P(JailRunner, TheForbiddenCallIsNamed) {
    TestRunner runner(GetParam());
    for (const auto& [body, name] : std::vector<std::pair<std::string, std::string>>{
             {"socket(AF_UNIX, SOCK_STREAM, 0);", "socket"},
             {"std::thread([] { syscall(SYS_ptrace, 16, 1, 0, 0); }).join();", "ptrace"},
             {"syscall(9999);", ""},
         }) {
        const FileHandle binary = build_shared_object(
            entry(body,
                  "#include <sys/socket.h>\n#include <sys/syscall.h>\n#include <thread>\n"
                  "#include <unistd.h>\n"));
        TestRun run(runner, binary, {0});
        const RunEnded ended = run.launch_and_die();
        EXPECT_EQ(ended.status, SIGSYS) << body;
        EXPECT_EQ(ended.refused_call, name);
    }
}

TEST_P(JailRunner, AForgedNameOfACallIsOneOfSomeCallOrNone) {
    TestRunner runner(GetParam());
    const FileHandle binary = build_shared_object(entry("__builtin_trap();"));
    for (const std::uint32_t forged : {1u, 10'000u, 0xffffff9bu, 0xffffffffu}) {
        TestRun run(runner, binary, {0});
        run.control().refused_call.store(forged);
        const RunEnded ended = run.launch_and_die();
        EXPECT_EQ(ended.status, SIGILL);
        EXPECT_EQ(ended.refused_call, forged == 1 ? system_call_name(0) : "");
    }
}

/// Blocking the signal keeps the name from being told, and nothing else.
TEST_P(JailRunner, AForbiddenCallEndsTheProcessWhateverSignalsItBlocks) {
    TestRunner runner(GetParam());
    const FileHandle binary = build_shared_object(
        entry("sigset_t all; sigfillset(&all); sigprocmask(SIG_BLOCK, &all, nullptr);"
              "signal(SIGSYS, SIG_IGN); socket(AF_UNIX, SOCK_STREAM, 0);",
              "#include <signal.h>\n#include <sys/socket.h>\n"));
    TestRun run(runner, binary, {0});
    const RunEnded ended = run.launch_and_die();
    EXPECT_TRUE(ended.signalled);
    EXPECT_EQ(ended.status, SIGSYS);
}

#ifdef __x86_64__
TEST_P(JailRunner, CallsOfOtherInstructionSetsKillTheWholeProcess) {
    TestRunner runner(GetParam());
    const FileHandle binary = build_shared_object(
        entry("std::thread(forbidden).join();",
              "#include <thread>\nstatic void forbidden() "
              "{ long r = 20; asm volatile(\"int $0x80\" : \"+a\"(r) : : \"memory\"); }"));
    TestRun run(runner, binary, {0});
    const RunEnded ended = run.launch_and_die();
    // A kernel without 32-bit support faults instead.
    EXPECT_TRUE(ended.status == SIGSYS || ended.status == SIGSEGV) << text_of(ended);
}
#endif

TEST_P(JailRunner, ConstructorsFindNoFilesAndReachNobody) {
    TestRunner runner(GetParam());
    const std::string probe = R"(
        #include <fcntl.h>
        #include <unistd.h>
        #include <initializer_list>
        static int found = 0;
        __attribute__((constructor)) void look() {
            for (const char* path : {"/etc/passwd", "/proc/self/maps", "/proc/1/environ", "/usr",
                                     "/lib/x86_64-linux-gnu/libc.so.6", "/tmp", "/home", "/dev/null"}) {
                found += open(path, O_RDONLY) >= 0;
            }
            for (int fd = 3; fd < 64; ++fd) { char byte; found += pread(fd, &byte, 1, 0) >= 0 && fd != 4; }
        }
    )";
    const FileHandle binary = build_shared_object(entry("*(int*)tensors[0] = found;", probe));
    TestRun run(runner, binary, {0});
    ASSERT_EQ(run.wait_loaded(), k_run_loaded) << run.load_text();
    *run.buffer<int>(0) = -1;
    ASSERT_TRUE(run.launch());
    EXPECT_EQ(*run.buffer<int>(0), 0);
    run.kill();
    (void)run.wait_ended();

    const FileHandle caller = build_shared_object(
        entry("",
              "#include <sys/socket.h>\n__attribute__((constructor)) void call() "
              "{ socket(AF_INET, SOCK_STREAM, 0); }"));
    TestRun dying(runner, caller, {0});
    EXPECT_EQ(dying.wait_loaded(), k_run_ended);
    EXPECT_EQ(dying.wait_ended().status, SIGSYS);
}

TEST_P(JailRunner, ALaunchSeesNoFilesButMayLookForThem) {
    TestRunner runner(GetParam());
    // libc opens a file to count the cores.
    const FileHandle binary =
        build_shared_object(entry("((int*)tensors[0])[0] = open(\"/etc/passwd\", O_RDONLY); "
                                  "((int*)tensors[0])[1] = std::thread::hardware_concurrency();",
                                  "#include <fcntl.h>\n#include <thread>\n"));
    TestRun run(runner, binary, {0});
    ASSERT_EQ(run.wait_loaded(), k_run_loaded) << run.load_text();
    ASSERT_TRUE(run.launch());
    EXPECT_EQ(run.buffer<int>(0)[0], -1);
    EXPECT_GE(run.buffer<int>(0)[1], 1);
    run.kill();
    (void)run.wait_ended();
}

TEST_P(JailRunner, HasNoEnvironmentAndNoStreams) {
    TestRunner runner(GetParam());
    const FileHandle binary = build_shared_object(
        entry("int n = 0; for (char** e = environ; e && *e; ++e) ++n; *(int*)tensors[0] = n; "
              "printf(\"into nothing\\n\"); fflush(stdout);",
              "#include <cstdio>\n#include <unistd.h>\n"));
    TestRun run(runner, binary, {0});
    ASSERT_EQ(run.wait_loaded(), k_run_loaded);
    *run.buffer<int>(0) = -1;
    ASSERT_TRUE(run.launch());
    EXPECT_EQ(*run.buffer<int>(0), 0);
    run.kill();
    (void)run.wait_ended();
}

TEST_P(JailRunner, AnEndlessLoopIsKilledThroughThePidHandle) {
    TestRunner runner(GetParam());
    const FileHandle binary = build_shared_object(
        entry("*(volatile int*)tensors[0] = 1; for (volatile int i = 0;; ++i);"));
    TestRun run(runner, binary, {0});
    ASSERT_EQ(run.wait_loaded(), k_run_loaded);
    run.control().command.fetch_add(1);
    futex_wake(run.control().command);
    while (*static_cast<volatile int*>(run.buffer<int>(0)) != 1) {
        ::usleep(1000);
    }
    run.kill();
    EXPECT_EQ(run.wait_ended().status, SIGKILL);
    EXPECT_EQ(run.control().reply.load(), k_run_reply_dead);
}

TEST_P(JailRunner, AnEarlyExitAndAnAbortAreReported) {
    ATOLL_SKIP_UNDER_TSAN();
    TestRunner runner(GetParam());
    {
        const FileHandle binary = build_shared_object(entry("_exit(0);", "#include <unistd.h>\n"));
        TestRun run(runner, binary, {0});
        EXPECT_EQ(text_of(run.launch_and_die()), "exit status 0");
    }
    const FileHandle binary =
        build_shared_object(entry("assert(axes[0] == 3);", "#undef NDEBUG\n#include <cassert>\n"));
    TestRun run(runner, binary, {0}, {}, {4});
    EXPECT_EQ(text_of(run.launch_and_die()), "killed by signal 6 (Aborted)");
}

TEST_P(JailRunner, ThreadsThatAreJoinedWork) {
    TestRunner runner(GetParam());
    const FileHandle binary = build_shared_object(entry(R"(
        int* out = (int*)tensors[0];
        std::thread a([=] { out[0] = 11; }); std::thread b([=] { out[1] = 22; });
        a.join(); b.join();
        int sum = 0;
        #pragma omp parallel for reduction(+ : sum) num_threads(2)
        for (int i = 0; i < 100; ++i) sum += i;
        out[2] = sum;)",
                                                        "#include <thread>\n"),
                                                  {"-fopenmp"});
    TestRun run(runner, binary, {0});
    ASSERT_EQ(run.wait_loaded(), k_run_loaded) << run.load_text();
    ASSERT_TRUE(run.launch());
    EXPECT_EQ(run.buffer<int>(0)[0], 11);
    EXPECT_EQ(run.buffer<int>(0)[1], 22);
    EXPECT_EQ(run.buffer<int>(0)[2], 4950);
    run.kill();
    (void)run.wait_ended();
}

TEST_P(JailRunner, AHugeAllocationFailsWithoutHarm) {
    ATOLL_SKIP_UNDER_SANITIZER();
    TestRunner runner(GetParam());
    const FileHandle binary = build_shared_object(
        entry("volatile auto p = malloc(100ull << 30); *(int*)tensors[0] = p == nullptr; "
              "volatile auto q = malloc(64 << 20); *((int*)tensors[0] + 1) = q != nullptr;",
              "#include <cstdlib>\n"));
    TestRun run(runner, binary, {0}, {}, {}, 256ull << 20);
    ASSERT_EQ(run.wait_loaded(), k_run_loaded);
    ASSERT_TRUE(run.launch());
    EXPECT_EQ(run.buffer<int>(0)[0], 1);
    EXPECT_EQ(run.buffer<int>(0)[1], 1);
    run.kill();
    (void)run.wait_ended();
}

TEST_P(JailRunner, ABinaryThatCannotBeLoadedSaysWhy) {
    TestRunner runner(GetParam());
    {
        const FileHandle binary = build_shared_object("int nothing;");
        TestRun run(runner, binary, {0});
        EXPECT_EQ(run.wait_loaded(), k_run_load_failed);
        EXPECT_NE(run.load_text().find("atoll_entry"), std::string::npos) << run.load_text();
        EXPECT_EQ(text_of(run.wait_ended()), "exit status 0");
        EXPECT_EQ(run.control().state.load(), k_run_load_failed);
    }
    const FileHandle binary =
        build_shared_object(entry("missing_function();", "void missing_function();"));
    TestRun run(runner, binary, {0});
    EXPECT_EQ(run.wait_loaded(), k_run_load_failed);
    EXPECT_NE(run.load_text().find("missing_function"), std::string::npos) << run.load_text();
    EXPECT_NE(run.load_text().find("candidate.so"), std::string::npos) << run.load_text();
    (void)run.wait_ended();
}

TEST_P(JailRunner, ReportsWhatTheProcessUsed) {
    TestRunner runner(GetParam());
    const FileHandle binary = build_shared_object(entry(
        "auto p = (char*)malloc(64 << 20); memset(p, 1, 64 << 20); asm volatile(\"\" :: \"r\"(p) "
        ": \"memory\"); _exit(3);",
        "#include <cstdlib>\n#include <cstring>\n#include <unistd.h>\n"));
    TestRun run(runner, binary, {0});
    const RunEnded ended = run.launch_and_die();
    EXPECT_EQ(ended.status, 3);
    EXPECT_GE(ended.peak_rss_bytes, 64ull << 20);
    EXPECT_LT(ended.peak_rss_bytes, 256ull << 20);
    EXPECT_GT(ended.cpu_seconds, 0);
}

TEST_P(JailRunner, AnOrderThatDoesNotFitIsAFaultOfOurs) {
    TestRunner runner(GetParam());
    const FileHandle binary = build_shared_object(entry(""));
    SharedMemory control(k_run_control_bytes);
    SharedMemory buffer(4096);
    const auto answer_to = [&](StartRun order, std::size_t handles) {
        Frame frame;
        frame.type = FrameType::start_run;
        frame.request = 5;
        frame.payload = to_json(order);
        frame.handles.emplace_back(::dup(binary.get()));
        frame.handles.push_back(control.handle());
        frame.handles.push_back(buffer.handle());
        frame.handles.resize(handles);
        EXPECT_TRUE(runner.channel().send(frame).has_value());
        auto answer = runner.channel().receive(k_patience);
        EXPECT_TRUE(answer.has_value());
        EXPECT_EQ(answer->request, 5u);
        return answer->type;
    };
    StartRun too_large;
    too_large.mappings = {{2, 8192}};
    EXPECT_EQ(answer_to(too_large, 3), FrameType::failed);
    StartRun fitting;
    fitting.mappings = {{2, 4096}};
    EXPECT_EQ(answer_to(fitting, 2), FrameType::failed);
    EXPECT_EQ(answer_to(fitting, 1), FrameType::failed);
    StartRun bad_core = fitting;
    bad_core.cores = {4095};
    EXPECT_EQ(answer_to(bad_core, 3), FrameType::run_started);
    const auto failed = runner.channel().receive(k_patience);
    ASSERT_TRUE(failed.has_value());
    EXPECT_EQ(failed->type, FrameType::failed);
    EXPECT_NE(parse_failed_frame(*failed).what.find("4095"), std::string::npos);
    // The runner goes on working.
    TestRun run(runner, binary, {0});
    EXPECT_EQ(run.wait_loaded(), k_run_loaded);
}

TEST_P(JailRunner, RunsDieWithThePeer) {
    const FileHandle binary = build_shared_object(entry(""));
    auto runner = std::make_unique<TestRunner>(GetParam());
    auto run = std::make_unique<TestRun>(*runner, binary, std::vector<std::uint64_t>{0});
    ASSERT_EQ(run->wait_loaded(), k_run_loaded);
    Frame stop;
    stop.type = FrameType::stop;
    ASSERT_TRUE(runner->channel().send(stop).has_value());
    const auto end = runner->worker().process().wait(k_patience);
    ASSERT_TRUE(end.has_value());
    EXPECT_EQ(end->text(), "exit status 0");
    EXPECT_EQ(runner->channel().receive(k_patience).error().code, ErrorCode::unavailable);
}

TEST_P(JailRunner, TrustedBinariesSeeTheHostsLibraries) {
    TestRunner runner(GetParam());
    const FileHandle binary = build_shared_object(
        entry("FILE* f = fopen(\"/etc/passwd\", \"r\"); *(int*)tensors[0] = f != nullptr;",
              "#include <cstdio>\n"));
    TestRun run(runner, binary, {0}, {}, {}, 1ull << 30, true);
    ASSERT_EQ(run.wait_loaded(), k_run_loaded) << run.load_text();
    ASSERT_TRUE(run.launch());
    EXPECT_EQ(*run.buffer<int>(0), 1);
    run.kill();
    EXPECT_EQ(run.wait_ended().status, SIGKILL);
}

INSTANTIATE_TEST_SUITE_P(Levels, JailRunner,
                         ::testing::Values(SandboxLevel::full, SandboxLevel::restricted),
                         level_name);

TEST(JailRunnerStart, ARunnerStartsOneCandidateAfterTheOther) {
    const FileHandle binary = build_shared_object(entry(""));
    for (const auto level : {SandboxLevel::none, SandboxLevel::restricted, SandboxLevel::full}) {
        TestRunner runner(level);
        for (int i = 0; i < 20; ++i) {
            TestRun run(runner, binary, {0, 0, 0});
            ASSERT_EQ(run.wait_loaded(), k_run_loaded) << to_string(level) << ", run " << i;
            ASSERT_TRUE(run.launch()) << to_string(level) << ", run " << i;
            run.kill();
            EXPECT_EQ(run.wait_ended().status, SIGKILL) << to_string(level) << ", run " << i;
        }
    }
}

TEST(JailRunnerStart, WorkerAndCandidatesDieWithTheSupervisor) {
    const FileHandle binary = build_shared_object(entry(""));
    auto pipe = make_socket_pair();
    ASSERT_TRUE(pipe.has_value());
    const pid_t supervisor = ::fork();
    ASSERT_GE(supervisor, 0);
    if (supervisor == 0) {
        TestRunner runner;
        TestRun run(runner, binary, {0});
        (void)run.wait_loaded();
        Frame frame;
        frame.handles.emplace_back(::dup(runner.worker().process().pidfd()));
        frame.handles.emplace_back(::dup(run.pidfd()));
        (void)FrameChannel(std::move(pipe->second)).send(frame);
        ::raise(SIGKILL);
    }
    pipe->second.reset();
    const auto frame = FrameChannel(std::move(pipe->first)).receive(k_patience);
    ASSERT_TRUE(frame.has_value()) << frame.error().message();
    for (const FileHandle& handle : frame->handles) {
        pollfd dead{handle.get(), POLLIN, 0};
        EXPECT_EQ(::poll(&dead, 1, static_cast<int>(k_patience.count())), 1);
    }
    ::waitpid(supervisor, nullptr, 0);
}

TEST(JailRunnerStart, RefusesToWorkBelowTheRequiredLevel) {
    auto ends = make_socket_pair();
    WorkerOptions options;
    options.program = ATOLL_BIN_DIR "/atoll-worker";
    options.required = SandboxLevel::full;
    options.at_most = SandboxLevel::restricted;
    const auto worker =
        WorkerProcess::start(WorkerRole::runner, options, 1, std::move(ends->second));
    ASSERT_FALSE(worker.has_value());
    EXPECT_EQ(worker.error().code, ErrorCode::permission);
    EXPECT_NE(worker.error().message().find("full is required"), std::string::npos)
        << worker.error().message();
}

}  // namespace
