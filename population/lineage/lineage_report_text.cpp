#include "population/lineage/lineage_facts.hpp"
#include "population/lineage/lineage_report.hpp"
#include "population/lineage/text_layout.hpp"
#include "reward/base/words.hpp"
#include "reward/kinds/kind.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace atl {

namespace {

using lineage::flags_text;
using lineage::gather;
using lineage::IndividualFacts;
using lineage::tune_text;
using Rows = std::vector<std::vector<std::string>>;

constexpr const char* k_none_right =
    "No individual with right answers was committed, so there is no best.\n";

std::string fact_text(const lineage::TextFact& fact) {
    if (fact.id.is_zero()) {
        return "none";
    }
    if (!fact.text) {
        return fact.id.short_hex() + ", lost";
    }
    return fmt::format("{}, {} bytes", fact.id.short_hex(), fact.text->size());
}

std::string fitness_text(const IndividualFacts& facts) {
    const Individual& one = *facts.individual;
    std::string text = fmt::format("{:.4g}", one.fitness);
    if (facts.gain) {
        text += fmt::format(", {:.3f} times its base parent", *facts.gain);
    }
    return text;
}

std::string confirmation_text(const IndividualFacts& facts) {
    const Confirmed* confirmed = facts.node->confirmed;
    if (confirmed == nullptr) {
        return "none";
    }
    std::string text =
        fmt::format("{}: {}, fitness {:.4g}", confirmed->accepted ? "accepted" : "not accepted",
                    to_string(confirmed->outcome), confirmed->fitness);
    if (confirmed->rival_fitness > 0) {
        text +=
            fmt::format(" against {:.4g} of {}", confirmed->rival_fitness, confirmed->rival.text());
    }
    return text;
}

std::string parents_text(const std::vector<Parent>& parents) {
    std::string text;
    for (const Parent& parent : parents) {
        text += fmt::format("{}{} ({}, probability {:.3g})", text.empty() ? "" : ", ",
                            parent.id.text(), to_string(parent.role), parent.probability);
    }
    return text.empty() ? "none" : text;
}

std::string timing_table(const MeasureReport& measure) {
    Rows rows = {{"workload", "median", "95 % interval", "of light", "samples", "remarks"}};
    const auto add = [&](const WorkloadTiming& t, const std::string& who) {
        std::string remarks = t.hidden ? "hidden" : "";
        remarks += t.noisy ? (remarks.empty() ? "noisy" : ", noisy") : "";
        rows.push_back(
            {one_line(who + t.workload, 48), time_text(t.median_ns),
             time_text(t.low_ns) + " to " + time_text(t.high_ns),
             t.median_ns > 0 ? fmt::format("{:.1f} %", 100 * t.light_ns / t.median_ns) : "-",
             std::to_string(t.samples_ns.size()), remarks});
    };
    for (const WorkloadTiming& timing : measure.workloads) {
        add(timing, "");
    }
    for (const auto& [rival, timings] : measure.rivals) {
        for (const WorkloadTiming& timing : timings) {
            add(timing, rival + ": ");
        }
    }
    return aligned(rows, "  ");
}

std::string verdict_text(const Verdict& verdict) {
    std::string text =
        fmt::format("  ended at {} on {}\n", to_string(verdict.stage),
                    one_line(verdict.device.empty() ? "no device" : verdict.device, 300));
    if (!verdict.reason.empty()) {
        text += "  " + one_line(verdict.reason, 300) + "\n";
    }
    if (verdict.compile && !verdict.compile->log.empty()) {
        text += "  compiler: " + one_line(verdict.compile->log, 300) + "\n";
    }
    if (verdict.measure && !verdict.measure->workloads.empty()) {
        text += timing_table(*verdict.measure);
    }
    return text;
}

std::string list_ids(const LineageView& view, const std::vector<std::size_t>& nodes) {
    constexpr std::size_t k_shown = 12;
    std::string text;
    for (std::size_t i = 0; i < std::min(k_shown, nodes.size()); ++i) {
        text += (text.empty() ? "" : ", ") + view.nodes[nodes[i]].individual->id.text();
    }
    if (nodes.size() > k_shown) {
        text += fmt::format(" and {} more", nodes.size() - k_shown);
    }
    return text.empty() ? "none" : text;
}

std::string commit_text(const IndividualFacts& facts) {
    if (facts.node->committed()) {
        return fmt::format("commit {}", facts.node->commit);
    }
    const bool failed = facts.ticket != nullptr && facts.ticket->failed != nullptr;
    return failed ? "never committed: " + one_line(facts.ticket->failed->reason)
                  : "not committed yet";
}

// "4.0  crossover  island 0  fitness 2.6 (1.300 times its base parent)" and what it did.
std::string path_step(const LineageView& view, const IndividualFacts& facts) {
    const Individual& one = *facts.individual;
    std::string text = fmt::format("{}  {}  island {}  {}  fitness {}\n", one.id.text(),
                                   one_line(one.operator_name, 40), one.island,
                                   to_string(one.outcome), fitness_text(facts));
    if (!one.description.empty()) {
        text += "    " + one_line(one.description, 200) + "\n";
    }
    if (one.parents.empty()) {
        text += fmt::format("    starter {}, tune {}\n", one_line(one.starter),
                            one_line(tune_text(one), 200));
    } else {
        text += "    from " + parents_text(one.parents) + "\n";
    }
    for (const Parent& parent : one.parents) {
        const LineageView::Node* node = view.find(parent.id);
        if (node != nullptr && node->individual->island != one.island) {
            text += fmt::format("    {} came from island {}\n", parent.id.text(),
                                node->individual->island);
        }
    }
    for (const std::string& change : facts.tune_changes) {
        text += "    " + one_line(change, 200) + "\n";
    }
    if (!facts.source_diff.empty()) {
        std::string diff = printable(facts.source_diff);
        for (std::size_t at = 0; at < diff.size();) {
            const std::size_t end = diff.find('\n', at);
            text += "    " + diff.substr(at, end - at) + "\n";
            at = end + 1;
        }
    }
    return text;
}

}  // namespace

std::string best_text(const LineageView& view, const TextSource& texts, const CommandWords& words) {
    const LineageView::Node* best = view.best();
    if (best == nullptr) {
        return k_none_right;
    }
    const IndividualFacts facts = gather(view, texts, *best);
    const Individual& one = *facts.individual;
    const std::string id = one.id.text();
    Rows rows;
    rows.push_back(
        {"best", fmt::format("{} by {} on island {}, from starter {}", id,
                             one_line(one.operator_name, 40), one.island, one_line(one.starter))});
    rows.push_back({"fitness", fitness_text(facts)});
    rows.push_back({"confirmation", confirmation_text(facts)});
    if (one.time_ns > 0) {
        rows.push_back({"time", time_text(one.time_ns) + " (geometric mean of public workloads)"});
    }
    rows.push_back({"tune", one_line(tune_text(one), 200)});
    rows.push_back({"flags", one_line(flags_text(one), 200)});
    std::string text = aligned(rows);
    const std::optional<Verdict>& shown = facts.confirmation ? facts.confirmation : facts.verdict;
    if (shown) {
        text += facts.confirmation ? "\nconfirmation run\n" : "\nsearch measurement\n";
        text += verdict_text(*shown);
    }
    const std::string command = "  " + words.program + " lineage " + words.run;
    text += "\nto evaluate it again\n" + command + " show " + id + " --source > " + words.file +
            "\n  " + words.program + " eval " + words.task + " " + words.file + flag_words(one) +
            words.eval_options + "\nto see how it came to be\n" + command + " path\n";
    if (const auto source = standalone_source(one, texts)) {
        text += "\n" + printable(*source);
    } else if (facts.source.text) {
        text += "\n" + printable(*facts.source.text);
    }
    return text;
}

std::string path_text(const LineageView& view, const TextSource& texts, IndividualId id) {
    std::string text;
    for (const LineageView::Node* node : base_path(view, id)) {
        text += (text.empty() ? "" : "\n") + path_step(view, gather(view, texts, *node));
    }
    return text.empty() ? k_none_right : text;
}

std::string show_text(const LineageView& view, const TextSource& texts, IndividualId id) {
    const IndividualFacts facts = gather(view, texts, *view.find(id));
    const Individual& one = *facts.individual;
    Rows rows;
    rows.push_back({"individual", fmt::format("{}: {}, {}", one.id.text(), to_string(one.outcome),
                                              commit_text(facts))});
    rows.push_back({"fitness", fitness_text(facts)});
    rows.push_back({"time", one.time_ns > 0 ? time_text(one.time_ns) : "not measured"});
    rows.push_back({"confirmation", confirmation_text(facts)});
    std::string made = fmt::format("{} on island {}", one_line(one.operator_name, 40), one.island);
    if (facts.ticket != nullptr && facts.ticket->issued != nullptr) {
        const TicketIssued& issued = *facts.ticket->issued;
        made += fmt::format(" (probability {:.3g}; island {:.3g})", issued.operator_probability,
                            issued.island_probability);
        if (!issued.model.empty()) {
            made += fmt::format(", model {} ({:.3g})", one_line(issued.model, 40),
                                issued.model_probability);
        }
        if (!issued.strategy.empty()) {
            made += fmt::format(", strategy {} ({:.3g})", one_line(issued.strategy, 40),
                                issued.strategy_probability);
        }
        if (issued.step != StepSize::none) {
            made +=
                fmt::format(", {} step ({:.3g})", to_string(issued.step), issued.step_probability);
        }
    }
    rows.push_back({"made by", made});
    rows.push_back({"did", one_line(one.description, 300)});
    rows.push_back({"parents", parents_text(one.parents)});
    rows.push_back({"children", list_ids(view, facts.node->children)});
    for (const Migrated* m : facts.migrations) {
        rows.push_back(
            {"migrated", fmt::format("island {} to {} after commit {} (probability {:.3g})",
                                     m->from, m->to, m->after_commit, m->probability)});
    }
    rows.push_back({"starter", one_line(one.starter)});
    rows.push_back({"tune", one_line(tune_text(one), 300)});
    rows.push_back({"flags", one_line(flags_text(one), 300)});
    rows.push_back({"duplicate", one.duplicate ? "yes, answered from an equal candidate" : "no"});
    rows.push_back({"asked", duration_text(one.asked_ns) + " after the start, answered after " +
                                 duration_text(one.done_ns - one.asked_ns)});
    rows.push_back({"key", one.key.hex()});
    rows.push_back({"source", fact_text(facts.source)});
    rows.push_back({"prompt", fact_text(facts.prompt)});
    rows.push_back({"reply", fact_text(facts.reply)});
    rows.push_back({"verdict", fact_text(facts.verdict_text)});
    std::string text = aligned(rows);
    if (facts.verdict) {
        text += verdict_text(*facts.verdict);
    }
    if (facts.confirmation) {
        text += "confirmation run\n" + verdict_text(*facts.confirmation);
    }
    return text;
}

Expected<std::string> standalone_source(const Individual& individual, const TextSource& texts) {
    Candidate candidate;
    ATOLL_TRY_ASSIGN(candidate.source, texts.text(individual.source));
    candidate.tune = individual.tune;
    ATOLL_TRY_ASSIGN(const std::string json, texts.text(individual.verdict));
    ATOLL_TRY_ASSIGN(const Verdict verdict, parse_verdict(json));
    const CandidateKind* kind = find_kind(verdict.kind);
    if (kind == nullptr) {
        return failure(ErrorCode::too_new,
                       "candidates of kind '" + printable(verdict.kind) + "' are not known here",
                       "individual " + individual.id.text(), "use the Atoll that recorded it");
    }
    return kind->standalone_source(candidate);
}

std::string flag_words(const Individual& individual) {
    std::string text;
    for (const std::string& flag : individual.flags) {
        text += " " + shell_quoted("--flag=" + printable(flag));
    }
    return text;
}

}  // namespace atl
