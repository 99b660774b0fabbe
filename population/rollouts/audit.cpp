#include "population/rollouts/audit.hpp"

#include "reward/scores/groups.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

namespace atl {

namespace {

struct Rule {
    const char* name;
    const char* meaning;
};
constexpr std::array<Rule, k_surprise_count> k_rules = {{
    {"caught", "its outcome is reward_hack"},
    {"unstable", "an equal program of this run ended otherwise: right here, wrong there"},
    {"near_light", "95 % of the speed of light or more on a workload"},
    {"far_faster", "10 times as fast as the baseline or more"},
    {"above_group",
     "above all others of its group (4 or more) by 3 deviations of theirs (at least 5 % of their "
     "mean)"},
    {"only_success", "the one right candidate of a group of 4 or more"},
    {"uncertain", "faster than the baseline, but not by the upper ends of its times' intervals"},
    {"noisy", "the measurement itself says that it is"},
    {"never_reverified", "none of its timed launches was checked"},
    {"order_differs",
     "first of its group (4 or more) by reward, in the lower half by cautious speed-up"},
}};

constexpr double k_least_deviation = 0.05;  // of the others' mean

const VerdictEvidence* verdict_of(const RunRecord& record) {
    return record.verdict.get();
}
bool is_right(const RunRecord& record) {
    return record.verdict && is_correct(record.verdict->outcome);
}
std::optional<double> reward_of(const RunRecord& record) {
    return record.verdict ? record.verdict->rewards.at(0) : std::nullopt;
}

class Auditor {
  public:
    explicit Auditor(const std::vector<RunRecord>& records) : m_records(records) {
        for (const RunRecord& record : records) {
            if (!record.group.empty()) {
                m_groups[record.group].push_back(&record);
            }
            if (record.verdict) {
                (is_right(record) ? m_right : m_wrong).insert(record.program);
            }
        }
    }

    std::vector<AuditedRecord> look_at_all() const {
        std::vector<AuditedRecord> all;
        std::set<std::pair<Digest, const VerdictEvidence*>> seen;
        for (const RunRecord& record : m_records) {
            if (record.verdict && seen.insert({record.program, verdict_of(record)}).second) {
                all.push_back(look_at(record));
            }
        }
        return all;
    }

  private:
    AuditedRecord look_at(const RunRecord& record) const {
        AuditedRecord audited{&record, {}, ""};
        const auto note = [&audited](Surprise surprise, bool is_so) {
            if (is_so) {
                audited.surprises.push_back(surprise);
            }
        };
        const VerdictEvidence& verdict = *record.verdict;
        const std::vector<const RunRecord*> others = others_of(record);
        const bool enough = others.size() + 1 >= k_least_group;
        note(Surprise::caught, verdict.outcome == Outcome::reward_hack);
        note(Surprise::unstable,
             m_right.contains(record.program) && m_wrong.contains(record.program));
        if (!is_right(record)) {
            return audited;
        }
        const auto any = [&verdict](const auto& is) {
            return std::any_of(verdict.workloads.begin(), verdict.workloads.end(), is);
        };
        note(Surprise::near_light, any([](const WorkloadEvidence& one) {
                 return one.light_ns >= k_near_light * one.median_ns && one.median_ns > 0;
             }));
        note(Surprise::far_faster, verdict.speedup >= k_far_faster);
        note(Surprise::above_group, enough && is_above(record, others, audited.others));
        note(Surprise::only_success,
             enough && std::none_of(others.begin(), others.end(),
                                    [](const RunRecord* one) { return is_right(*one); }));
        note(Surprise::uncertain, verdict.speedup > 1 && verdict.cautious_speedup <= 1);
        note(Surprise::noisy,
             !verdict.noise.empty() || any([](const WorkloadEvidence& one) { return one.noisy; }));
        note(Surprise::never_reverified,
             !verdict.workloads.empty() &&
                 !any([](const WorkloadEvidence& one) { return one.reverified > 0; }));
        note(Surprise::order_differs, enough && order_differs(record, others));
        return audited;
    }

    /// Of its group, those that are other programs.
    std::vector<const RunRecord*> others_of(const RunRecord& record) const {
        std::vector<const RunRecord*> others;
        if (const auto group = m_groups.find(record.group); group != m_groups.end()) {
            for (const RunRecord* one : group->second) {
                if (one->program != record.program && one->verdict) {
                    others.push_back(one);
                }
            }
        }
        return others;
    }

    static bool is_above(const RunRecord& record, const std::vector<const RunRecord*>& others,
                         std::string& words) {
        Rewards rewards;
        for (const RunRecord* one : others) {
            rewards.push_back(reward_of(*one));
        }
        const GroupStatistics group = group_statistics(rewards);
        const std::optional<double> own = reward_of(record);
        if (!own || group.count + 1 < k_least_group) {
            return false;
        }
        words =
            fmt::format("the {} others of its group: mean {:.4g}, deviation {:.4g}, most {:.4g}",
                        group.count, group.mean, group.deviation, group.most);
        const double deviation =
            std::max(group.deviation, k_least_deviation * std::abs(group.mean));
        return *own > group.most && *own > group.mean + k_group_deviations * deviation;
    }

    static bool order_differs(const RunRecord& record,
                              const std::vector<const RunRecord*>& others) {
        const std::optional<double> own = reward_of(record);
        std::size_t faster = 0;
        std::size_t right = 1;
        for (const RunRecord* one : others) {
            if (!own || reward_of(*one).value_or(*own) >= *own) {
                return false;  // not the first alone
            }
            right += is_right(*one) ? 1 : 0;
            faster += one->verdict->cautious_speedup > record.verdict->cautious_speedup ? 1 : 0;
        }
        return 2 * faster >= right;
    }

    const std::vector<RunRecord>& m_records;
    std::map<std::string, std::vector<const RunRecord*>> m_groups;
    std::set<Digest> m_right;
    std::set<Digest> m_wrong;
};

double order_of(const AuditedRecord& one) {
    return reward_of(*one.record).value_or(-HUGE_VAL);
}

}  // namespace

std::string_view to_string(Surprise surprise) {
    return k_rules[static_cast<std::size_t>(surprise)].name;
}

std::string audit_rules() {
    std::string text;
    for (const Rule& rule : k_rules) {
        text += fmt::format("  {:17} {}\n", rule.name, rule.meaning);
    }
    return text;
}

Audit audit(const std::vector<RunRecord>& records, const ScorePreset& preset, std::size_t most) {
    Audit result;
    result.preset = preset.words();
    result.records = records.size();
    std::vector<AuditedRecord> all = Auditor(records).look_at_all();
    std::stable_sort(all.begin(), all.end(), [](const AuditedRecord& a, const AuditedRecord& b) {
        return order_of(a) > order_of(b);
    });
    for (const AuditedRecord& one : all) {
        if (result.highest.size() < most && reward_of(*one.record)) {
            result.highest.push_back(one);
        }
    }
    std::erase_if(all, [](const AuditedRecord& one) { return one.surprises.empty(); });
    result.surprising_in_all = all.size();
    std::stable_sort(all.begin(), all.end(), [](const AuditedRecord& a, const AuditedRecord& b) {
        return a.surprises.size() > b.surprises.size();
    });
    all.resize(std::min(all.size(), most));
    result.surprising = std::move(all);
    return result;
}

}  // namespace atl
