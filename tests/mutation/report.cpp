#include "tests/mutation/report.hpp"

#include <fmt/format.h>

namespace atl::mutation {

namespace {

/// Text that a cell of a table may hold.
std::string cell(std::string text, std::size_t most) {
    for (char& c : text) {
        c = c == '\n' ? ' ' : c == '|' ? '!' : c;
    }
    return text.size() <= most ? text : text.substr(0, most) + "...";
}

Totals totals_where(const TaskStrength& strength, FaultClass fault) {
    Totals totals;
    for (const JudgedMutant& judged : strength.mutants) {
        if (judged.mutant.fault == fault) {
            totals.add(judged.fate);
        }
    }
    return totals;
}

/// "17", or "16 of 17 (2)": killed of those that are wrong, and those tolerated.
std::string counts(const Totals& totals) {
    std::string text = fmt::format("{} of {}", totals.killed, totals.killed + totals.survived);
    return totals.tolerated == 0 ? text : text + fmt::format(" ({})", totals.tolerated);
}

std::string table_of(const std::vector<TaskStrength>& strengths) {
    std::string text = "| task |";
    std::string line = "|---|";
    for (const FaultClass fault : k_fault_classes) {
        text += fmt::format(" {} |", to_string(fault));
        line += "---|";
    }
    text += " all | other bits too |\n" + line + "---|---|\n";
    for (const TaskStrength& strength : strengths) {
        if (strength.mutants.empty()) {
            continue;
        }
        text += fmt::format("| {} |", strength.task);
        for (const FaultClass fault : k_fault_classes) {
            text += fmt::format(" {} |", counts(totals_where(strength, fault)));
        }
        const Totals all = totals_of({strength});
        text += fmt::format(" {:.1f} % | {:.1f} % |\n", 100 * all.kill_rate(),
                            100 * all.kill_rate_of_any_difference());
    }
    return text;
}

std::string list_of(const std::vector<TaskStrength>& strengths, Fate fate) {
    std::string text;
    for (const TaskStrength& strength : strengths) {
        for (const JudgedMutant& judged : strength.mutants) {
            if (judged.fate == fate) {
                text +=
                    fmt::format("| {}/{}:{} | {} | `{}` -> `{}` | {} | {} |\n", strength.task,
                                judged.starter, judged.mutant.line, to_string(judged.mutant.fault),
                                cell(judged.mutant.before, 60), cell(judged.mutant.after, 60),
                                cell(judged.reason, 140), judged.confirmed);
            }
        }
    }
    return "| starter and line | fault | edit | on other inputs | confirmation |\n"
           "|---|---|---|---|---|\n" +
           text;
}

}  // namespace

void Totals::add(Fate fate) {
    ++made;
    no_program += fate == Fate::no_program ? 1 : 0;
    killed += fate == Fate::killed ? 1 : 0;
    same += fate == Fate::same ? 1 : 0;
    tolerated += fate == Fate::tolerated ? 1 : 0;
    survived += fate == Fate::survived ? 1 : 0;
    unjudged += fate == Fate::unjudged ? 1 : 0;
}

double Totals::kill_rate() const {
    const std::size_t wrong = killed + survived;
    return wrong == 0 ? 1 : static_cast<double>(killed) / static_cast<double>(wrong);
}

double Totals::kill_rate_of_any_difference() const {
    const std::size_t differ = killed + survived + tolerated;
    return differ == 0 ? 1 : static_cast<double>(killed) / static_cast<double>(differ);
}

Totals totals_of(const std::vector<TaskStrength>& strengths) {
    Totals totals;
    for (const TaskStrength& strength : strengths) {
        for (const JudgedMutant& judged : strength.mutants) {
            totals.add(judged.fate);
        }
    }
    return totals;
}

std::string report_of(const std::vector<TaskStrength>& strengths) {
    const Totals all = totals_of(strengths);
    std::string text = fmt::format(
        "{} mutants: {} are no programs, {} give the original's bits on every input tried, {} give "
        "other bits within the tolerances on every input tried, {} are wrong on some input. Of the "
        "wrong ones {} were killed: {:.2f} %; of all that give other bits: {:.2f} %.\n\n",
        all.made, all.no_program, all.same, all.tolerated, all.killed + all.survived, all.killed,
        100 * all.kill_rate(), 100 * all.kill_rate_of_any_difference());
    text += table_of(strengths);
    text += "\nSurvivors:\n\n" + list_of(strengths, Fate::survived);
    text += "\nOther bits, within the tolerances:\n\n" + list_of(strengths, Fate::tolerated);
    if (all.unjudged > 0) {
        text += "\nNot judged (faults of ours):\n\n" + list_of(strengths, Fate::unjudged);
    }
    std::size_t honest = 0;
    std::size_t controls = 0;
    std::string rejected;
    std::string failed;
    for (const TaskStrength& strength : strengths) {
        honest += strength.honest;
        controls += strength.controls;
        for (const std::string& one : strength.rejected) {
            rejected += "- " + one + "\n";
        }
        for (const std::string& one : strength.failed_controls) {
            failed += "- " + one + "\n";
        }
    }
    text += fmt::format("\nHonest evaluations: {}; rejected: {}\n\n{}", honest,
                        rejected.empty() ? "none" : "these", rejected);
    return text + fmt::format("\nOriginals on other inputs: {} rounds; failed: {}\n\n{}", controls,
                              failed.empty() ? "none" : "these", failed);
}

}  // namespace atl::mutation
