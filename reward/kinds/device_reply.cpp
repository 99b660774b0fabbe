#include "reward/kinds/device_reply.hpp"

#include "reward/bottleneck.hpp"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <utility>

namespace atl {

namespace {

bool ended_on_hidden(const EvaluateReply& reply) {
    const auto failed = std::find_if(reply.verify.begin(), reply.verify.end(),
                                     [](const VerifyCase& report) { return !report.passed; });
    return failed != reply.verify.end() && failed->hidden;
}

std::string hidden_reason(Outcome outcome) {
    switch (outcome) {
        case Outcome::wrong_result:
            return "wrong on a hidden workload";
        case Outcome::non_finite:
            return "gives NaN or infinity on a hidden workload";
        case Outcome::inputs_modified:
            return "modifies its inputs on a hidden workload";
        case Outcome::timeout:
            return "takes too long on a hidden workload";
        case Outcome::memory_fault:
            return "touches memory outside its buffers on a hidden workload";
        case Outcome::inconsistent:
            return "right on some runs and wrong on others on a hidden workload";
        default:
            return "fails on a hidden workload";
    }
}

std::string passed_reason(const Verdict& verdict) {
    std::string reason =
        "right on all " + std::to_string(verdict.verify.size()) + " verification launches";
    if (const std::optional<double> time = public_geomean_ns(verdict)) {
        const bool slow = *time >= 1e6;
        char text[64];
        std::snprintf(text, sizeof(text), ", %.4g %s per launch", *time / (slow ? 1e6 : 1e3),
                      slow ? "milliseconds" : "microseconds");
        reason += text;
    }
    return reason;
}

double time_on(const Verdict& verdict, const std::string& workload) {
    if (verdict.measure) {
        for (const WorkloadTiming& timing : verdict.measure->workloads) {
            if (timing.workload == workload && is_usable_time(timing.median_ns)) {
                return timing.median_ns;
            }
        }
    }
    return 0;
}

/// Where a kind prepared one; of right candidates only.
void complete_profile(const std::optional<CounterReading>& counters, Verdict& verdict) {
    if (!verdict.profile) {
        return;
    }
    if (!is_correct(verdict.outcome)) {
        verdict.profile.reset();
        return;
    }
    name_bottleneck(*verdict.profile, time_on(verdict, verdict.profile->workload), counters);
}

}  // namespace

void append_note(std::string& notes, const std::string& note) {
    if (!note.empty()) {
        notes += notes.empty() ? note : "; " + note;
    }
}

void add_device_reply(EvaluateReply reply, Verdict& verdict) {
    const bool hidden = !is_correct(reply.outcome) && ended_on_hidden(reply);
    verdict.outcome = reply.outcome;
    if (!reply.trust.empty()) {
        verdict.trust = reply.trust;
    }
    verdict.stage = reply.stage;
    verdict.verify = std::move(reply.verify);
    verdict.measure = std::move(reply.measure);
    std::move(reply.stage_times.begin(), reply.stage_times.end(),
              std::back_inserter(verdict.stage_times));
    append_note(verdict.noise, reply.noise);
    verdict.timed_seconds = reply.timed_seconds;
    verdict.memory_bytes = reply.memory_bytes;
    complete_profile(reply.counters, verdict);
    if (hidden) {
        verdict.reason = hidden_reason(reply.outcome);
    } else if (!reply.reason.empty()) {
        verdict.reason = std::move(reply.reason);
    } else {
        verdict.reason = is_correct(verdict.outcome)
                             ? passed_reason(verdict)
                             : std::string(to_string(verdict.outcome)) + " at stage " +
                                   std::string(to_string(verdict.stage));
    }
}

}  // namespace atl
