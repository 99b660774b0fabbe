#include "population/rollouts/run_records.hpp"

#include "reward/json_object.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>

namespace atl {

namespace {

/// A log's own words, as the server wrote them; anything else is no baseline.
BaselineTimes baseline_from(const std::string& text) {
    BaselineTimes times;
    const auto json = parse_json_strictly(text, "baseline");
    if (json && json->is_object()) {
        for (const auto& [workload, value] : json->items()) {
            if (value.is_number() && is_usable_time(value.get<double>())) {
                times[workload] = value.get<double>();
            }
        }
    }
    return times;
}

class Reading {
  public:
    Reading(const LineageData& data, const std::vector<ScorePreset>& presets)
        : m_texts(*data.texts), m_presets(presets) {}

    void add(const Rollout& one) {
        RunRecord record;
        record.id = one.number;
        record.name = std::to_string(one.number);
        record.group = one.group.empty() ? "" : one.task + " " + one.group;
        record.trajectory = one.trajectory;
        record.turn = one.turn;
        record.policy_version = one.policy_version;
        ContentHasher hasher;
        hasher.field(one.task_digest).field(one.kind).field(one.source).field(one.level);
        for (const auto& [name, value] : one.tune.values()) {
            hasher.field(name).field(value);
        }
        for (const std::string& flag : one.flags) {
            hasher.field(flag);
        }
        record.program = hasher.finish();
        record.source = one.source;
        record.logged = one.scores;
        record.verdict = one.fault ? nullptr : evidence(one.verdict, one.baseline);
        records.push_back(std::move(record));
    }

    void add(const Individual& one) {
        if (!m_campaign_baseline) {  // the first is the first starter
            const std::optional<Verdict> first = verdict_of(one.verdict);
            m_campaign_baseline = first ? baseline_times(*first) : BaselineTimes();
        }
        RunRecord record;
        record.id = one.id.value;
        record.name = one.id.text();
        for (const Parent& parent : one.parents) {
            if (parent.role == ParentRole::base) {
                record.group = "children of " + parent.id.text();
            }
        }
        record.program = one.key;
        record.source = one.source;
        record.logged = {{"fitness", one.fitness}};
        record.verdict = evidence(one.verdict, {});
        records.push_back(std::move(record));
    }

    std::vector<RunRecord> records;

  private:
    std::optional<Verdict> verdict_of(const Digest& id) const {
        const Expected<std::string> text = m_texts.text(id);
        Expected<Verdict> verdict =
            text ? parse_verdict(*text) : tl::unexpected<Error>(text.error());
        return verdict ? std::optional(std::move(*verdict)) : std::nullopt;
    }

    std::shared_ptr<const VerdictEvidence> evidence(const Digest& verdict, const Digest& baseline) {
        const auto [place, is_new] = m_known.try_emplace({verdict, baseline});
        if (is_new) {
            if (const std::optional<Verdict> found = verdict_of(verdict)) {
                BaselineTimes times;
                if (!baseline.is_zero()) {
                    times = baseline_from(m_texts.text(baseline).value_or(""));
                } else if (m_campaign_baseline) {
                    times = *m_campaign_baseline;
                }
                place->second = std::make_shared<const VerdictEvidence>(made_of(*found, times));
            }
        }
        return place->second;
    }

    VerdictEvidence made_of(const Verdict& verdict, const BaselineTimes& baseline) const {
        VerdictEvidence evidence;
        const Judged judged(verdict, baseline);
        evidence.outcome = verdict.outcome;
        evidence.reason = verdict.reason;
        evidence.noise = verdict.noise;
        evidence.speedup = judged.correct() ? judged.speedup() : 0;
        evidence.cautious_speedup = judged.correct() ? judged.cautious_speedup() : 0;
        if (verdict.measure) {
            for (const WorkloadTiming& timing : verdict.measure->workloads) {
                if (!timing.hidden) {
                    const auto base = baseline.find(timing.workload);
                    evidence.workloads.push_back(
                        {timing.workload, timing.median_ns, timing.low_ns, timing.high_ns,
                         base == baseline.end() ? 0 : base->second, timing.light_ns, timing.noisy,
                         timing.reverified});
                }
            }
        }
        for (const ScorePreset& preset : m_presets) {
            const bool is_untimed = verdict.outcome == Outcome::passed && !verdict.measure &&
                                    preset.formula->needs_times;
            // Without a baseline a speed-up would be 0, as if it were slow.
            const bool is_unknown =
                judged.correct() && preset.formula->needs_baseline && baseline.empty();
            evidence.rewards.push_back(is_untimed || is_unknown
                                           ? std::nullopt
                                           : std::optional(preset.score(verdict, baseline)));
        }
        return evidence;
    }

    const TextSource& m_texts;
    const std::vector<ScorePreset>& m_presets;
    std::optional<BaselineTimes> m_campaign_baseline;
    std::map<std::pair<Digest, Digest>, std::shared_ptr<const VerdictEvidence>> m_known;
};

}  // namespace

Expected<std::vector<RunRecord>> run_records(const LineageData& data,
                                             const std::vector<ScorePreset>& presets) {
    Reading reading(data, presets);
    for (const Event& event : data.events) {
        if (const auto* recorded = std::get_if<RolloutRecorded>(&event)) {
            reading.add(recorded->rollout);
        } else if (const auto* evaluated = std::get_if<Evaluated>(&event)) {
            reading.add(evaluated->individual);
        }
    }
    if (data.events.empty()) {
        return failure(ErrorCode::not_found, "holds no record yet", data.source.string());
    }
    return std::move(reading.records);
}

std::string first_preset(const LineageData& data) {
    for (const Event& event : data.events) {
        const auto* recorded = std::get_if<RolloutRecorded>(&event);
        if (recorded != nullptr && !recorded->rollout.scores.empty()) {
            return recorded->rollout.scores.front().first;
        }
    }
    return "speedup";
}

}  // namespace atl
