#include "reward/gpu/gpu_package.hpp"

#include "reward/worker_calls.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>

namespace atl {
namespace {

using ::testing::HasSubstr;

Plan plan_with(std::uint64_t bytes) {
    Plan plan;
    plan.inputs = {bytes};
    plan.outputs = {8};
    plan.steps = {{3, PlanMemset{{PlanAddress::Buffer::output, 0, 0}, 7, 8}}};
    return plan;
}

Error error_of(const std::string& bytes) {
    const auto read = read_gpu_package(value_or_throw(memory_file_of(bytes)));
    EXPECT_FALSE(read);
    return read ? Error{} : read.error();
}

std::string package_bytes(std::string_view json) {
    const std::uint64_t size = json.size();
    std::string bytes = "ATGPUPK1";
    bytes.append(reinterpret_cast<const char*>(&size), sizeof(size));
    return bytes.append(json);
}

TEST(GpuPackage, ThereAndBackAndSealed) {
    GpuPackage package;
    package.cubin = std::string(
        "\x7f"
        "ELF\0cubin",
        10);
    package.plans = {{3, plan_with(16)}, {1, plan_with(32)}};
    package.compiled_here = false;
    package.leaves_heap = true;
    package.touches_variables = false;
    package.local_bytes = std::uint64_t{30} << 30;
    const FileHandle file = value_or_throw(write_gpu_package(package));
    EXPECT_LT(::write(file.get(), "x", 1), 0) << "what was checked must stay";
    for (int reader = 0; reader < 2; ++reader) {  // verifier and runner share one file
        const GpuPackage read = value_or_throw(read_gpu_package(file));
        EXPECT_EQ(read.cubin, package.cubin);
        EXPECT_FALSE(read.compiled_here);
        EXPECT_TRUE(read.leaves_heap);
        EXPECT_FALSE(read.touches_variables);
        EXPECT_EQ(read.local_bytes, package.local_bytes);
        EXPECT_EQ(read.plans, package.plans);
        ASSERT_NE(read.plan_of(1), nullptr);
        EXPECT_EQ(*read.plan_of(1), plan_with(32));
        EXPECT_EQ(read.plan_of(0), nullptr);
    }
}

TEST(GpuPackage, WhatIsNoneIsCorrupt) {
    EXPECT_EQ(error_of("").code, ErrorCode::corrupt);
    EXPECT_EQ(error_of(std::string(64, 'x')).code, ErrorCode::corrupt);
    std::string longer = package_bytes(
        "{\"compiled_here\": true, \"leaves_heap\": false, \"touches_variables\": true, "
        "\"local_bytes\": 0, \"plans\": []}");
    longer[8] = static_cast<char>(longer[8] + 1);
    EXPECT_THAT(error_of(longer).message(), HasSubstr("head"));
    EXPECT_EQ(error_of(package_bytes("[]")).code, ErrorCode::corrupt);
    EXPECT_EQ(error_of(package_bytes("{\"plans\": [{\"workload\": 0, \"plan\": \"{}\"}]}")).code,
              ErrorCode::corrupt);
    EXPECT_TRUE(read_gpu_package(value_or_throw(memory_file_of(
        package_bytes("{\"compiled_here\": true, \"leaves_heap\": false, "
                      "\"touches_variables\": true, \"local_bytes\": 0, \"plans\": []}")))));
}

TEST(GpuPackage, APlanThatHasAttributesOrVariablesLeavesTracesInTheCode) {
    Plan plan = plan_with(16);
    EXPECT_FALSE(leaves_traces(plan));
    plan.symbols.push_back({"memo", 4});
    EXPECT_TRUE(leaves_traces(plan)) << "a kernel may get the address of what it does not name";
    plan = plan_with(16);
    plan.settings.push_back({"k", 50'000});
    EXPECT_TRUE(leaves_traces(plan));
}

TEST(GpuPackage, TwoPlansOfAWorkloadAreCorrupt) {
    GpuPackage package;
    package.plans = {{3, plan_with(16)}, {3, plan_with(32)}};
    const auto read = read_gpu_package(value_or_throw(write_gpu_package(package)));
    ASSERT_FALSE(read);
    EXPECT_THAT(read.error().message(), HasSubstr("workload 3 has two plans"));
}

TEST(GpuPackage, APipeIsNotWaitedFor) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const FileHandle reader(ends[0]);
    const FileHandle writer(ends[1]);
    EXPECT_FALSE(read_gpu_package(reader));
}

}  // namespace
}  // namespace atl
