#include "population/lineage/text_layout.hpp"
#include "population/rollouts/audit.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace atl {

namespace {

constexpr std::size_t k_source_lines = 12;
constexpr std::size_t k_most_workloads = 8;

std::string share(double part, double whole) {
    return part > 0 && whole > 0 ? fmt::format("{:.1f} %", 100 * part / whole) : "-";
}

std::string times_table(const VerdictEvidence& verdict) {
    std::vector<std::vector<std::string>> table = {
        {"workload", "time", "interval", "baseline", "of light", "checked", ""}};
    for (const WorkloadEvidence& one : verdict.workloads) {
        if (table.size() > k_most_workloads) {
            break;
        }
        table.push_back({one_line(one.workload, 40), time_text(one.median_ns),
                         time_text(one.low_ns) + " to " + time_text(one.high_ns),
                         one.baseline_ns > 0 ? time_text(one.baseline_ns) : "-",
                         share(one.light_ns, one.median_ns), std::to_string(one.reverified),
                         one.noisy ? "noisy" : ""});
    }
    return table.size() > 1 ? aligned(table, "    ") : "";
}

std::string first_lines(const std::string& source) {
    std::string text;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < k_source_lines && begin < source.size(); ++i) {
        const std::size_t end = std::min(source.find('\n', begin), source.size());
        text += "    | " + one_line(source.substr(begin, end - begin), 110) + "\n";
        begin = end + 1;
    }
    return begin < source.size() ? text + "    | ...\n" : text;
}

std::string heading(const RunRecord& record) {
    std::string text = record.name;
    if (!record.group.empty()) {
        text += "  group " + one_line(record.group, 60);
    }
    if (record.turn >= 0) {
        text += "  turn " + std::to_string(record.turn);
    }
    return record.policy_version.empty() ? text
                                         : text + "  policy " + one_line(record.policy_version, 30);
}

std::string block(const AuditedRecord& audited, const TextSource& texts) {
    const RunRecord& record = *audited.record;
    const VerdictEvidence& verdict = *record.verdict;
    const std::optional<double> reward = verdict.rewards.at(0);
    std::string text = heading(record) + "\n" +
                       fmt::format("    {}, reward {}", to_string(verdict.outcome),
                                   reward ? fmt::format("{:.4g}", *reward) : "-");
    text += verdict.speedup > 0
                ? fmt::format(", {:.4g} times as fast as the baseline ({:.4g} for sure)\n",
                              verdict.speedup, verdict.cautious_speedup)
                : "\n";
    std::string surprises;
    for (const Surprise surprise : audited.surprises) {
        surprises += (surprises.empty() ? "" : ", ") + std::string(to_string(surprise));
    }
    text += surprises.empty() ? "" : "    surprising: " + surprises + "\n";
    text += audited.others.empty() ? "" : "    " + audited.others + "\n";
    text += verdict.reason.empty() ? "" : "    " + one_line(verdict.reason, 300) + "\n";
    text += verdict.noise.empty() ? "" : "    " + one_line(verdict.noise, 300) + "\n";
    text += times_table(verdict);
    if (record.source.is_zero()) {
        return text + "    (no source)\n";
    }
    const Expected<std::string> source = texts.text(record.source);
    return text + (source ? first_lines(*source) : "    (its source is lost)\n");
}

nlohmann::ordered_json json_of(const AuditedRecord& audited) {
    using Json = nlohmann::ordered_json;
    const RunRecord& record = *audited.record;
    const VerdictEvidence& verdict = *record.verdict;
    Json surprises = Json::array();
    for (const Surprise surprise : audited.surprises) {
        surprises.push_back(to_string(surprise));
    }
    Json workloads = Json::array();
    for (const WorkloadEvidence& one : verdict.workloads) {
        workloads.push_back({{"workload", one.workload},
                             {"median_ns", one.median_ns},
                             {"low_ns", one.low_ns},
                             {"high_ns", one.high_ns},
                             {"baseline_ns", one.baseline_ns},
                             {"light_ns", one.light_ns},
                             {"noisy", one.noisy},
                             {"reverified", one.reverified}});
    }
    const std::optional<double> reward = verdict.rewards.at(0);
    return {{"record", record.name},
            {"group", record.group},
            {"turn", record.turn < 0 ? Json(nullptr) : Json(record.turn)},
            {"policy_version", record.policy_version},
            {"outcome", to_string(verdict.outcome)},
            {"reward", reward ? Json(*reward) : Json(nullptr)},
            {"speedup", verdict.speedup},
            {"cautious_speedup", verdict.cautious_speedup},
            {"surprises", std::move(surprises)},
            {"others", audited.others},
            {"reason", verdict.reason},
            {"noise", verdict.noise},
            {"workloads", std::move(workloads)},
            {"source", record.source.hex()}};
}

nlohmann::ordered_json list_of(const std::vector<AuditedRecord>& records) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const AuditedRecord& one : records) {
        list.push_back(json_of(one));
    }
    return list;
}

}  // namespace

std::string to_text(const Audit& audit, const TextSource& texts) {
    std::string text =
        fmt::format("{} records, by {}; {} of them surprise by a rule (--help explains them)\n",
                    audit.records, audit.preset, audit.surprising_in_all);
    text += "\nThe highest rewards\n\n";
    for (const AuditedRecord& one : audit.highest) {
        text += block(one, texts) + "\n";
    }
    text += "The most surprising\n\n";
    for (const AuditedRecord& one : audit.surprising) {
        text += block(one, texts) + "\n";
    }
    return text + (audit.surprising.empty() ? "None.\n" : "");
}

std::string to_json(const Audit& audit) {
    using Json = nlohmann::ordered_json;
    const Json json = {{"preset", audit.preset},
                       {"records", audit.records},
                       {"surprising_in_all", audit.surprising_in_all},
                       {"highest", list_of(audit.highest)},
                       {"surprising", list_of(audit.surprising)}};
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace atl
