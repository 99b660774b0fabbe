#pragma once

#include "population/individual.hpp"
#include "reward/task.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace atl {

/// What stands in prompts, as values. Texts may be anything: they are shown as they are and never
/// read as templates.

/// The same for all prompts of a campaign: what their shared prefix says.
struct PromptFacts {
    std::string kind;  ///< of the candidates, also the language of their fences
    std::string task_name;
    std::string description;  ///< of the task
    std::string rules;        ///< task_words(); empty for a task with a judge of its own
    std::string contract;     ///< CandidateKind::contract(): what a candidate is
    std::string hardware;     ///< hardware_card(); may be empty
};

[[nodiscard]] PromptFacts prompt_facts(const Task& task, std::string hardware);

/// A program with what is known of it.
struct ShownProgram {
    std::string id;                       ///< IndividualId::text()
    double score = 0;                     ///< search fitness: higher is better, 0 is wrong
    std::string source;                   ///< with its tune values in it
    std::string verdict;                  ///< feedback_text() of the public part; may be empty
    std::string bottleneck;               ///< ProfileReport::sentence; may be empty
    std::vector<std::string> steps = {};  ///< how it came about, the oldest first: ParentView
};

/// A program of another kind, to be written anew.
struct OriginalProgram {
    std::string name;
    std::string kind;
    std::string source;
    std::string contract;  ///< what a candidate of its kind is
};

struct FailureRule {
    std::string text;         ///< "You cannot ...", one line
    std::uint64_t count = 0;  ///< how often it was broken
};

/// A reply that was no child, for the model's next try.
struct FailedAttempt {
    std::string reply;
    std::string fault;  ///< ReplyFault::words, or a verdict in words
};

/// What one prompt shows. Lists may be empty; their blocks are then left out.
struct PromptMaterial {
    ShownProgram parent;
    std::optional<ShownProgram> partner;
    std::vector<ShownProgram> exemplars;     ///< in any order; shown from the lowest score up
    std::vector<ShownProgram> inspirations;  ///< the most useful first
    std::vector<FailureRule> failure_rules;  ///< in any order; shown from the most frequent down
    std::vector<std::string> memory;         ///< the most useful first
    std::optional<FailedAttempt> attempt;    ///< the one before, where the model is asked again
    std::string plan = {};                   ///< what is to be written; empty: none
    std::optional<OriginalProgram> original = {};
    std::string strategy = {};       ///< what to try this time; empty: whatever it likes
    StepSize step = StepSize::none;  ///< how far from the parent
};

}  // namespace atl
