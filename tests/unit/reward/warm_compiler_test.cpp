#include "reward/base/programs.hpp"
#include "reward/compiler.hpp"
#include "reward/cuda/recording_source.hpp"
#include "reward/workers/compile_filter.hpp"
#include "reward/workers/warm_messages.hpp"
#include "tests/support/skip_or_fail.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/reward/jail_fixture.hpp"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <linux/filter.h>
#include <signal.h>

#include <algorithm>
#include <bit>
#include <fstream>
#include <future>
#include <string>
#include <vector>

namespace {

using namespace atl;
using namespace atl::testing;
using ::testing::HasSubstr;
using Result = CompileResult::Status;

CompileRequest request_of(const std::string& source) {
    CompileRequest request;
    request.prelude = "int twice(int x);\n";
    request.runtime = "int twice(int x) { return 2 * x; }\n";
    request.source = "#line 1 \"candidate.cu\"\n" + source + "\n";
    request.flags = recording_flags();
    request.timeout_s = 60;
    return request;
}

const char* const k_answer = "extern \"C\" int answer() { return twice(21); }";

CompileResult compile(Compiler& compiler, const CompileRequest& request) {
    auto result = compiler.compile(request);
    if (!result) {
        throw std::runtime_error(result.error().message());
    }
    return std::move(*result);
}

int answer_of(const CompileResult& result) {
    const std::string path = "/proc/self/fd/" + std::to_string(result.binary.get());
    void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        ADD_FAILURE() << ::dlerror();
        return 0;
    }
    const auto function = reinterpret_cast<int (*)()>(::dlsym(library, "answer"));
    const int answer = function == nullptr ? 0 : function();
    ::dlclose(library);
    return answer;
}

/// Signals every process below `pid` that is called `name`; how many there are.
int signal_below(pid_t pid, const std::string& name, int signal) {
    int killed = 0;
    std::ifstream children("/proc/" + std::to_string(pid) + "/task/" + std::to_string(pid) +
                           "/children");
    for (pid_t child = 0; children >> child;) {
        std::string comm;
        std::ifstream("/proc/" + std::to_string(child) + "/comm") >> comm;
        killed +=
            comm == name && ::kill(child, signal) == 0 ? 1 : signal_below(child, name, signal);
    }
    return killed;
}

int signal_below_this_process(const std::string& name, int signal) {
    int killed = 0;
    for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
        std::ifstream children(thread.path() / "children");
        for (pid_t child = 0; children >> child;) {
            killed += signal_below(child, name, signal);
        }
    }
    return killed;
}

class WarmCompilerTest : public ::testing::TestWithParam<SandboxLevel> {
  protected:
    void SetUp() override {
        if (find_programs("clang++").empty()) {
            ATOLL_SKIP_OR_FAIL("clang++ is not installed");
        }
        if (probe_sandbox().level < GetParam()) {
            ATOLL_SKIP_OR_FAIL("no jail of this level on this machine");
        }
        m_compiler = make("clang++");
    }
    static std::unique_ptr<Compiler> make(const std::string& name) {
        CompilerOptions options;
        options.compiler = name;
        options.required = SandboxLevel::none;
        options.at_most = GetParam();
        options.worker_program = ATOLL_BIN_DIR "/atoll-worker";
        auto compiler = make_jailed_compiler(options);
        if (!compiler) {
            throw std::runtime_error(compiler.error().message());
        }
        return std::move(*compiler);
    }

    std::unique_ptr<Compiler> m_compiler;
};

TEST_P(WarmCompilerTest, LinksTheRuntimeToWhatItCompiles) {
    const CompileResult result = compile(*m_compiler, request_of(k_answer));
    ASSERT_EQ(result.status, Result::ok) << result.log;
    EXPECT_EQ(result.whole_because, "");
    EXPECT_EQ(answer_of(result), 42);
}

TEST_P(WarmCompilerTest, ServesSeveralAtOnce) {
    std::vector<std::future<CompileResult>> results;
    for (int i = 0; i < 6; ++i) {
        results.push_back(std::async(std::launch::async, [&, i] {
            return compile(*m_compiler, request_of("extern \"C\" int answer() { return twice(" +
                                                   std::to_string(i) + "); }"));
        }));
    }
    for (int i = 0; i < 6; ++i) {
        const CompileResult result = results[static_cast<std::size_t>(i)].get();
        ASSERT_EQ(result.status, Result::ok) << result.log;
        EXPECT_EQ(result.whole_because, "");
        EXPECT_EQ(answer_of(result), 2 * i);
    }
}

TEST_P(WarmCompilerTest, ErrorsNameTheSourcesLines) {
    const CompileResult result = compile(*m_compiler, request_of("int x;\nint y = ;"));
    EXPECT_EQ(result.status, Result::error);
    EXPECT_THAT(result.log, HasSubstr("candidate.cu:2:9: error"));
    EXPECT_EQ(result.whole_because, "");
}

TEST_P(WarmCompilerTest, FilesOfTheHostAreNotThere) {
    if (GetParam() == SandboxLevel::none) {
        return;  // nothing hides them
    }
    for (const char* file : {"/etc/passwd", "/proc/self/status", "/job/candidate.cpp"}) {
        const CompileResult result =
            compile(*m_compiler, request_of("#include \"" + std::string(file) + "\""));
        EXPECT_EQ(result.status, Result::error) << file;
        EXPECT_THAT(result.log, HasSubstr("fatal error: ")) << file;
    }
}

TEST_P(WarmCompilerTest, ARunawayIsKilledAndTheNextOneServed) {
    CompileRequest endless = request_of(
        "template <int N, int M> struct S { static constexpr long v = S<N - 1, M>::v + "
        "S<N - 1, M + (1 << N)>::v; };\n"
        "template <int M> struct S<0, M> { static constexpr long v = M; };\n"
        "long x = S<26, 0>::v;\n");
    endless.timeout_s = 1;
    EXPECT_EQ(compile(*m_compiler, endless).status, Result::limit);
    EXPECT_EQ(answer_of(compile(*m_compiler, request_of(k_answer))), 42);
}

TEST_P(WarmCompilerTest, OneThatDiedIsMadeAgain) {
    EXPECT_EQ(answer_of(compile(*m_compiler, request_of(k_answer))), 42);
    EXPECT_GT(signal_below_this_process("clang", SIGKILL), 0);
    EXPECT_EQ(answer_of(compile(*m_compiler, request_of(k_answer))), 42) << "as one text";
    const CompileResult again = compile(*m_compiler, request_of(k_answer));
    EXPECT_EQ(again.whole_because, "");
    EXPECT_EQ(answer_of(again), 42);
}

TEST_P(WarmCompilerTest, SourcesThatSpeakOfPrecompiledHeadersAreCompiledAsOne) {
    EXPECT_EQ(compile(*m_compiler, request_of(k_answer)).whole_because, "");
    const int before = signal_below_this_process("clang", 0);
    for (int i = 0; i < 2; ++i) {
        const CompileResult result =
            compile(*m_compiler, request_of("#error the precompiled header is stale"));
        EXPECT_EQ(result.status, Result::error);
        EXPECT_NE(result.whole_because, "");
    }
    EXPECT_EQ(signal_below_this_process("clang", 0), before) << "the one that is loaded stays";
    EXPECT_EQ(compile(*m_compiler, request_of(k_answer)).whole_because, "");
}

/// Headers of a test cannot be seen in a jail.
class WarmCompilerOutsideTest : public WarmCompilerTest {};

TEST_P(WarmCompilerOutsideTest, OneWhoseHeadersChangedIsMadeAgain) {
    const TemporaryFolder folder;
    std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));
    const std::string header = folder.path() / "twice.h";
    std::ofstream(header) << "int twice(int x);\n";
    CompileRequest request = request_of(k_answer);
    request.prelude = "#include \"" + header + "\"\n";
    EXPECT_EQ(compile(*m_compiler, request).whole_because, "");
    std::ofstream(header) << "int twice(int x);  // longer\n";
    const CompileResult stale = compile(*m_compiler, request);
    EXPECT_NE(stale.whole_because, "");
    EXPECT_EQ(answer_of(stale), 42) << "as one text";
    const CompileResult again = compile(*m_compiler, request);
    EXPECT_EQ(again.whole_because, "");
    EXPECT_EQ(answer_of(again), 42);
}

TEST_P(WarmCompilerTest, OtherCompilersGetOneText) {
    if (find_programs("g++").empty()) {
        ATOLL_SKIP_OR_FAIL("g++ is not installed");
    }
    const auto compiler = make("g++");
    CompileRequest request = request_of(k_answer);
    request.flags = standard_flags();
    const CompileResult result = compile(*compiler, request);
    ASSERT_EQ(result.status, Result::ok) << result.log;
    EXPECT_NE(result.whole_because, "");
    EXPECT_EQ(answer_of(result), 42);
}

TEST(WarmFilter, SignalsGoToOneProcessThatAChildNamesAsItself) {
    const auto filter = make_warm_filter();
    ASSERT_TRUE(filter) << filter.error().message();
    const auto& program = filter->program();
    EXPECT_EQ(std::count_if(program.begin(), program.end(),
                            [](std::uint64_t instruction) {
                                return std::bit_cast<sock_filter>(instruction).k == k_warm_own_pid;
                            }),
              1);
}

INSTANTIATE_TEST_SUITE_P(Levels, WarmCompilerOutsideTest, ::testing::Values(SandboxLevel::none));
INSTANTIATE_TEST_SUITE_P(Levels, WarmCompilerTest,
                         ::testing::Values(SandboxLevel::full, SandboxLevel::restricted,
                                           SandboxLevel::none),
                         [](const auto& level) { return std::string(to_string(level.param)); });

}  // namespace
