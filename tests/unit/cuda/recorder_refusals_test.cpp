// What is no plan, and what it is told to be.

#include "tests/unit/cuda/recorder_fixture.hpp"

namespace atl {
namespace {

using ::testing::HasSubstr;
using testing::k_kernel;
using testing::RecorderTest;
using Buffer = PlanAddress::Buffer;

TEST_F(RecorderTest, WhatAPlanCannotExpressIsRefusedWithItsLine) {
    for (const auto& [body, reason] : std::vector<std::pair<std::string, std::string>>{
             {"float v;\n cudaMemcpy(&v, x, 4, cudaMemcpyDeviceToHost);",
              "copies device memory to the host"},
             {"\ncudaEvent_t e; cudaEventCreate(&e);", "calls cudaEventCreate: events"},
             {"cudaStream_t s;\ncudaStreamCreate(&s);", "calls cudaStreamCreate: all work"},
             {"\ncudaMemsetAsync(y, 0, 4, (cudaStream_t)0x1234);", "another stream"},
             {"\nk<<<1, 1, 0, (cudaStream_t)0x1234>>>(x, y, 1);", "another stream"},
             {"void* p;\ncudaMallocManaged(&p, 4);", "calls cudaMallocManaged: a kernel works"},
             {"\ncudaLaunchHostFunc(stream, nullptr, nullptr);", "no host code runs"},
             {"cudaGraph_t g;\ncudaStreamBeginCapture(stream, 0);", "a plan is its own graph"},
             {"void* none[1];\ncudaLaunchKernel((void*)&::abs<int>, 1, 1, none);",
              "no kernel of this file"},
             {"float local;\ncudaMemset(&local, 0, 4);", "not the device's"},
             {"\ncudaMemset2DAsync(y, 8, 0, 4, 2, stream);", "rows have gaps"},
             {"\ncudaMemcpy2D(y, 8, x, 4, 4, 2, cudaMemcpyDeviceToDevice);", "rows have gaps"},
             {"void* p;\ncudaMalloc(&p, 40ull << 30);", "more than 32 GiB at once"},
             {"\nfor (int i = 0; i < 1000000; ++i) k<<<1, 1>>>(x, y, i);", "more than 4096"},
             {"int v;\ncudaDeviceGetAttribute(&v, (cudaDeviceAttr)13, 0);", "is not answered"},
         }) {
        const RecordFault refused =
            fault(launcher(body, std::string(k_kernel) + "\ntemplate <class T> void abs() {}"));
        EXPECT_EQ(refused.outcome, Outcome::rejected) << body << refused.reason;
        EXPECT_THAT(refused.reason, HasSubstr(reason));
        EXPECT_EQ(refused.line, 7u) << body;
    }
}

TEST_F(RecorderTest, WhatHangsOnAddressesIsRefused) {
    for (const auto& [body, reason] : std::vector<std::pair<std::string, std::string>>{
             {"k<<<1 + ((size_t)x >> 6) % 7, 1>>>(x, y, 1);", "the launch of _Z1kPKfPfi differs"},
             {"k<<<1, 1>>>(x, y, (int)((size_t)x >> 6));", "the last bytes of argument 3"},
             {"if ((size_t)x % 128 == 0) k<<<1, 1>>>(x, y, 1);", "only under some addresses"},
             {"k<<<1, 1>>>((float*)((size_t)x ^ (size_t)y), y, 1);", "bytes 0 to 7 of argument 1"},
             {"k<<<1, 1>>>(x + (y - x), y, 1);", ""},
         }) {
        if (reason.empty()) {
            EXPECT_EQ(target_of(launch_of(plan(launcher(body, k_kernel))).arguments[0]),
                      (PlanAddress{Buffer::output, 0, 0}));
            continue;
        }
        const RecordFault refused = fault(launcher(body, k_kernel));
        EXPECT_EQ(refused.outcome, Outcome::rejected);
        EXPECT_THAT(refused.reason, HasSubstr(reason)) << body;
        EXPECT_EQ(refused.line, 5u) << body;
    }
}

TEST_F(RecorderTest, PointersOutsideBuffersAreFaults) {
    EXPECT_THAT(fault(launcher("k<<<1, 1>>>(x - 3, y, 1);", k_kernel)).reason,
                HasSubstr("12 bytes before input 0"));
    const RecordReply beyond =
        record(launcher("k<<<1, 1>>>(x + rows * cols + 1, y, 1);", k_kernel));
    ASSERT_FALSE(beyond.fault);
    EXPECT_FALSE(check_plan(beyond.plans[0], *device_limits_of("sm_90a")));
}

TEST_F(RecorderTest, TricksOfALauncherEndInTheirOutcome) {
    const RecordFault loop =
        fault(launcher("cudaMemset(y, 0, 4);\nfor (volatile int i = 0;;) i = 1;"));
    EXPECT_EQ(loop.outcome, Outcome::timeout);
    EXPECT_THAT(loop.reason, HasSubstr("its last CUDA call was in line 3"));
    const RecordFault file =
        fault(launcher("FILE* f = fopen(\"/etc/passwd\", \"w\"); syscall(41, 1, 1, 0);",
                       "#include <vector>\n#include <cstdio>\n#include <unistd.h>"));
    EXPECT_EQ(file.outcome, Outcome::forbidden_call) << file.reason;
    const RecordFault touch = fault(launcher("y[0] = x[0];"));
    EXPECT_EQ(touch.outcome, Outcome::memory_fault);
    EXPECT_THAT(touch.reason, HasSubstr("device memory cannot be read or written by the host"));
    EXPECT_EQ(fault(launcher("abort();")).outcome, Outcome::crash);
    EXPECT_EQ(fault(launcher("exit(0);")).outcome, Outcome::crash);
    const RecordFault forged =
        fault(launcher("for (int i = 0; i < 4096; ++i) "
                       "atoll_recording::g_record[i] = (char)i;"));
    EXPECT_EQ(forged.outcome, Outcome::reward_hack) << forged.reason;
    const RecordFault early = fault(
        launcher("", "__global__ void k() {}\nstruct Early { Early() { k<<<1, 1>>>(); } } early;"));
    EXPECT_NE(early.outcome, Outcome::passed);
}

TEST_F(RecorderTest, ClocksMayBeReadAndChangeNothing) {
    const Plan recorded =
        plan(launcher("timespec t; clock_gettime(CLOCK_MONOTONIC, &t);\n"
                      "k<<<1, 32>>>(x, y, 1);",
                      "#include <ctime>\n" + std::string(k_kernel)));
    EXPECT_EQ(recorded.steps.size(), 1u);
    const RecordFault time =
        fault(launcher("timespec t; clock_gettime(CLOCK_MONOTONIC, &t);\n"
                       "k<<<1, 32>>>(x, y, (int)t.tv_nsec);",
                       "#include <ctime>\n" + std::string(k_kernel)));
    EXPECT_THAT(time.reason, HasSubstr("argument 3"));
}

TEST_F(RecorderTest, CompileErrorsNameTheCandidatesLine) {
    const RecordFault error = fault(launcher("int a = ;\n", k_kernel));
    EXPECT_EQ(error.outcome, Outcome::compile_error);
    EXPECT_EQ(error.line, 5u) << error.reason;
    EXPECT_THAT(error.reason, HasSubstr("candidate.cu:5"));
    const RecordReply signature = record("void launch(float* y) {}\n");
    ASSERT_TRUE(signature.fault);
    EXPECT_EQ(signature.fault->outcome, Outcome::compile_error);
    EXPECT_THAT(signature.compile_log, HasSubstr("required is: void launch("));
    const RecordReply none = record("__global__ void k() {}\n");
    ASSERT_TRUE(none.fault);
    EXPECT_THAT(none.compile_log, HasSubstr("required: void launch("));
    const RecordReply missing =
        record("int elsewhere(int);\n" + launcher("k<<<elsewhere(1), 1>>>(x, y, 1);", k_kernel));
    ASSERT_TRUE(missing.fault);
    EXPECT_EQ(missing.fault->outcome, Outcome::compile_error);
    EXPECT_EQ(missing.workload, "") << "it is not the workload's doing";
    EXPECT_THAT(missing.compile_log, HasSubstr("elsewhere"));
    // Files of the host are not there to be quoted.
    EXPECT_EQ(fault("#include \"/etc/passwd\"\n" + launcher("")).outcome, Outcome::compile_error);
}

// A tune value is a macro of the candidate alone: T names a type in the shim.
TEST_F(RecorderTest, TuneValuesDoNotReachTheShim) {
    const RecordReply reply = record(launcher("    kernel<<<T, 32, 0, stream>>>(y);",
                                              "__global__ void kernel(float* y) { *y = T; }"),
                                     "large", {}, {{"T", "8"}, {"word", "9"}});
    ASSERT_FALSE(reply.fault) << reply.fault->reason << reply.compile_log;
    EXPECT_EQ(launch_of(reply.plans.at(0)).grid, (PlanDim{8, 1, 1}));
}

}  // namespace
}  // namespace atl
