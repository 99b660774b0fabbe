#include "reward/gpu/protocols.hpp"

#include <algorithm>
#include <array>

namespace atl {

namespace {

using Clock = GpuProtocol::Clock;
using Statistic = GpuProtocol::Statistic;

constexpr std::array k_protocols{
    GpuProtocol{k_cuda_protocol, true, true, 0, 0, Statistic::centre, Clock::best,
                "ours: cold L2, new inputs, until the interval is narrow"},
    GpuProtocol{"cuda-warm-v2", false, true, 0, 0, Statistic::centre, Clock::best,
                "as the default, but the L2 cache keeps what writing the inputs left in it"},
    // src/timing.py: warm-up 3, trials 100 (scripts), L2 filled before each, discards the first.
    GpuProtocol{
        "kernelbench", true, false, 4, 100, Statistic::mean, Clock::events,
        "KernelBench: 3 warm-ups and the first trial left out, mean of 100, cold L2, events"},
    GpuProtocol{"kernelgym", false, false, 3, 100, Statistic::mean, Clock::events,
                "KernelGYM: 3 warm-ups, mean of 100, the L2 cache as it is, events"},
    GpuProtocol{"sol-execbench", true, false, 10, 50, Statistic::median, Clock::best,
                "SOL-ExecBench: 10 warm-ups, median of 50 spans by CUPTI, cold L2"},
};

}  // namespace

std::span<const GpuProtocol> gpu_protocols() {
    return k_protocols;
}

const GpuProtocol* find_gpu_protocol(std::string_view name) {
    const auto* const found =
        std::find_if(k_protocols.begin(), k_protocols.end(),
                     [&](const GpuProtocol& protocol) { return protocol.name == name; });
    if (name.empty()) {
        return k_protocols.data();
    }
    return found == k_protocols.end() ? nullptr : found;
}

std::vector<std::string> gpu_protocol_names() {
    std::vector<std::string> names;
    for (const GpuProtocol& protocol : k_protocols) {
        names.emplace_back(protocol.name);
    }
    return names;
}

}  // namespace atl
