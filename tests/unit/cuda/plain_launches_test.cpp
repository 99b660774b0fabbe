#include "reward/cuda/plain_launches.hpp"

#include "reward/cuda/recorder.hpp"
#include "reward/cuda/recorder_trial.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/cuda/recorder_fixture.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace atl {
namespace {

using ::testing::HasSubstr;

TEST(PlainLaunches, BecomeACallOnTheSameLines) {
    EXPECT_EQ(with_plain_launches("k<<<g, 1>>>(x);"),
              "k ->*::atoll_recording::configure(g, 1)(x);");
    EXPECT_EQ(with_plain_launches("k<4>\n<<<dim3(a >> 2, b),\n f(c)>>>\n(x);"),
              "k<4>\n ->*::atoll_recording::configure(dim3(a >> 2, b),\n f(c))\n(x);");
    EXPECT_EQ(with_plain_launches("k<<<(a >>> b), 1>>>(x)"),
              "k ->*::atoll_recording::configure((a >>> b), 1)(x)")
        << "only brackets of the same depth close it";
}

TEST(PlainLaunches, AllElseStaysAsItIs) {
    for (const char* text : {"a << b >> c; v<w<int>>(1);", "\"k<<<1, 1>>>(x)\" // k<<<1, 1>>>(x)\n",
                             "a>>>b", "#define GO(k) k<<<1, 1>>>()\nint x;", ""}) {
        EXPECT_EQ(with_plain_launches(text), text);
    }
}

/// Launchers without clang: what is recorded is the same.
class PlainRecorderTest : public ::testing::Test {
  protected:
    static std::unique_ptr<Recorder> make(const std::string& compiler) {
        RecorderOptions options;
        options.required = SandboxLevel::none;
        options.worker_program = ATOLL_BIN_DIR "/atoll-worker";
        options.compiler = compiler;
        return value_or_throw(Recorder::create(options));
    }
    RecordReply record(Recorder& recorder, const std::string& source) {
        const TaskPtr task = m_small.task();
        RecordRequest request;
        request.task = task.get();
        request.host_source = recording_source(*task, split_cuda_source(source));
        for (const Workload& one : task->workloads) {
            request.workloads.push_back(&one);
        }
        request.device = *device_limits_of("sm_90a");
        return value_or_throw(recorder.record(request));
    }
    /// Both fault's reason and plans.
    static std::string text_of(const RecordReply& reply) {
        std::string text = reply.fault ? reply.fault->reason + "\n" + reply.compile_log : "";
        for (const Plan& plan : reply.plans) {
            text += to_text(plan);
        }
        return text;
    }
    static std::string launcher(const std::string& body, const std::string& before) {
        return before +
               "\nvoid launch(const float* x, const float* bias, float alpha, float* y, int rows, "
               "int cols, cudaStream_t stream) {\n" +
               body + "\n}\n";
    }

    testing::SmallTask m_small;
};

constexpr const char* k_kernels =
    "#include <cuda_fp16.h>\n"
    "struct Shape { int rows; char flag; double scale; };\n"
    "__constant__ float weights[8];\n"
    "__device__ int counter;\n"
    "__global__ void __launch_bounds__(256) plain(const float* x, float* y, Shape s) { y[0] = 1; "
    "}\n"
    "namespace n { template <int N, class T> __global__ void many(T* y, __half h) { y[0] = N; } }\n"
    "extern \"C\" __global__ void c_name(float* y, long long n) { y[n] = 2; }\n"
    "namespace { __global__ void unnamed(float* y) { y[0] = 4; } }\n"
    "static __global__ void hidden(float* y) { y[0] = 3; }\n";

TEST_F(PlainRecorderTest, RecordsWhatClangRecords) {
    if (find_programs("clang++").empty()) {
        ATOLL_SKIP_OR_FAIL("clang++ is not installed");
    }
    const auto clang = make("clang++");
    const auto plain = make("g++");
    EXPECT_THAT(plain->toolchain(), HasSubstr("g++"));
    for (const char* body :
         {"plain<<<dim3(rows, cols >> 1), 256, 48, stream>>>(x, y, Shape{rows, 'f', alpha});",
          "hidden<<<1, 1>>>(y);", "unnamed<<<1, 1>>>(y);",
          "n::many<3, float><<<rows, 32>>>(y, alpha); n::many<4, double>\n"
          "  <<<1, 1, 0, stream>>>((double*)y, __half(1.0f));",
          "void (*go)(float*, long long) = c_name;\n"
          "for (int i = 0; i < 2; ++i) go<<<1, 1>>>(y + i, i);",
          "float w[8] = {1, 2, 3}; cudaMemcpyToSymbolAsync(weights, w, sizeof(w));\n"
          "int* at; cudaGetSymbolAddress((void**)&at, counter); cudaMemsetAsync(at, 0, 4);\n"
          "cudaFuncSetAttribute(c_name, cudaFuncAttributeMaxDynamicSharedMemorySize, 99000);\n"
          "c_name<<<1, 1, 99000, stream>>>(y, 0);",
          "long long n = 5; void* arguments[] = {&y, &n};\n"
          "cudaLaunchCooperativeKernel(c_name, dim3(2), dim3(3), arguments, 0, stream);",
          "cudaLaunchConfig_t c = {}; c.gridDim = rows; c.blockDim = 64; c.stream = stream;\n"
          "cudaLaunchKernelEx(&c, n::many<1, float>, y, __half(2.0f));",
          "int blocks = 0;\n"
          "cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, c_name, 128, 0);\n"
          "float* s; cudaMallocAsync(&s, 4 * rows, stream); c_name<<<blocks, 128>>>(s, 1);",
          "y[0] = nobody;", "cudaStream_t other; cudaStreamCreate(&other);"}) {
        const RecordReply wanted = record(*clang, launcher(body, k_kernels));
        const RecordReply got = record(*plain, launcher(body, k_kernels));
        if (wanted.fault && wanted.workload.empty()) {
            ASSERT_TRUE(got.fault);
            EXPECT_EQ(got.fault->line, wanted.fault->line);
            EXPECT_EQ(got.fault->outcome, wanted.fault->outcome);
        } else {
            EXPECT_EQ(text_of(got), text_of(wanted)) << body;
            EXPECT_EQ(got.fault.has_value(), wanted.fault.has_value());
        }
    }
}

TEST_F(PlainRecorderTest, WhatItCannotRecordIsRefused) {
    const auto plain = make("g++");
    for (const auto& [body, reason] :
         {std::pair("void* arguments[] = {&y}; cudaLaunchKernel((const void*)c_name, dim3(1), "
                    "dim3(1), arguments, 0, stream);",
                    "does not say its type")}) {
        const RecordReply reply = record(*plain, launcher(body, k_kernels));
        ASSERT_TRUE(reply.fault) << body;
        EXPECT_EQ(reply.fault->outcome, Outcome::rejected) << reply.fault->reason;
        EXPECT_THAT(reply.fault->reason, HasSubstr(reason));
    }
}

/// g++, which refuses a flag that came with version 12 as older ones do.
std::string old_compiler(const std::filesystem::path& prefix) {
    std::filesystem::create_directories(prefix / "bin");
    const std::filesystem::path compiler = prefix / "bin/g++";
    std::ofstream(compiler) << "#!/bin/sh\nfor flag; do case $flag in -ftrivial-auto-var-init*)\n"
                               "echo \"g++: error: unrecognized command-line option '$flag'\"; "
                               "exit 1;; esac; done\nexec /usr/bin/g++ \"$@\"\n";
    for (const std::filesystem::path& path : {compiler, prefix}) {
        std::filesystem::permissions(path, std::filesystem::perms(0755));
    }
    return compiler.string();
}

TEST_F(PlainRecorderTest, ACompilerThatIsTooOldIsNoFaultOfCandidates) {
    EXPECT_TRUE(try_recorder(*make("g++"), *device_limits_of("sm_90a")));
    const testing::TemporaryFolder folder;
    const auto old = make(old_compiler(folder.path()));
    const Status tried = try_recorder(*old, *device_limits_of("sm_90a"));
    ASSERT_FALSE(tried);
    EXPECT_EQ(tried.error().code, ErrorCode::unavailable);
    EXPECT_THAT(tried.error().message(), HasSubstr("unrecognized command-line option"));
    EXPECT_THAT(tried.error().message(), HasSubstr("g++ 12 or newer"));
}

TEST(RecorderCompiler, IsClangWhereThereIsOneElseGcc) {
    const std::string before = std::getenv("PATH");
    const testing::TemporaryFolder folder;
    const auto put = [&](const char* name) {
        std::filesystem::create_symlink("/bin/true", folder.path() / name);
    };
    ::setenv("PATH", folder.path().c_str(), 1);
    EXPECT_FALSE(find_recorder_compiler());
    put("g++");
    EXPECT_EQ(find_recorder_compiler().value_or(""), "g++");
    put("clang++-16");
    EXPECT_EQ(find_recorder_compiler().value_or(""), "clang++-16");
    put("clang++");
    EXPECT_EQ(find_recorder_compiler().value_or(""), "clang++");
    ::setenv("PATH", before.c_str(), 1);
}

}  // namespace
}  // namespace atl
