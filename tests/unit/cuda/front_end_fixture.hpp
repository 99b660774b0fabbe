#pragma once

#include "reward/base/programs.hpp"
#include "reward/compile_service.hpp"
#include "reward/cuda/front_end.hpp"
#include "tests/unit/cuda/nvrtc_fixture.hpp"
#include "tests/unit/reward/task_fixture.hpp"

#include <memory>
#include <string>

namespace atl::testing {

/// A front end for an H200 with real NVRTC and clang, shared by a suite's tests: it takes seconds
/// to start.
class FrontEndTest : public NvrtcTest {
  protected:
    static void TearDownTestSuite() { shared().reset(); }

    void SetUp() override {
        NvrtcTest::SetUp();
        if (IsSkipped()) {
            return;
        }
        if (find_programs("clang++").empty()) {
            ATOLL_SKIP_OR_FAIL("clang++ is not installed");
        }
        if (!shared()) {
            shared() =
                std::make_unique<CompileService>(value_or_throw(CudaFrontEnd::make(options())));
        }
    }

    FrontEndOptions options() const {
        FrontEndOptions options;
        options.device = *device_limits_of("sm_90a");
        options.device_compiler.nvrtc = place().library;
        options.device_compiler.include = place().include;
        options.device_compiler.jit_link = place().jit_link;
        options.device_compiler.architecture = options.device.arch;
        options.device_compiler.required = SandboxLevel::none;
        options.device_compiler.worker_program = ATOLL_BIN_DIR "/atoll-worker";
        options.recorder.required = SandboxLevel::none;
        options.recorder.worker_program = ATOLL_BIN_DIR "/atoll-worker";
        return options;
    }

    static CompileService& service() { return *shared(); }
    static CudaFrontEnd& front_end() { return *shared()->front_end(); }

    /// y = alpha * x + bias; `kernel` is the kernel's text, `launch` the body of launch().
    static std::string source(const std::string& kernel, const std::string& launch) {
        return kernel +
               "\nvoid launch(const float* x, const float* bias, float alpha, float* y, int rows, "
               "int cols, cudaStream_t stream) {\n" +
               launch + "\n}\n";
    }
    static std::string plain_kernel() {
        return R"(#ifndef BLOCK
#define BLOCK 128
#endif
__global__ void scale(const float* x, const float* bias, float alpha, float* y, int n, int cols) {
    const int i = blockIdx.x * BLOCK + threadIdx.x;
    if (i < n) y[i] = alpha * x[i] + bias[i % cols];
})";
    }
    static std::string plain_launch() {
        return "    const int n = rows * cols;\n"
               "    scale<<<(n + BLOCK - 1) / BLOCK, BLOCK, 0, stream>>>(x, bias, alpha, y, n, "
               "cols);";
    }
    static std::string plain() { return source(plain_kernel(), plain_launch()); }
    static std::string reference() {
        std::string text = plain();
        const auto replace = [&](const std::string& from, const std::string& to) {
            for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos;
                 at += to.size()) {
                text.replace(at, from.size(), to);
            }
        };
        replace("float* y", "double* y");
        replace("launch(", "reference(");
        return text;
    }

    FrontEndRequest request(const std::string& text) const {
        FrontEndRequest request;
        request.task = m_task;
        request.source = text;
        request.compile_timeout_s = 60;
        return request;
    }
    FrontEndReply prepare(const FrontEndRequest& order) const {
        return value_or_throw(front_end().prepare(order));
    }

    SmallTask m_small;
    TaskPtr m_task = m_small.task();

  private:
    static std::unique_ptr<CompileService>& shared() {
        static std::unique_ptr<CompileService> service;
        return service;
    }
};

}  // namespace atl::testing
