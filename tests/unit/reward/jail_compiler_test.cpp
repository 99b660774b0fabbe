#include "reward/compiler.hpp"
#include "tests/support/processes.hpp"
#include "tests/support/sanitizer.hpp"
#include "tests/unit/reward/jail_fixture.hpp"

#include <dirent.h>
#include <signal.h>

#include <array>
#include <atomic>
#include <chrono>
#include <fstream>
#include <set>
#include <thread>

namespace {

using namespace atl;
using namespace atl::testing;
using Result = CompileResult::Status;

std::unique_ptr<Compiler> make_compiler(SandboxLevel level, const std::string& name = "") {
    CompilerOptions options;
    options.compiler = name;
    options.required = SandboxLevel::none;
    options.at_most = level;
    options.worker_program = ATOLL_BIN_DIR "/atoll-worker";
    auto compiler = make_jailed_compiler(options);
    if (!compiler) {
        throw std::runtime_error(compiler.error().message());
    }
    return std::move(*compiler);
}

CompileRequest request_of(std::string source) {
    CompileRequest request;
    request.source = std::move(source);
    request.flags = standard_flags();
    request.timeout_s = 60;
    return request;
}

/// Expects the compiler to work, whatever it says of the source.
CompileResult compile(Compiler& compiler, const CompileRequest& request) {
    auto result = compiler.compile(request);
    if (!result) {
        throw std::runtime_error(result.error().message());
    }
    return std::move(*result);
}

/// Instantiates 2^26 templates.
CompileRequest endless_request() {
    return request_of(
        "template <int N, int M> struct S { static constexpr long v = S<N - 1, M>::v + "
        "S<N - 1, M + (1 << N)>::v; };\n"
        "template <int M> struct S<0, M> { static constexpr long v = M; };\n"
        "long x = S<26, 0>::v;\n");
}

/// The process of the compile worker among our children (there is one).
pid_t only_child() {
    std::ifstream children("/proc/self/task/" + std::to_string(::getpid()) + "/children");
    std::vector<pid_t> pids;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
        std::ifstream list(task.path() / "children");
        for (pid_t pid = 0; list >> pid;) {
            pids.push_back(pid);
        }
    }
    EXPECT_EQ(pids.size(), 1u);
    return pids.empty() ? -1 : pids[0];
}

class JailCompiler : public ::testing::TestWithParam<SandboxLevel> {};

std::string level_name(const ::testing::TestParamInfo<SandboxLevel>& info) {
    return std::string(to_string(info.param));
}

TEST_P(JailCompiler, MakesASealedSharedObjectThatRuns) {
    const auto compiler = make_compiler(GetParam());
    const CompileResult result =
        compile(*compiler,
                request_of(entry("std::vector<int> v{1, 2, 39}; "
                                 "((int*)tensors[0])[0] = std::accumulate(v.begin(), v.end(), 0);",
                                 "#include <numeric>\n#include <vector>\n")));
    ASSERT_EQ(result.status, Result::ok) << result.log;
    EXPECT_EQ(result.log, "");
    EXPECT_GT(result.seconds, 0);
    EXPECT_LT(::write(result.binary.get(), "x", 1), 0) << "the shared object can be changed";
    TestRunner runner(GetParam());
    TestRun run(runner, result.binary, {0});
    ASSERT_EQ(run.wait_loaded(), k_run_loaded) << run.load_text();
    ASSERT_TRUE(run.launch());
    EXPECT_EQ(*run.buffer<int>(0), 42);
}

TEST_P(JailCompiler, TellsErrorsWithTheCandidatesOwnLines) {
    const auto compiler = make_compiler(GetParam());
    const CompileResult result = compile(*compiler, request_of("int good;\nint bad = nothing;\n"));
    EXPECT_EQ(result.status, Result::error);
    EXPECT_EQ(result.log.find("candidate.cpp:2:11: error:"), 0u) << result.log;
    EXPECT_FALSE(result.binary);
}

TEST_P(JailCompiler, RefusesWhatWouldBeLeftToResolveAtRunTime) {
    const auto compiler = make_compiler(GetParam());
    const CompileResult result =
        compile(*compiler, request_of("void missing();\nextern \"C\" void f() { missing(); }\n"));
    EXPECT_EQ(result.status, Result::error);
    EXPECT_NE(result.log.find("undefined reference to `missing()'"), std::string::npos)
        << result.log;
    EXPECT_EQ(result.log.find("/job"), std::string::npos) << result.log;
    EXPECT_EQ(result.log.find("/tmp"), std::string::npos) << result.log;
}

TEST_P(JailCompiler, SeesNoFilesOfTheHost) {
    ATOLL_SKIP_UNDER_TSAN();
    const auto compiler = make_compiler(GetParam());
    // Something that surely exists outside: this test's own program.
    const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
    for (const std::string& path :
         {std::string("/etc/passwd"), std::string("/proc/self/environ"), self,
          std::string(ATOLL_SOURCE_DIR "/CMakeLists.txt"), std::string("/root/.profile")}) {
        const CompileResult included =
            compile(*compiler, request_of("#include \"" + path + "\"\n"));
        EXPECT_EQ(included.status, Result::error) << path;
        EXPECT_EQ(included.log.find("root:"), std::string::npos) << included.log;
        const CompileResult embedded =
            compile(*compiler, request_of("asm(\".incbin \\\"" + path + "\\\"\");\n"));
        EXPECT_EQ(embedded.status, Result::error) << path;
    }
    const CompileResult oracle = compile(
        *compiler, request_of("#if __has_include(\"/etc/passwd\")\n#error there\n#endif\n"));
    if (GetParam() == SandboxLevel::full) {
        EXPECT_EQ(oracle.status, Result::ok) << oracle.log;
    }
}

TEST_P(JailCompiler, StopsWhatTakesTooLongOrTooMuchAndGoesOnWorking) {
    const auto compiler = make_compiler(GetParam());
    CompileRequest endless = endless_request();
    endless.timeout_s = 0.7;
    const CompileResult stopped = compile(*compiler, endless);
    EXPECT_EQ(stopped.status, Result::limit) << stopped.log;
    EXPECT_NE(stopped.log.find("longer than"), std::string::npos) << stopped.log;

    CompileRequest hungry = endless;
    hungry.timeout_s = 60;
    hungry.memory_bytes = 128u << 20;
    EXPECT_EQ(compile(*compiler, hungry).status, Result::limit);

    CompileRequest bulky = request_of("int a[1 << 22] = {1};\n");
    bulky.binary_bytes = 1u << 20;
    EXPECT_EQ(compile(*compiler, bulky).status, Result::limit);
    CompileRequest huge = request_of("int a[1 << 28] = {1};\n");
    huge.binary_bytes = 1u << 20;
    EXPECT_EQ(compile(*compiler, huge).status, Result::limit);

    const CompileResult recursion = compile(
        *compiler, request_of("template <int N> struct R { static constexpr int v = R<N + 1>::v; "
                              "};\nint x = R<0>::v;\n"));
    EXPECT_EQ(recursion.status, Result::error);
    EXPECT_LE(recursion.log.size(), 16u << 10);

    EXPECT_EQ(compile(*compiler, request_of("int good;")).status, Result::ok);
    EXPECT_EQ(compiler->restarts(), 0u);
}

TEST_P(JailCompiler, ACancelledCompilationEndsAndTheWorkerGoesOn) {
    const auto compiler = make_compiler(GetParam());
    std::stop_source source;
    CompileRequest endless = endless_request();
    endless.timeout_s = 3600;
    endless.cancel = source.get_token();
    std::thread canceller([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
        source.request_stop();
    });
    const auto stopped = compiler->compile(endless);
    canceller.join();
    ASSERT_FALSE(stopped.has_value());
    EXPECT_EQ(stopped.error().code, ErrorCode::interrupted);
    EXPECT_EQ(compile(*compiler, request_of("int a;")).status, Result::ok);
    EXPECT_EQ(compiler->restarts(), 0u);
}

TEST_P(JailCompiler, CompilesSeveralAtOnce) {
    const auto compiler = make_compiler(GetParam());
    std::vector<std::thread> threads;
    std::array<Result, 4> results{};
    for (std::size_t i = 0; i < results.size(); ++i) {
        threads.emplace_back([&, i] {
            const auto result =
                compiler->compile(request_of(i % 2 == 0 ? "int good;" : "int bad = nothing;"));
            results[i] = result ? result->status : Result::limit;
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(results, (std::array{Result::ok, Result::error, Result::ok, Result::error}));
}

TEST_P(JailCompiler, RestartsAWorkerThatDied) {
    const auto compiler = make_compiler(GetParam());
    EXPECT_EQ(compile(*compiler, request_of("int a;")).status, Result::ok);
    ::kill(only_child(), SIGKILL);
    EXPECT_EQ(compile(*compiler, request_of("int b;")).status, Result::ok);
    EXPECT_EQ(compiler->restarts(), 1u);
}

// Whoever killed it, the source need not be at fault; but what dies twice does so by its own doing.
TEST_P(JailCompiler, ACompilationThatWasKilledIsTriedOnceMore) {
    const auto compiler = make_compiler(GetParam());
    ASSERT_EQ(compile(*compiler, request_of("int a;")).status, Result::ok);
    const std::set<pid_t> idle = descendants(only_child());
    std::atomic<bool> done = false;
    std::atomic<int> killed = 0;
    std::thread killer([&] {
        while (!done) {
            std::this_thread::sleep_for(std::chrono::milliseconds(500));
            // The first that the worker started for it is its manager, the next the compiler.
            std::vector<pid_t> added;
            for (const pid_t pid : descendants(only_child())) {
                if (!idle.contains(pid)) {
                    added.push_back(pid);
                }
            }
            if (added.size() >= 2) {
                killed += ::kill(added[1], SIGKILL) == 0 ? 1 : 0;
            }
        }
    });
    const auto result = compiler->compile(endless_request());
    done = true;
    killer.join();
    ASSERT_TRUE(result) << result.error().message();
    EXPECT_EQ(result->status, Result::limit);
    EXPECT_TRUE(result->killed);
    EXPECT_EQ(killed, 2);
    EXPECT_EQ(compile(*compiler, request_of("int b;")).status, Result::ok);
}

/// A folder of our own as the temporary folder, so that other programs do not matter.
class JailCompilerFolders : public ::testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = ::testing::TempDir() + "atoll-test-XXXXXX";
        m_folder = ::mkdtemp(pattern.data());
        // The worker gives up root, and must still be able to write here.
        std::filesystem::permissions(m_folder, std::filesystem::perms::all);
        ::setenv("TMPDIR", m_folder.c_str(), 1);
    }
    void TearDown() override {
        ::unsetenv("TMPDIR");
        std::filesystem::remove_all(m_folder);
    }
    [[nodiscard]] std::vector<std::string> items() const {
        std::vector<std::string> names;
        for (const auto& item : std::filesystem::directory_iterator(m_folder)) {
            names.push_back(item.path().filename());
        }
        return names;
    }
    std::filesystem::path m_folder;
};

TEST_F(JailCompilerFolders, AreRemovedAtTheEndAndSweptAfterAKill) {
    CompilerOptions options;
    options.required = SandboxLevel::none;
    options.at_most = SandboxLevel::restricted;
    options.worker_program = ATOLL_BIN_DIR "/atoll-worker";
    {
        const auto compiler = make_jailed_compiler(options);
        ASSERT_TRUE(compiler.has_value()) << compiler.error().message();
        EXPECT_EQ(items().size(), 1u);
        EXPECT_EQ(compile(**compiler, request_of("int a;")).status, Result::ok);
        const std::vector<std::string> first = items();
        ::kill(only_child(), SIGKILL);
        EXPECT_EQ(compile(**compiler, request_of("int b;")).status, Result::ok);
        EXPECT_EQ(items().size(), 1u);
        EXPECT_NE(items(), first);
    }
    EXPECT_EQ(items(), std::vector<std::string>{});
}

TEST_F(JailCompilerFolders, OfOtherCompilationsCannotBeRead) {
    const auto compiler = make_compiler(SandboxLevel::restricted);
    std::thread neighbour([&] {
        CompileRequest request = endless_request();
        request.timeout_s = 3;
        EXPECT_EQ(compile(*compiler, request).status, Result::limit);
    });
    // The first compilation was the one that tries the compiler out.
    const std::filesystem::path source = m_folder / items().at(0) / "2" / "candidate.cpp";
    while (!std::filesystem::exists(source) || std::filesystem::file_size(source) == 0) {
        std::this_thread::yield();
    }
    const CompileResult result =
        compile(*compiler, request_of("#include \"../2/candidate.cpp\"\n"));
    neighbour.join();
    EXPECT_EQ(result.status, Result::error);
    EXPECT_NE(result.log.find("ermission denied"), std::string::npos) << result.log;
}

INSTANTIATE_TEST_SUITE_P(Levels, JailCompiler,
                         ::testing::Values(SandboxLevel::full, SandboxLevel::restricted),
                         level_name);

TEST(JailCompilerStart, SaysWhatToDoWhenTheNamedCompilerIsNotThere) {
    CompilerOptions options;
    options.compiler = "no-such-compiler";
    const auto compiler = make_jailed_compiler(options);
    ASSERT_FALSE(compiler.has_value());
    EXPECT_EQ(compiler.error().code, ErrorCode::invalid_argument);
    EXPECT_NE(compiler.error().message().find("'no-such-compiler'"), std::string::npos);
    EXPECT_NE(compiler.error().message().find("give the name"), std::string::npos);
}

TEST(JailCompilerStart, RefusesToWorkBelowTheRequiredLevel) {
    CompilerOptions options;
    options.at_most = SandboxLevel::restricted;
    options.worker_program = ATOLL_BIN_DIR "/atoll-worker";
    const auto compiler = make_jailed_compiler(options);
    ASSERT_FALSE(compiler.has_value());
    EXPECT_EQ(compiler.error().code, ErrorCode::permission);
}

TEST(JailCompilerStart, NamesItsToolchain) {
    const auto compiler = make_compiler(SandboxLevel::full, "g++");
    EXPECT_NE(compiler->toolchain().find(" at /"), std::string::npos) << compiler->toolchain();
    EXPECT_EQ(compiler->toolchain().find("g++"), 0u) << compiler->toolchain();
}

TEST(JailCompilerStart, WorksWithClangWhereItIsInstalled) {
    if (::access("/usr/bin/clang++", X_OK) != 0) {
        GTEST_SKIP() << "no clang++";
    }
    for (const auto level : {SandboxLevel::full, SandboxLevel::restricted}) {
        const auto compiler = make_compiler(level, "clang++");
        const CompileResult result =
            compile(*compiler, request_of("#include <vector>\nstd::vector<int> v(3);\n"));
        EXPECT_EQ(result.status, Result::ok) << result.log;
    }
}

TEST(JailCompilerStart, TheSecondsOfACompilationAreNoMoreThanItTook) {
    for (const auto level : {SandboxLevel::none, SandboxLevel::restricted, SandboxLevel::full}) {
        const auto compiler = make_compiler(level);
        for (int i = 0; i < 3; ++i) {
            const auto begin = std::chrono::steady_clock::now();
            const CompileResult result =
                compile(*compiler, request_of("int f" + std::to_string(i) + ";"));
            const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
            EXPECT_GT(result.seconds, 0) << to_string(level);
            EXPECT_LE(result.seconds, wall.count()) << to_string(level);
        }
    }
}

}  // namespace
