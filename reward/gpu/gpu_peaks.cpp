#include "reward/gpu/gpu_peaks.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace atl {

namespace {

constexpr double k_tera = 1e12;
constexpr double k_giga = 1e9;

// Three products of TF32 parts (or six of bfloat16 parts, at twice the rate) are as exact as one
// of single precision: Ootomo and Yokota, "Recovering single precision accuracy from Tensor Cores
// while surpassing the FP32 theoretical peak performance", 2022.
constexpr double k_split_products = 3;

struct KnownGpu {
    std::string_view name;  ///< a part of the driver's name for it
    int multiprocessors;
    GpuPeaks peaks;
};

constexpr GpuPeaks peaks(double fp64, double fp32, double tf32, double half, double eight_bit,
                         double gigabytes) {
    return {fp64 * k_tera, fp32 * k_tera,      tf32 * k_tera,
            half * k_tera, eight_bit * k_tera, gigabytes * k_giga};
}

// The first whose name fits counts. Data sheets give rates with sparsity: half of those here.
constexpr std::array k_known{
    KnownGpu{"H200 NVL", 132, peaks(60, 60, 417.5, 835.5, 1670.5, 4800)},
    KnownGpu{"H200", 132, peaks(67, 67, 494.7, 989.5, 1979, 4800)},
    KnownGpu{"H100 NVL", 132, peaks(60, 60, 417.5, 835.5, 1670.5, 3900)},
    KnownGpu{"H100 PCIe", 114, peaks(51.2, 51.2, 378, 756.5, 1513, 2039)},
    KnownGpu{"H100", 132, peaks(67, 67, 494.7, 989.5, 1979, 3350)},
    KnownGpu{"A100 80GB PCIe", 108, peaks(19.5, 19.5, 156, 312, 624, 1935)},
    KnownGpu{"A100-SXM4-80GB", 108, peaks(19.5, 19.5, 156, 312, 624, 2039)},
    KnownGpu{"A100", 108, peaks(19.5, 19.5, 156, 312, 624, 1555)},
    KnownGpu{"B200", 148, peaks(40, 80, 1125, 2250, 4500, 8000)},
    KnownGpu{"L40S", 142, peaks(1.4, 91.6, 183.2, 366.4, 733, 864)},
    KnownGpu{"RTX 4090", 128, peaks(1.3, 82.6, 82.6, 330.3, 660.6, 1008)},
};

/// Whose generation it is: the name of a known device; empty for generations without one.
std::string_view relative_of(const DeviceLimits& device) {
    if (device.major == 8) {
        return device.minor == 0 ? "A100" : "L40S";
    }
    return device.major == 9 ? "H200" : device.major == 10 ? "B200" : std::string_view();
}

const KnownGpu* find_known(std::string_view name) {
    const auto found = std::find_if(k_known.begin(), k_known.end(), [&](const KnownGpu& known) {
        return name.find(known.name) != std::string_view::npos;
    });
    return found == k_known.end() ? nullptr : &*found;
}

double rate_of(const GpuPeaks& peaks, DType dtype, bool tf32) {
    switch (dtype) {
        case DType::f64:
            return peaks.fp64;
        case DType::f32:
            return tf32 ? peaks.tf32 : std::max(peaks.fp32, peaks.tf32 / k_split_products);
        case DType::f16:
        case DType::bf16:
            return peaks.half;
        case DType::i8:
        case DType::u8:
        case DType::f8e4m3:
            return peaks.eight_bit;
        case DType::i16:
        case DType::i32:
        case DType::i64:
            return peaks.fp32;
    }
    return 0;
}

double highest_rate(const GpuPeaks& peaks, const Task& task, bool tf32) {
    double highest = 0;
    for (const TensorSpec& input : task.inputs) {
        if (!input.scalar) {
            highest = std::max(highest, rate_of(peaks, input.dtype, tf32));
        }
    }
    // Who has to answer in half precision only may as well compute in it.
    for (const TensorSpec& output : task.outputs) {
        highest = std::max(highest, rate_of(peaks, output.dtype, tf32));
    }
    return highest;
}

}  // namespace

GpuPeaks gpu_peaks_of(const DeviceLimits& device) {
    if (const KnownGpu* known = find_known(device.name);
        known != nullptr && device.name.find("Laptop") == std::string::npos) {
        return known->peaks;
    }
    const KnownGpu* relative = find_known(relative_of(device));
    if (relative_of(device).empty() || relative == nullptr) {
        return {};
    }
    GpuPeaks scaled = relative->peaks;
    const double share = static_cast<double>(device.multiprocessors) / relative->multiprocessors;
    for (double* rate :
         {&scaled.fp64, &scaled.fp32, &scaled.tf32, &scaled.half, &scaled.eight_bit}) {
        *rate *= share;
    }
    scaled.bandwidth = 0;
    return scaled;
}

double peak_flops_for(const GpuPeaks& peaks, const Task& task) {
    return highest_rate(peaks, task, task.precision.tf32);
}

double most_flops_for(const GpuPeaks& peaks, const Task& task) {
    return highest_rate(peaks, task, true);
}

}  // namespace atl
