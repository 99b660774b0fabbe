#pragma once

#include "reward/gpu/gpu_protocol.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// How launches are timed. Ours are the first two; the others repeat the settings with which
/// published harnesses time a kernel, so that a number can be put beside theirs: what they do, not
/// what can be believed. Whatever the protocol, some outputs of timed launches are judged. Times
/// are the device's: what a harness adds on its host side (PyTorch, Python) is not in them.
struct GpuProtocol {
    enum class Statistic { centre, median, mean };  ///< centre: of centre_of()
    enum class Clock {
        best,   ///< CUPTI's records where there are any, else events
        events  ///< the driver's events around a launch
    };

    std::string_view name;
    bool cold = true;        ///< the L2 cache is overwritten before each launch
    bool new_inputs = true;  ///< before each launch: contents, outputs' poison and addresses
    std::size_t warm_ups = 0;
    std::size_t trials = 0;  ///< launches that count; 0: until the interval is narrow
    Statistic statistic = Statistic::centre;
    Clock clock = Clock::best;
    std::string_view meaning;  ///< one sentence
};

/// The default one comes first.
[[nodiscard]] std::span<const GpuProtocol> gpu_protocols();
/// Null where there is none of that name; "" is the default one's.
[[nodiscard]] const GpuProtocol* find_gpu_protocol(std::string_view name);
[[nodiscard]] std::vector<std::string> gpu_protocol_names();

}  // namespace atl
