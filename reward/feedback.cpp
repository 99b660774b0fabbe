#include "reward/feedback.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace atl {

namespace {

constexpr std::size_t k_longest_log = 2000;
constexpr std::size_t k_most_workloads_told = 16;

std::string time_words(double ns) {
    if (ns >= 1e6) {
        return fmt::format("{:.3f} ms", ns / 1e6);
    }
    return ns >= 1e3 ? fmt::format("{:.2f} us", ns / 1e3) : fmt::format("{:.0f} ns", ns);
}

std::string mismatch_words(const Verdict& verdict) {
    const auto failed =
        std::find_if(verdict.verify.begin(), verdict.verify.end(),
                     [](const VerifyCase& one) { return !one.passed && one.first_bad_index >= 0; });
    if (failed == verdict.verify.end()) {
        return "";
    }
    return fmt::format(
        "First mismatch: workload {}, inputs '{}', {}[{}] is {:.9g}, should be {:.9g}; {:.4g} % of "
        "the elements are right.\n",
        failed->workload, failed->distribution, failed->output, failed->first_bad_index,
        failed->got, failed->want, 100 * failed->matched_ratio);
}

std::string time_line(const WorkloadTiming& timing, const BaselineTimes& baseline) {
    std::string line = "- " + timing.workload + ": " + time_words(timing.median_ns);
    if (const auto base = baseline.find(timing.workload); base != baseline.end()) {
        line +=
            fmt::format(", {:.3g} times as fast as the starter", base->second / timing.median_ns);
    }
    if (is_usable_time(timing.light_ns)) {
        line += fmt::format(", {:.3g} % of the speed of light",
                            100 * timing.light_ns / timing.median_ns);
    }
    return line + (timing.noisy ? " (noisy)\n" : "\n");
}

std::string times_words(const Verdict& verdict, const BaselineTimes& baseline) {
    std::string text;
    if (!verdict.measure || !is_correct(verdict.outcome)) {
        return text;
    }
    std::size_t told = 0;
    for (const WorkloadTiming& timing : verdict.measure->workloads) {
        if (is_usable_time(timing.median_ns) && told++ < k_most_workloads_told) {
            text += time_line(timing, baseline);
        }
    }
    return text.empty() ? text : "Time per launch:\n" + text;
}

std::string judge_words(const Verdict& verdict) {
    std::string text;
    for (const auto& [name, value] : verdict.scores) {
        text += fmt::format("- {} = {:.6g}\n", name, value);
    }
    return verdict.feedback.empty() ? text : text + verdict.feedback + "\n";
}

/// Not in the middle of a character.
std::string shortened(std::string text, std::size_t bytes) {
    if (text.size() <= bytes) {
        return text;
    }
    std::size_t end = bytes;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) {
        --end;
    }
    text.resize(end);
    return text;
}

void remove_hidden(std::vector<WorkloadTiming>& timings) {
    std::erase_if(timings, [](const WorkloadTiming& timing) { return timing.hidden; });
}

}  // namespace

std::string feedback_text(const Verdict& verdict, const BaselineTimes& baseline) {
    std::string text = "Outcome: " + std::string(to_string(verdict.outcome)) + ".\n";
    if (!verdict.reason.empty()) {
        text += verdict.reason + "\n";
    }
    if (verdict.compile && !verdict.compile->log.empty()) {
        text += "The compiler says:\n" + shortened(verdict.compile->log, k_longest_log) + "\n";
    }
    text += mismatch_words(verdict) + times_words(verdict, baseline);
    if (verdict.profile && !verdict.profile->sentence.empty()) {
        text += "Bottleneck: " + verdict.profile->sentence + "\n";
    }
    return shortened(text + judge_words(verdict), k_longest_feedback);
}

Verdict public_part(Verdict verdict) {
    const auto is_hidden = [](const auto& one) { return one.hidden; };
    bool hidden = std::any_of(verdict.verify.begin(), verdict.verify.end(), is_hidden);
    std::erase_if(verdict.verify, is_hidden);
    if (verdict.measure) {
        std::vector<WorkloadTiming>& timings = verdict.measure->workloads;
        hidden = hidden || std::any_of(timings.begin(), timings.end(), is_hidden);
        remove_hidden(timings);
        for (auto& [name, rival] : verdict.measure->rivals) {
            remove_hidden(rival);
        }
    }
    if (hidden) {
        verdict.timed_seconds = 0;  // sums over hidden launches too
        verdict.memory_bytes.reset();
    }
    return verdict;
}

}  // namespace atl
