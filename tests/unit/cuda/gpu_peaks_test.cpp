#include "reward/gpu/gpu_peaks.hpp"

#include <gtest/gtest.h>

namespace atl {
namespace {

DeviceLimits named(const std::string& name, const std::string& arch = "sm_90a") {
    DeviceLimits limits = *device_limits_of(arch);
    limits.name = name;
    return limits;
}

TEST(GpuPeaks, AreThoseOfTheDataSheetByTheDriversName) {
    EXPECT_DOUBLE_EQ(gpu_peaks_of(named("NVIDIA H200")).bandwidth, 4.8e12);
    EXPECT_DOUBLE_EQ(gpu_peaks_of(named("NVIDIA H100 80GB HBM3")).bandwidth, 3.35e12);
    EXPECT_DOUBLE_EQ(gpu_peaks_of(named("NVIDIA H100 PCIe")).half, 756.5e12);
    EXPECT_DOUBLE_EQ(gpu_peaks_of(named("NVIDIA H100 NVL")).bandwidth, 3.9e12);
    EXPECT_DOUBLE_EQ(gpu_peaks_of(named("NVIDIA A100-SXM4-40GB", "sm_80")).bandwidth, 1.555e12);
    EXPECT_DOUBLE_EQ(gpu_peaks_of(named("NVIDIA A100-SXM4-80GB", "sm_80")).bandwidth, 2.039e12);
    EXPECT_DOUBLE_EQ(gpu_peaks_of(named("NVIDIA B200", "sm_100a")).half, 2250e12);
    EXPECT_DOUBLE_EQ(gpu_peaks_of(named("NVIDIA L40S")).bandwidth, 864e9);
    EXPECT_DOUBLE_EQ(gpu_peaks_of(named("NVIDIA GeForce RTX 4090")).fp32, 82.6e12);
}

TEST(GpuPeaks, OfUnknownModelsAreScaledByMultiprocessors) {
    DeviceLimits half = named("NVIDIA H20 of another kind");
    half.multiprocessors = 66;
    EXPECT_DOUBLE_EQ(gpu_peaks_of(half).half, 989.5e12 / 2);
    EXPECT_EQ(gpu_peaks_of(half).bandwidth, 0);
    DeviceLimits laptop = named("NVIDIA GeForce RTX 4090 Laptop GPU");
    laptop.major = 8;
    laptop.minor = 9;
    laptop.multiprocessors = 76;
    EXPECT_LT(gpu_peaks_of(laptop).fp32, 82.6e12);
    DeviceLimits newer = named("NVIDIA X1");
    newer.major = 17;
    EXPECT_EQ(gpu_peaks_of(newer).half, 0);
}

TEST(GpuPeaks, OfATaskAreThoseOfItsFastestTensor) {
    const GpuPeaks peaks{1, 2, 3, 4, 5, 6};
    Task task;
    const auto add = [&](DType dtype, bool scalar) {
        task.inputs.push_back({"x", dtype, {}, scalar, ""});
    };
    EXPECT_EQ(peak_flops_for(peaks, task), 0);
    add(DType::f64, false);
    EXPECT_EQ(peak_flops_for(peaks, task), 1);
    add(DType::i32, false);
    EXPECT_EQ(peak_flops_for(peaks, task), 2);
    add(DType::f32, false);
    EXPECT_EQ(peak_flops_for(peaks, task), 2) << "TF32 is not this task's precision";
    EXPECT_EQ(most_flops_for(peaks, task), 3) << "but several TF32 products may be";
    task.precision.tf32 = true;
    EXPECT_EQ(peak_flops_for(peaks, task), 3);
    add(DType::u8, true);
    EXPECT_EQ(peak_flops_for(peaks, task), 3) << "scalars say nothing";
    add(DType::bf16, false);
    EXPECT_EQ(peak_flops_for(peaks, task), 4);
    task.outputs.push_back({"y", DType::i8, {}, false, ""});
    EXPECT_EQ(peak_flops_for(peaks, task), 5) << "an answer of 8 bits needs no more";
    task.inputs.clear();
    task.outputs.clear();
    add(DType::f8e4m3, false);
    EXPECT_EQ(peak_flops_for(peaks, task), 5);
}

// Products of split numbers on tensor cores are as exact as single precision's and faster.
TEST(GpuPeaks, OfSinglePrecisionAreThoseOfSplitProductsWhereTensorCoresDoThreeInTheTimeOfOne) {
    Task task;
    task.inputs.push_back({"x", DType::f32, {}, false, ""});
    EXPECT_DOUBLE_EQ(peak_flops_for(GpuPeaks{1, 2, 30, 4, 5, 6}, task), 10);
    EXPECT_DOUBLE_EQ(peak_flops_for(GpuPeaks{1, 20, 30, 4, 5, 6}, task), 20);
}

}  // namespace
}  // namespace atl
