#include "reward/bottleneck_evidence.hpp"

#include "reward/bottleneck.hpp"
#include "reward/gpu/profile_metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace atl {

namespace {

constexpr double k_percent = 100;

std::string bytes_text(double bytes) {
    constexpr double k_step = 1000;
    const char* unit = "B";
    for (const char* next : {"kB", "MB", "GB"}) {
        if (bytes < k_step) {
            break;
        }
        bytes /= k_step;
        unit = next;
    }
    return fmt::format("{:.3g} {}", bytes, unit);
}

std::string time_text(double ns) {
    return ns < 1e6 ? fmt::format("{:.3g} us", ns / 1e3) : fmt::format("{:.3g} ms", ns / 1e6);
}

std::string launch_words(const BottleneckEvidence& e) {
    const double launches = e.launches();
    return fmt::format(
        "{} take{} {} in all, and kernels that do nothing take {} of that; do more in each launch, "
        "or need fewer launches",
        launches == 1 ? "one launch" : fmt::format("{} launches", launches),
        launches == 1 ? "s" : "", time_text(e.median_ns), time_text(launches * k_launch_ns));
}

std::string roof_words(Bottleneck name, const BottleneckEvidence& e) {
    return fmt::format("{} alone needs {} of its {}",
                       name == Bottleneck::dram_bandwidth ? "moving its data" : "its arithmetic",
                       time_text(e.roof_ns()), time_text(e.median_ns));
}

std::string dram_words(const BottleneckEvidence& e) {
    return fmt::format(
        "memory is busy for {:.0f} % of its time ({} read, {} written); only fewer bytes make it "
        "faster",
        e.dram, bytes_text(e.metric(metric::k_dram_read)),
        bytes_text(e.metric(metric::k_dram_written)));
}

std::string l2_words(const BottleneckEvidence& e) {
    return fmt::format(
        "the L2 cache is busy for {:.0f} % of its time and memory for {:.0f} %; let neighbouring "
        "threads touch neighbouring data, or keep more in registers or shared memory",
        e.l2, e.dram);
}

std::string conflict_words(const BottleneckEvidence& e) {
    return fmt::format(
        "shared memory is busy for {:.0f} % of its time, and {:.0f} % of its turns are bank "
        "conflicts; pad or swizzle what lies there",
        e.shared, k_percent * e.conflicts);
}

std::string shared_words(const BottleneckEvidence& e) {
    return fmt::format(
        "shared memory is busy for {:.0f} % of its time, without many bank conflicts; keep more in "
        "registers, or read wider",
        e.shared);
}

std::string compute_words(const BottleneckEvidence& e) {
    return fmt::format(
        "instruction slots are used for {:.0f} % of its time and tensor cores for {:.0f} %; only "
        "fewer or cheaper instructions make it faster",
        e.issue, e.tensor);
}

std::string tensor_words(const BottleneckEvidence& e) {
    return fmt::format(
        "the task is bound by products that tensor cores do, and they are busy for {:.0f} % of its "
        "time (instruction slots for {:.0f} %); keep them fed by mma or wgmma",
        e.tensor, e.issue);
}

std::string few_words(const BottleneckEvidence& e) {
    const double blocks = static_cast<double>(e.kernel->blocks);
    return fmt::format(
        "its {} block{} leave{} {} of {} multiprocessors without work; split the work into more "
        "blocks",
        blocks, blocks == 1 ? "" : "s", blocks == 1 ? "s" : "", e.multiprocessors() - blocks,
        e.multiprocessors());
}

std::string tail_words(const BottleneckEvidence& e) {
    const std::string waves = e.kernel == nullptr ? ""
                                                  : fmt::format(" ({} blocks are {:.2f} waves)",
                                                                e.kernel->blocks, e.kernel->waves);
    return fmt::format(
        "multiprocessors are without work for {:.0f} % of its time{}; make blocks smaller, or as "
        "many as fit at a time",
        k_percent * e.tail_share(), waves);
}

std::string occupancy_words(const BottleneckEvidence& e) {
    const KernelFootprint& kernel = *e.kernel;
    std::string why = fmt::format("blocks of {} threads", kernel.threads_per_block);
    if (kernel.limiter == "registers") {
        why = fmt::format("{} registers per thread", kernel.registers);
    } else if (kernel.limiter == "shared_memory") {
        why = fmt::format("{} of shared memory per block of {} threads",
                          bytes_text(static_cast<double>(kernel.static_shared_bytes +
                                                         kernel.dynamic_shared_bytes)),
                          kernel.threads_per_block);
    }
    const std::string idle =
        e.counted ? fmt::format(", and no unit is busy for more than {:.0f} % of its time",
                                e.busiest_percent())
                  : "";
    return fmt::format("only {:.3g} % of a multiprocessor's warps fit at a time, limited by {}{}",
                       k_percent * kernel.occupancy, why, idle);
}

std::string latency_words(const BottleneckEvidence& e) {
    return fmt::format(
        "warps wait: {:.0f} % of them are there, but memory is busy for {:.0f} %, the L2 cache for "
        "{:.0f} % and instruction slots for {:.0f} % of its time; have more independent loads and "
        "operations in flight",
        e.metric(metric::k_warps), e.dram, e.l2, e.issue);
}

std::string unknown_words(const BottleneckEvidence& e) {
    if (e.median_ns <= 0) {
        return "it was not timed";
    }
    if (e.roof_ns() <= 0) {
        return fmt::format("it takes {}, and no roof is known", time_text(e.median_ns));
    }
    return fmt::format("it takes {}, and the device needs {} for the task's {}",
                       time_text(e.median_ns), time_text(e.roof_ns()),
                       e.report.memory_ns >= e.report.compute_ns ? "data" : "arithmetic");
}

}  // namespace

BottleneckEvidence::BottleneckEvidence(const ProfileReport& of, const KernelFootprint* kernel_of,
                                       double time_ns)
    : report(of), kernel(kernel_of), median_ns(time_ns), counted(!of.metrics.empty()) {
    const double cycles = metric(metric::k_cycles);
    if (cycles > 0) {
        active = std::min(1.0, metric(metric::k_active_cycles) / cycles);
    }
    dram = metric(metric::k_dram);
    l2 = std::max(metric(metric::k_l2_out), metric(metric::k_l2_in));
    shared = metric(metric::k_shared);
    issue = metric(metric::k_issue) * active;
    tensor = metric(metric::k_tensor) * active;
    const double turns = metric(metric::k_shared_turns);
    if (turns > 0) {
        conflicts = std::min(1.0, metric(metric::k_shared_conflicts) / turns);
    }
}

double BottleneckEvidence::metric(const char* name) const {
    const auto found = report.metrics.find(name);
    return found == report.metrics.end() ? 0 : found->second;
}

double BottleneckEvidence::launches() const {
    double count = 0;
    for (const KernelFootprint& each : report.kernels) {
        count += each.launches;
    }
    return count;
}

double BottleneckEvidence::busiest_percent() const {
    return std::max({dram, l2, shared, issue, tensor});
}

double BottleneckEvidence::roof_ns() const {
    return std::max(report.memory_ns, report.compute_ns);
}

double BottleneckEvidence::multiprocessors() const {
    if (kernel == nullptr) {
        return 0;
    }
    const double per_block = kernel->waves * kernel->blocks_per_multiprocessor;
    return per_block > 0 ? std::round(static_cast<double>(kernel->blocks) / per_block) : 0;
}

double BottleneckEvidence::tail_share() const {
    if (counted) {
        return 1 - active;
    }
    return kernel == nullptr || kernel->waves <= 0 ? 0
                                                   : 1 - kernel->waves / std::ceil(kernel->waves);
}

std::string words_of(Bottleneck name, const BottleneckEvidence& evidence) {
    if (!evidence.counted &&
        (name == Bottleneck::dram_bandwidth || name == Bottleneck::compute_bound)) {
        return roof_words(name, evidence);
    }
    switch (name) {
        case Bottleneck::unknown:
            return unknown_words(evidence);
        case Bottleneck::launch_overhead:
            return launch_words(evidence);
        case Bottleneck::dram_bandwidth:
            return dram_words(evidence);
        case Bottleneck::l2_bandwidth:
            return l2_words(evidence);
        case Bottleneck::shared_memory_conflicts:
            return conflict_words(evidence);
        case Bottleneck::shared_memory_bandwidth:
            return shared_words(evidence);
        case Bottleneck::compute_bound:
            return compute_words(evidence);
        case Bottleneck::tensor_pipe_idle:
            return tensor_words(evidence);
        case Bottleneck::few_blocks:
            return few_words(evidence);
        case Bottleneck::tail_effect:
            return tail_words(evidence);
        case Bottleneck::occupancy_limited:
            return occupancy_words(evidence);
        case Bottleneck::latency_bound:
            return latency_words(evidence);
    }
    return "";
}

}  // namespace atl
