#include "reward/bottleneck.hpp"

#include "reward/bottleneck_evidence.hpp"
#include "reward/cuda/kernel_names.hpp"
#include "reward/gpu/profile_metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace atl {

namespace {

constexpr double k_percent = 100;
constexpr double k_conflicts_when_busy = 1.0 / 3;
constexpr double k_conflicts_otherwise = 0.5;
constexpr std::size_t k_most_name = 80;

bool is_launch_overhead(const BottleneckEvidence& e) {
    return e.median_ns > 0 && e.launches() * k_launch_ns >= e.median_ns / 2 &&
           e.roof_ns() < e.median_ns / 2 && e.busiest_percent() < k_busy_percent;
}

bool has_idle_tensor_cores(const BottleneckEvidence& e) {
    return e.counted && e.report.tensor_types && e.tensor < k_idle_percent &&
           e.report.compute_ns > e.report.memory_ns;
}

/// unknown: none is busy.
Bottleneck busiest_unit(const BottleneckEvidence& e) {
    const double most = e.busiest_percent();
    if (most < k_busy_percent) {
        return Bottleneck::unknown;
    }
    if (most == e.dram) {
        return Bottleneck::dram_bandwidth;
    }
    if (most == e.l2) {
        return Bottleneck::l2_bandwidth;
    }
    if (most == e.shared) {
        return e.conflicts >= k_conflicts_when_busy ? Bottleneck::shared_memory_conflicts
                                                    : Bottleneck::shared_memory_bandwidth;
    }
    return has_idle_tensor_cores(e) ? Bottleneck::tensor_pipe_idle : Bottleneck::compute_bound;
}

/// unknown: none is near.
Bottleneck nearest_roof(const BottleneckEvidence& e) {
    if (e.median_ns <= 0 || e.roof_ns() < e.median_ns * k_busy_percent / k_percent) {
        return Bottleneck::unknown;
    }
    return e.report.memory_ns >= e.report.compute_ns ? Bottleneck::dram_bandwidth
                                                     : Bottleneck::compute_bound;
}

/// What the shape of the launch says where nothing is busy.
Bottleneck judge_shape(const BottleneckEvidence& e) {
    if (e.kernel != nullptr && static_cast<double>(e.kernel->blocks) < e.multiprocessors()) {
        return Bottleneck::few_blocks;
    }
    if (e.tail_share() >= k_tail_share) {
        return Bottleneck::tail_effect;
    }
    if (e.kernel != nullptr && e.kernel->occupancy <= k_low_occupancy) {
        return Bottleneck::occupancy_limited;
    }
    return e.counted ? Bottleneck::latency_bound : Bottleneck::unknown;
}

Bottleneck judge(const BottleneckEvidence& e) {
    if (is_launch_overhead(e)) {
        return Bottleneck::launch_overhead;
    }
    const Bottleneck busy = e.counted ? busiest_unit(e) : nearest_roof(e);
    if (busy != Bottleneck::unknown) {
        return busy;
    }
    if (e.shared >= k_busy_percent / 2 && e.conflicts >= k_conflicts_otherwise) {
        return Bottleneck::shared_memory_conflicts;
    }
    return has_idle_tensor_cores(e) ? Bottleneck::tensor_pipe_idle : judge_shape(e);
}

double time_of(const KernelCounters& counted) {
    const auto found = counted.metrics.find(metric::k_time);
    return found == counted.metrics.end() ? 0 : found->second;
}

/// The longest launch of those alike that take the most time together, whose share of all time is
/// told.
const KernelCounters* choose_counted(const CounterReading& reading, double& share) {
    struct Group {
        double total_ns = 0;
        const KernelCounters* longest = nullptr;
    };
    std::map<std::tuple<std::string, std::uint64_t, std::uint32_t>, Group> groups;
    double total_ns = 0;
    for (const KernelCounters& counted : reading.kernels) {
        Group& group = groups[{counted.kernel, counted.blocks, counted.threads_per_block}];
        group.total_ns += time_of(counted);
        total_ns += time_of(counted);
        if (group.longest == nullptr || time_of(counted) > time_of(*group.longest)) {
            group.longest = &counted;
        }
    }
    const auto most = std::max_element(
        groups.begin(), groups.end(),
        [](const auto& a, const auto& b) { return a.second.total_ns < b.second.total_ns; });
    if (most == groups.end() || most->second.total_ns <= 0) {
        return nullptr;
    }
    share = std::min(1.0, most->second.total_ns / total_ns);
    return most->second.longest;
}

/// nullptr: there is none.
const KernelFootprint* footprint_of(const ProfileReport& report, const KernelCounters& counted) {
    const auto found = std::find_if(
        report.kernels.begin(), report.kernels.end(), [&](const KernelFootprint& kernel) {
            return kernel.kernel == counted.kernel && kernel.blocks == counted.blocks &&
                   kernel.threads_per_block == counted.threads_per_block;
        });
    return found == report.kernels.end() ? nullptr : &*found;
}

const KernelFootprint* largest_of(const std::vector<KernelFootprint>& kernels) {
    const auto threads = [](const KernelFootprint& kernel) {
        return static_cast<double>(kernel.blocks) * kernel.threads_per_block * kernel.launches;
    };
    const auto largest =
        std::max_element(kernels.begin(), kernels.end(),
                         [&](const auto& a, const auto& b) { return threads(a) < threads(b); });
    return largest == kernels.end() ? nullptr : &*largest;
}

void take_counters(const KernelCounters& counted, double share, ProfileReport& report) {
    report.source = "cupti";
    report.metrics = counted.metrics;
    report.kernel = counted.kernel;
    report.kernel_share = share;
    const auto warps = counted.metrics.find(metric::k_warps);
    if (warps != counted.metrics.end()) {
        report.occupancy_achieved = std::clamp(warps->second / k_percent, 0.0, 1.0);
    }
}

/// Names come from candidates.
std::string subject_of(const ProfileReport& report) {
    if (report.kernel.empty()) {
        return "";
    }
    std::string name =
        name_expression_of(report.kernel).value_or(report.kernel).substr(0, k_most_name);
    std::replace_if(
        name.begin(), name.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    if (report.kernel_share < 1) {
        name += fmt::format(" ({:.0f} % of all kernels' time)", k_percent * report.kernel_share);
    }
    return "kernel " + name + ": ";
}

}  // namespace

void name_bottleneck(ProfileReport& report, double median_ns,
                     const std::optional<CounterReading>& counters) {
    double share = 1;
    const KernelCounters* counted = counters ? choose_counted(*counters, share) : nullptr;
    const KernelFootprint* kernel = nullptr;
    if (counted != nullptr) {
        take_counters(*counted, share, report);
        kernel = footprint_of(report, *counted);
    } else {
        kernel = largest_of(report.kernels);
        if (counters) {
            report.why_static =
                counters->why_none.empty() ? "nothing was counted" : counters->why_none;
        }
    }
    if (kernel != nullptr) {
        report.kernel = kernel->kernel;
        report.occupancy = kernel->occupancy;
        report.limiter = kernel->limiter;
    }
    const BottleneckEvidence evidence(report, kernel, median_ns);
    report.bottleneck = judge(evidence);
    report.sentence = fmt::format("{}: {}{}", to_string(report.bottleneck), subject_of(report),
                                  words_of(report.bottleneck, evidence));
    if (kernel != nullptr && kernel->spill_bytes > 0) {
        report.sentence += fmt::format("; it spills {} bytes per thread", kernel->spill_bytes);
    }
    if (counted == nullptr) {
        report.sentence += " (told without counters)";
    }
}

}  // namespace atl
