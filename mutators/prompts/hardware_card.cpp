#include "mutators/prompts/hardware_card.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <utility>

namespace atl {

namespace {

std::string kibibytes(std::uint64_t bytes) {
    return fmt::format("{} KiB", bytes >> 10);
}

std::string gpu_rates(const GpuPeaks& peaks) {
    std::string text;
    for (const auto& [what, rate] :
         {std::pair{"FP64", peaks.fp64}, std::pair{"FP32 without tensor cores", peaks.fp32},
          std::pair{"TF32 tensor cores", peaks.tf32},
          std::pair{"FP16 or BF16 tensor cores", peaks.half},
          std::pair{"FP8 or INT8 tensor cores", peaks.eight_bit}}) {
        if (rate > 0) {
            text += fmt::format("{}{} {:.4g}", text.empty() ? "" : ", ", what, rate / 1e12);
        }
    }
    return text.empty() ? "" : "- Peak rates, in 10^12 operations per second: " + text + "\n";
}

}  // namespace

std::string hardware_card(const DeviceLimits& limits, const GpuPeaks& peaks) {
    std::string text = fmt::format("- {}: {} multiprocessors, architecture {}\n", limits.name,
                                   limits.multiprocessors, limits.arch);
    text += gpu_rates(peaks);
    if (peaks.bandwidth > 0) {
        text += fmt::format("- Memory: {:.4g} GB/s", peaks.bandwidth / 1e9);
        text += limits.memory_bytes > 0 ? fmt::format(", {} GiB\n", limits.memory_bytes >> 30)
                                        : std::string("\n");
    }
    if (limits.l2_bytes > 0) {
        text += fmt::format("- L2 cache: {:.4g} MiB\n",
                            static_cast<double>(limits.l2_bytes) / (1 << 20));
    }
    text += fmt::format(
        "- A multiprocessor: {} threads, {} blocks, {} registers, {} of shared memory\n",
        limits.threads_per_multiprocessor, limits.blocks_per_multiprocessor,
        limits.registers_per_multiprocessor, kibibytes(limits.shared_per_multiprocessor));
    text += fmt::format(
        "- A block: {} threads, {} registers, {} of shared memory (up to {} when "
        "asked for)\n",
        limits.threads_per_block, limits.registers_per_block, kibibytes(limits.shared_per_block),
        kibibytes(limits.shared_per_block_optin));
    if (limits.cluster_blocks > 0) {
        text += fmt::format("- A cluster: {} blocks, up to {} when asked for\n",
                            limits.cluster_blocks, limits.cluster_blocks_optin);
    }
    return text;
}

std::string hardware_card(const std::string& model, const DevicePeaks& peaks) {
    std::string text =
        fmt::format("- One core of {}; a candidate runs on this core alone\n", model);
    if (peaks.flops > 0) {
        text +=
            fmt::format("- Peak rate: {:.4g} * 10^9 single-precision operations per second ({})\n",
                        peaks.flops / 1e9, peaks.vector_unit);
    }
    if (peaks.bandwidth > 0) {
        text += fmt::format("- Memory: {:.4g} GB/s read by one core\n", peaks.bandwidth / 1e9);
    }
    if (peaks.cache_bytes > 0) {
        text += fmt::format("- Last-level cache: {:.4g} MiB\n",
                            static_cast<double>(peaks.cache_bytes) / (1 << 20));
    }
    return text;
}

std::string hardware_card(const DeviceFacts& facts) {
    if (facts.gpu) {
        return hardware_card(*facts.gpu, gpu_peaks_of(*facts.gpu));
    }
    return facts.core ? hardware_card(facts.cpu_model, *facts.core) : std::string();
}

}  // namespace atl
