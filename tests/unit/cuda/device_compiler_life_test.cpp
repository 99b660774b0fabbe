#include "reward/base/files.hpp"
#include "reward/cuda/device_compiler.hpp"
#include "reward/worker_calls.hpp"
#include "reward/workers/nvrtc_messages.hpp"
#include "tests/support/shell.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/cuda/nvrtc_fixture.hpp"

#include <gmock/gmock.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

namespace atl {
namespace {

namespace fs = std::filesystem;
using testing::NvrtcTest;

/// The processes below this one that `pid` is the parent of.
std::vector<pid_t> children_of(pid_t pid) {
    std::vector<pid_t> pids;
    const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
    for (const auto& task : fs::directory_iterator(tasks)) {
        std::ifstream file(task.path() / "children");
        for (pid_t child = 0; file >> child;) {
            pids.push_back(child);
        }
    }
    return pids;
}

class DeviceCompilerLifeTest : public NvrtcTest {
  protected:
    std::unique_ptr<DeviceCompiler> make(const std::string& cache_folder = "",
                                         const std::string& jit_link = "") {
        DeviceCompilerOptions options;
        options.nvrtc = place().library;
        options.include = place().include;
        options.architecture = "sm_90a";
        options.required = SandboxLevel::none;
        options.worker_program = ATOLL_BIN_DIR "/atoll-worker";
        options.cache_folder = cache_folder;
        options.jit_link = jit_link;
        auto made = DeviceCompiler::make(options);
        if (!made) {
            throw std::runtime_error(made.error().message());
        }
        return std::move(*made);
    }
    static DeviceBinary compile(DeviceCompiler& compiler, const std::string& body,
                                std::map<std::string, std::string> defines = {}) {
        DeviceCompileRequest request;
        request.architecture = "sm_90a";
        request.timeout_s = 60;
        request.source = "template <int N> __global__ void k(int* a, float b) { " + body + " }\n";
        request.name_expressions = {"k<3>"};
        request.defines = std::move(defines);
        auto binary = compiler.compile(request);
        if (!binary) {
            throw std::runtime_error(binary.error().message());
        }
        return std::move(*binary);
    }
};

TEST_F(DeviceCompilerLifeTest, AKilledWorkerIsStartedAgain) {
    const auto compiler = make();
    EXPECT_TRUE(compiler->toolchain().starts_with("NVRTC 1")) << compiler->toolchain();
    ASSERT_EQ(compile(*compiler, "a[0] = 1;").status, DeviceBinary::Status::ok);
    const auto workers = children_of(::getpid());
    ASSERT_EQ(workers.size(), 1u);
    // The one in the jail, so that the death has to be passed on.
    const auto zygotes = children_of(workers[0]);
    ASSERT_EQ(zygotes.size(), 1u);
    ASSERT_EQ(::kill(zygotes[0], SIGKILL), 0);
    // A question that was on its way when the worker died fails, and is one to ask again.
    try {
        static_cast<void>(compile(*compiler, "a[0] = 2;"));
    } catch (const std::exception& error) {
        EXPECT_THAT(error.what(), ::testing::HasSubstr("gone"));
    }
    EXPECT_EQ(compile(*compiler, "a[0] = 3;").status, DeviceBinary::Status::ok);
    EXPECT_EQ(compiler->restarts(), 1u);
}

/// Those that the compiler's zygote has forked ahead, once there are so many and they sleep.
std::vector<pid_t> waiting_children(std::size_t count = 2) {
    const auto sleeps = [](pid_t pid) {
        std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
        std::string word;
        file >> word >> word >> word;
        return word == "S";
    };
    std::vector<pid_t> found;
    for (int i = 0; i < 6000; ++i) {
        found = children_of(children_of(children_of(::getpid()).at(0)).at(0));
        if (found.size() == count && std::all_of(found.begin(), found.end(), sleeps)) {
            break;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return found;
}

TEST_F(DeviceCompilerLifeTest, AChildThatWasForkedBeforeTakesTheOrder) {
    const auto compiler = make();
    const std::vector<pid_t> before = waiting_children();
    ASSERT_EQ(before.size(), 2u);
    ASSERT_EQ(compile(*compiler, "a[0] = 1;").status, DeviceBinary::Status::ok);
    const std::vector<pid_t> after = waiting_children();
    ASSERT_EQ(after.size(), 2u);
    const auto still_there = [&after](pid_t child) {
        return std::find(after.begin(), after.end(), child) != after.end();
    };
    EXPECT_EQ(std::count_if(before.begin(), before.end(), still_there), 1)
        << "one order takes one child, which compiles once";
}

TEST_F(DeviceCompilerLifeTest, WaitingChildrenThatDieCostNoCompilation) {
    const auto compiler = make();
    for (const pid_t child : waiting_children()) {
        ASSERT_EQ(::kill(child, SIGKILL), 0);
    }
    EXPECT_TRUE(waiting_children(0).empty()) << "they would be killed again";
    EXPECT_EQ(compile(*compiler, "a[0] = 1;").status, DeviceBinary::Status::ok);
    EXPECT_EQ(compile(*compiler, "a[0] = nobody;").status, DeviceBinary::Status::error);
    EXPECT_EQ(compiler->restarts(), 0u);
}

/// What a child inherits is there for whoever breaks out of the compiler.
TEST_F(DeviceCompilerLifeTest, WaitingChildrenHaveNothingOfOthers) {
    const auto compiler = make();
    for (const pid_t child : waiting_children()) {
        for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(child) + "/fd")) {
            const std::string target = fs::read_symlink(entry.path());
            EXPECT_LE(std::stoi(entry.path().filename()), 3) << target;
        }
    }
}

TEST_F(DeviceCompilerLifeTest, TheSameAgainComesFromMemoryAndFromTheFolder) {
    const testing::TemporaryFolder folder;
    const std::string cache = folder.path() / "cache";
    auto compiler = make(cache);
    const DeviceBinary first = compile(*compiler, "a[0] = 1;");
    EXPECT_FALSE(first.cached);
    const DeviceBinary again = compile(*compiler, "a[0] = 1;");
    EXPECT_TRUE(again.cached);
    EXPECT_EQ(again.seconds, 0);
    EXPECT_EQ(again.cubin, first.cubin);
    EXPECT_FALSE(compile(*compiler, "a[0] = 1;", {{"X", "1"}}).cached);
    EXPECT_FALSE(compile(*compiler, "a[0] = nobody;").cached);
    EXPECT_FALSE(compile(*compiler, "a[0] = nobody;").cached) << "errors are not kept";

    compiler = make(cache);
    const DeviceBinary stored = compile(*compiler, "a[0] = 1;");
    EXPECT_TRUE(stored.cached);
    EXPECT_EQ(stored.bytes, first.bytes);
    EXPECT_EQ(stored.names, first.names);
    ASSERT_EQ(stored.kernels.size(), first.kernels.size());
    EXPECT_EQ(stored.kernels[0].parameters, first.kernels[0].parameters);
}

/// A worker cannot start without NVRTC, whatever else is there.
TEST_F(DeviceCompilerLifeTest, WhatCannotBeUsedIsToldAtTheStart) {
    DeviceCompilerOptions options;
    options.nvrtc = "/nowhere/libnvrtc.so";
    options.include = place().include;
    options.architecture = "sm_90a";
    options.required = SandboxLevel::none;
    options.worker_program = ATOLL_BIN_DIR "/atoll-worker";
    auto made = DeviceCompiler::make(options);
    ASSERT_FALSE(made);
    EXPECT_NE(made.error().message().find("/nowhere/libnvrtc.so"), std::string::npos);
    options.nvrtc = place().library;
    options.include = "/nowhere";
    made = DeviceCompiler::make(options);
    ASSERT_FALSE(made);
    EXPECT_NE(made.error().message().find("/nowhere"), std::string::npos);
    options.include = place().include;
    options.architecture = "sm_3";
    EXPECT_EQ(DeviceCompiler::make(options).error().code, ErrorCode::invalid_argument);
}

TEST_F(DeviceCompilerLifeTest, WithoutAnAssemblerPtxIsAFaultOfOurs) {
    DeviceCompileRequest request;
    request.ptx = true;
    request.architecture = "sm_90a";
    request.source = "no PTX";
    const auto binary = make()->compile(request);
    ASSERT_FALSE(binary);
    EXPECT_EQ(binary.error().code, ErrorCode::unavailable);
}

// A library that assembles nothing, whatever it is asked, as one does that is asked in a wrong way.
TEST_F(DeviceCompilerLifeTest, AnAssemblerThatRefusesAnEmptyKernelIsAFaultOfOurs) {
    const testing::TemporaryFolder folder;
    const std::string file = (folder.path() / "libnvJitLink.so.13").string();
    std::ofstream(file + ".c") << R"(
        #include <stddef.h>
        int nvJitLinkVersion(unsigned* major, unsigned* minor) { *major = 13; *minor = 0; return 0; }
        int nvJitLinkCreate(void** link) { *link = (void*)8; return 0; }
        int nvJitLinkDestroy(void** link) { return 0; }
        int nvJitLinkAddData() { return 3; }
        int nvJitLinkComplete() { return 3; }
        int nvJitLinkGetLinkedCubinSize() { return 3; }
        int nvJitLinkGetLinkedCubin() { return 3; }
        int nvJitLinkGetErrorLogSize(void* link, size_t* bytes) { *bytes = 0; return 0; }
        int nvJitLinkGetErrorLog() { return 3; }
        int nvJitLinkGetInfoLogSize(void* link, size_t* bytes) { *bytes = 0; return 0; }
        int nvJitLinkGetInfoLog() { return 3; }
    )";
    const auto made = testing::run_shell("gcc -shared -fPIC -o " + file + " " + file + ".c");
    ASSERT_EQ(made.status, 0) << made.err;
    DeviceCompileRequest request;
    request.ptx = true;
    request.architecture = "sm_90a";
    request.source = ".version 8.0";
    const auto compiler = make("", file);
    const auto binary = compiler->compile(request);
    ASSERT_FALSE(binary);
    EXPECT_EQ(binary.error().code, ErrorCode::unavailable);
    EXPECT_NE(binary.error().message().find("empty kernel"), std::string::npos);
    EXPECT_EQ(compile(*compiler, "a[0] = N;").status, DeviceBinary::Status::ok);
}

/// Past the look at a source's headers, straight to the worker.
class NvrtcWorkerTest : public NvrtcTest, public ::testing::WithParamInterface<SandboxLevel> {};

TEST_P(NvrtcWorkerTest, FilesOfTheHostCannotBeRead) {
    if (probe_sandbox().level < GetParam()) {
        ATOLL_SKIP_OR_FAIL("this machine cannot lock processes up so");
    }
    const testing::TemporaryFolder folder;
    std::ofstream(folder.path() / "secret.h") << "a secret of the host\n";
    WorkerOptions options;
    options.program = ATOLL_BIN_DIR "/atoll-worker";
    options.required = GetParam();
    options.at_most = GetParam();
    options.nvrtc = place().library;
    options.include = {place().include};
    options.architecture = "sm_90a";
    options.start_timeout = std::chrono::seconds(120);
    WorkerCalls worker(WorkerRole::nvrtc, options);
    const Status started = worker.start();
    ASSERT_TRUE(started) << started.error().message();
    for (int i = 0; i < 6; ++i) {
        const std::string path = std::array<std::string, 3>{"/etc/passwd", "/proc/self/maps",
                                                            (folder.path() / "secret.h").string()}
                                     .at(i / 2);
        const std::vector<std::string> kernels(i % 2, "k");
        Frame question;
        question.type = FrameType::compile;
        question.payload =
            to_json(NvrtcOrder{"sm_90a", {}, HeaderBundle::none, kernels, 60, 1u << 30, 1u << 20});
        question.handles.push_back(
            *memory_file_of("#include \"" + path + "\"\n__global__ void k() {}\n"));
        const Expected<Frame> answer = worker.ask(question, 60, {});
        ASSERT_TRUE(answer) << answer.error().message();
        ASSERT_EQ(answer->type, FrameType::compiled) << answer->payload;
        EXPECT_EQ(parse_nvrtc_reply(answer->payload)->status, NvrtcReply::Status::error);
        std::string log(4096, '\0');
        const ssize_t got = ::pread(answer->handles.at(0).get(), log.data(), log.size(), 0);
        log.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        EXPECT_NE(log.find("cannot open source file"), std::string::npos) << log;
        EXPECT_EQ(log.find("root:"), std::string::npos) << log;
        EXPECT_EQ(log.find("secret of"), std::string::npos) << log;
    }
}

INSTANTIATE_TEST_SUITE_P(Levels, NvrtcWorkerTest,
                         ::testing::Values(SandboxLevel::full, SandboxLevel::restricted),
                         [](const auto& level) { return std::string(to_string(level.param)); });

class DeviceCacheTest : public NvrtcTest {
  protected:
    void SetUp() override {
        NvrtcTest::SetUp();
        if (!IsSkipped()) {
            const NvrtcOutput output =
                compile_here("extern \"C\" __global__ void k(int* a) { a[0] = 1; }", "sm_90a");
            m_artifact = {output.log, name_of_use(false) + "\nk\n", output.cubin};
            m_binary = *binary_from(m_artifact);
        }
    }
    [[nodiscard]] fs::path only_file() const {
        std::vector<fs::path> files;
        for (const auto& entry : fs::recursive_directory_iterator(m_folder.path())) {
            if (entry.is_regular_file()) {
                files.push_back(entry.path());
            }
        }
        EXPECT_EQ(files.size(), 1u);
        return files.at(0);
    }
    [[nodiscard]] std::optional<DeviceBinary> find_anew(const Digest& key) const {
        return DeviceCache(m_folder.path()).find(key);
    }

    const testing::TemporaryFolder m_folder;
    const Digest m_key = content_id("key");
    DeviceArtifact m_artifact;
    DeviceBinary m_binary;
};

TEST_F(DeviceCacheTest, AFileThatIsCutOrChangedIsAMiss) {
    DeviceCache(m_folder.path()).remember(m_key, m_binary, m_artifact);
    ASSERT_TRUE(find_anew(m_key));
    EXPECT_EQ(find_anew(m_key)->names, std::vector<std::string>{"k"});
    EXPECT_FALSE(find_anew(m_key)->touches_variables);
    const fs::path path = only_file();
    const std::string bytes = *read_file(path, 1u << 20);
    for (std::size_t size = 0; size < bytes.size(); size += size < 100 ? 1 : 97) {
        std::ofstream(path, std::ios::binary) << bytes.substr(0, size);
        EXPECT_FALSE(find_anew(m_key)) << size;
    }
    for (std::size_t at = 0; at < bytes.size(); at += at < 100 ? 1 : 97) {
        std::string changed = bytes;
        changed[at] = static_cast<char>(changed[at] ^ 4);
        std::ofstream(path, std::ios::binary) << changed;
        EXPECT_FALSE(find_anew(m_key)) << at;
    }
    std::ofstream(path, std::ios::binary) << bytes << "x";
    EXPECT_FALSE(find_anew(m_key));
    std::ofstream(path, std::ios::binary) << bytes;
    EXPECT_TRUE(find_anew(m_key));
}

TEST_F(DeviceCacheTest, AnotherKeysFileIsAMiss) {
    DeviceCache(m_folder.path()).remember(m_key, m_binary, m_artifact);
    const Digest other = content_id("other");
    const fs::path path = m_folder.path() / other.hex().substr(0, 2) / (other.hex() + ".device");
    fs::create_directories(path.parent_path());
    fs::copy_file(only_file(), path);
    EXPECT_FALSE(find_anew(other));
    EXPECT_TRUE(find_anew(m_key));
}

TEST_F(DeviceCacheTest, TheLeastRecentlyUsedLeaveMemory) {
    DeviceCache cache("", 2);
    const std::vector<Digest> keys{content_id("a"), content_id("b"), content_id("c")};
    cache.remember(keys[0], m_binary, m_artifact);
    cache.remember(keys[1], m_binary, m_artifact);
    EXPECT_TRUE(cache.find(keys[0]));
    cache.remember(keys[2], m_binary, m_artifact);
    EXPECT_TRUE(cache.find(keys[0]));
    EXPECT_FALSE(cache.find(keys[1]));
    EXPECT_TRUE(cache.find(keys[2]));
}

TEST_F(DeviceCacheTest, AFolderThatCannotBeWrittenToCostsNothingButTime) {
    DeviceCache cache("/proc/nowhere");
    cache.remember(m_key, m_binary, m_artifact);
    EXPECT_TRUE(cache.find(m_key));
}

TEST(DeviceLog, IsTrimmedToTheCause) {
    const std::string log =
        "candidate.cu(3): error: identifier \"x\" is undefined\n  a[0] = x;\n         ^\n\n"
        "/cuda/include/cccl/cub/a.cuh(7): error: no\x1b[31m\n/cuda/include/cuda_fp16.h(1): error\n"
        "ptxas info    : Used 10 registers\nptxas         .     0 bytes stack frame\n"
        "ptxas error   : Entry function 'k' uses too much shared data\n";
    EXPECT_EQ(trim_device_log(log, {"/cuda/include", "/cuda/include/cccl"}),
              "candidate.cu(3): error: identifier \"x\" is undefined\n  a[0] = x;\n         ^\n\n"
              "cub/a.cuh(7): error: no?[31m\ncuda_fp16.h(1): error\n"
              "ptxas error   : Entry function 'k' uses too much shared data\n");
    EXPECT_LE(trim_device_log(std::string(1u << 20, 'x') + "\n", {}).size(), 1100u);
    std::string many;
    for (int i = 0; i < 100'000; ++i) {
        many += "candidate.cu(1): error\n";
    }
    EXPECT_LE(trim_device_log(many, {}).size(), 16u << 10);
    EXPECT_TRUE(trim_device_log(many, {}).ends_with("[more errors follow]\n"));
    EXPECT_EQ(trim_device_log("", {}), "");
}

}  // namespace
}  // namespace atl
