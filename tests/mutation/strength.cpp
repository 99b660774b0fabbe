#include "tests/mutation/strength.hpp"

#include "reward/base/hash.hpp"
#include "reward/base/rng.hpp"
#include "reward/source_text.hpp"
#include "tests/mutation/other_inputs.hpp"
#include "tests/support/temporary_folder.hpp"

#include <algorithm>
#include <set>

namespace atl::mutation {

namespace {

using Mutants = std::vector<JudgedMutant*>;

Candidate candidate_of(const std::string& source) {
    Candidate candidate;
    candidate.source = source;
    return candidate;
}

std::vector<Candidate> candidates_of(const Mutants& mutants) {
    std::vector<Candidate> candidates;
    for (const JudgedMutant* mutant : mutants) {
        candidates.push_back(candidate_of(mutant->mutant.source));
    }
    return candidates;
}

std::string words_of(const EvaluationResult& result) {
    return result ? std::string(to_string(result->outcome)) + ": " + result->reason
                  : "fault of ours: " + result.error().error.message();
}

Fate first_fate(const EvaluationResult& result) {
    if (!result) {
        return Fate::unjudged;
    }
    switch (result->outcome) {
        case Outcome::passed:
            return Fate::same;  // until another input tells
        case Outcome::rejected:
        case Outcome::compile_error:
        case Outcome::compile_limit:
            return Fate::no_program;
        default:
            return Fate::killed;
    }
}

/// Asks the mutants of one starter, and the original with them; those that fail become `failed`.
/// Each time by a fresh evaluator, so that no task that was judged before plays a part.
void ask_again(const TaskPtr& task, const Starter& original, const Mutants& mutants, Fate failed,
               TaskStrength& strength) {
    std::vector<Candidate> candidates = candidates_of(mutants);
    candidates.push_back(candidate_of(original.source));
    for (Candidate& candidate : candidates) {
        candidate.source = failed == Fate::tolerated ? exactly(candidate.source) : candidate.source;
    }
    Judge judge;
    const std::vector<EvaluationResult> results = judge.judge(task, candidates, Level::verify);
    ++strength.controls;
    if (!results.back() || results.back()->outcome != Outcome::passed) {
        strength.failed_controls.push_back(strength.task + ", " + original.name + ": " +
                                           words_of(results.back()));
    }
    for (std::size_t i = 0; i < mutants.size(); ++i) {
        if (!results[i]) {
            mutants[i]->fate = Fate::unjudged;
        } else if (results[i]->outcome != Outcome::passed) {
            mutants[i]->fate = failed;
        }
        if (mutants[i]->fate == failed || !results[i]) {
            mutants[i]->reason = words_of(results[i]);
        }
    }
}

Mutants with_fate(std::vector<JudgedMutant>& all, const std::string& starter, Fate fate) {
    Mutants chosen;
    for (JudgedMutant& mutant : all) {
        if (mutant.starter == starter && mutant.fate == fate) {
            chosen.push_back(&mutant);
        }
    }
    return chosen;
}

/// Tells those that passed apart: same, tolerated or survived.
void ask_other_inputs(Judge& judge, const TaskPtr& task, const Starter& original,
                      TaskStrength& strength) {
    const testing::TemporaryFolder folder;
    const auto ask = [&](Fate from, Fate to, std::uint64_t round) {
        const Mutants open = with_fate(strength.mutants, original.name, from);
        const std::filesystem::path place =
            folder.path() / (std::to_string(static_cast<int>(to)) + "-" + std::to_string(round)) /
            task->name;
        if (!open.empty()) {
            ask_again(to == Fate::tolerated
                          ? same_answers_task(*task, original.source, round, place)
                          : other_shapes_task(*task, round, place),
                      original, open, to, strength);
        }
    };
    for (const Fate to : {Fate::tolerated, Fate::survived}) {
        for (std::uint64_t round = 0; round < k_rounds; ++round) {
            ask(to == Fate::tolerated ? Fate::same : Fate::tolerated, to, round);
        }
    }
    const Mutants survivors = with_fate(strength.mutants, original.name, Fate::survived);
    const std::vector<EvaluationResult> results =
        judge.judge(task, candidates_of(survivors), Level::confirm, candidate_of(original.source));
    for (std::size_t i = 0; i < survivors.size(); ++i) {
        survivors[i]->confirmed =
            results[i] ? std::string(to_string(results[i]->outcome)) : words_of(results[i]);
    }
}

/// A random value for each knob; every other variant has one of the task's flags, too.
Candidate variant_of(const Task& task, const Starter& starter, std::size_t number) {
    const std::string name = task.name + "/" + starter.name;
    CounterRng random(checksum64(name.data(), name.size()), RngPurpose::operator_body, number);
    Candidate variant = candidate_of(starter.source);
    for (const TuneMacro& macro : tune_macros(starter.source)) {
        variant.tune[macro.name] = macro.values[random.below(macro.values.size())];
    }
    if (number % 2 == 1 && !task.allowed_flags.empty()) {
        variant.flags = {task.allowed_flags[random.below(task.allowed_flags.size())]};
    }
    return variant;
}

std::string settings_of(const Candidate& candidate) {
    std::string text;
    for (const auto& [name, value] : candidate.tune) {
        text += " " + name + "=" + value;
    }
    for (const std::string& flag : candidate.flags) {
        text += " " + flag;
    }
    return text;
}

}  // namespace

void count_honest(const std::string& who, const EvaluationResult& result, TaskStrength& strength) {
    ++strength.honest;
    if (!result || result->outcome != Outcome::passed) {
        strength.rejected.push_back(strength.task + ", " + who + ": " + words_of(result));
    }
}

void judge_mutants(Judge& judge, const TaskPtr& task, std::size_t per_class,
                   TaskStrength& strength) {
    std::set<Digest> seen;
    for (const Starter& starter : task->starters) {
        seen.insert(candidate_key(candidate_of(starter.source)));
        for (Mutant& mutant : chosen_mutants(starter.source, per_class)) {
            if (seen.insert(candidate_key(candidate_of(mutant.source))).second) {
                strength.mutants.push_back(
                    {starter.name, std::move(mutant), Fate::unjudged, "", ""});
            }
        }
    }
    Mutants all;
    for (JudgedMutant& mutant : strength.mutants) {
        all.push_back(&mutant);
    }
    const std::vector<EvaluationResult> results =
        judge.judge(task, candidates_of(all), Level::verify);
    for (std::size_t i = 0; i < all.size(); ++i) {
        all[i]->fate = first_fate(results[i]);
        all[i]->reason = words_of(results[i]);
    }
    for (const Starter& starter : task->starters) {
        ask_other_inputs(judge, task, starter, strength);
    }
}

void judge_honest(Judge& judge, const TaskPtr& task, TaskStrength& strength) {
    std::vector<Candidate> variants;
    std::vector<std::string> names;
    for (const Starter& starter : task->starters) {
        for (std::size_t number = 0; number < k_variants; ++number) {
            variants.push_back(variant_of(*task, starter, number));
            names.push_back("the starter " + starter.name + " with" + settings_of(variants.back()));
        }
    }
    const std::vector<EvaluationResult> results = judge.judge(task, variants, Level::verify);
    for (std::size_t i = 0; i < results.size(); ++i) {
        count_honest(names[i], results[i], strength);
    }
    for (const Starter& starter : task->starters) {
        const Candidate candidate = candidate_of(starter.source);
        const auto confirmed = judge.judge(task, {candidate}, Level::confirm,
                                           candidate_of(task->starters.front().source));
        count_honest("the starter " + starter.name + " in a confirmation", confirmed.front(),
                     strength);
    }
}

}  // namespace atl::mutation
