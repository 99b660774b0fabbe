#include "reward/kinds/external.hpp"
#include "reward/score.hpp"
#include "reward/task_check.hpp"

#include <fmt/format.h>

namespace atl {

namespace {

using Severity = TaskFinding::Severity;

std::string shown(const Verdict& verdict) {
    std::string text(to_string(verdict.outcome));
    if (!verdict.reason.empty()) {
        text += ": " + verdict.reason;
    }
    return text;
}

}  // namespace

Expected<std::vector<TaskFinding>> check_external_task(const Task& task) {
    std::vector<TaskFinding> findings;
    if (const Status there = find_judge(task); !there) {
        findings.push_back({Severity::error, "judge", there.error().what, there.error().hint});
        return findings;
    }
    const auto judge = [&](const std::string& source) {
        return judge_external(task, {"external", source, {}, {}});
    };
    for (const std::string& nonsense : {std::string(), std::string("\x01 nonsense )]}\n")}) {
        const Expected<Verdict> verdict = judge(nonsense);
        if (!verdict) {
            return tl::unexpected(verdict.error());
        }
        if (is_correct(verdict->outcome)) {
            findings.push_back({Severity::error, "cheat",
                                nonsense.empty() ? "the judge calls an empty file correct"
                                                 : "the judge calls nonsense correct",
                                "answer {\"correct\": false} unless the candidate was checked"});
        }
    }
    for (const Starter& starter : task.starters) {
        ATOLL_TRY_ASSIGN(const Verdict verdict, judge(starter.source));
        if (!is_correct(verdict.outcome)) {
            const std::string hint = verdict.feedback.substr(0, 500);
            findings.push_back(
                {Severity::error, "starter",
                 "starter '" + starter.name + "' does not pass (" + shown(verdict) + ")",
                 hint.empty() ? "correct the starter or the judge" : hint});
            continue;
        }
        ATOLL_TRY_ASSIGN(const double value, score("external", verdict, {}));
        if (value <= 0) {
            // Only the first has to be better than wrong: everything is compared with it.
            findings.push_back(
                {&starter == &task.starters.front() ? Severity::error : Severity::warning, "score",
                 fmt::format("starter '{}' passes with score {:g}; {}", starter.name, value,
                             k_score_rule),
                 k_score_hint});
        }
    }
    return findings;
}

}  // namespace atl
