#pragma once

#include "mutators/operator.hpp"
#include "mutators/prompts/prompt_material.hpp"
#include "mutators/prompts/prompts.hpp"
#include "mutators/replies/reply_fault.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// What one run of an operator may spend on models, beside the ticket's evaluations.
struct ModelBudget {
    std::size_t prompt_tokens = 24'000;  ///< of one question, by estimated_tokens()
    int retries = 2;  ///< questions after a reply that was no child, for each child; 0 or more
    int repairs = 1;  ///< children that are wrong and are given back to be repaired; 0 or more
};

/// The source of the child in a reply. `parent` is what the prompt showed.
using ParseReply = FromReply<std::string> (*)(const ShownProgram& parent, const std::string& kind,
                                              std::string_view reply);

/// source_in_reply(): the last complete fenced block.
[[nodiscard]] FromReply<std::string> parse_whole_source(const ShownProgram& parent,
                                                        const std::string& kind,
                                                        std::string_view reply);

/// What an operator that asks a model is made of.
struct ModelWork {
    std::shared_ptr<Prompts> prompts;  ///< shared by all operators of a campaign, on one thread
    ModelBudget budget;
    std::string name;    ///< of the operator, for descriptions
    std::string prompt;  ///< of prompts/templates
    ParseReply parse = nullptr;
    std::vector<std::string> labels;  ///< lines of the reply that tell what was done: "Change"
    /// Asked before `prompt`, for ideas with predicted gains; the most promising one is the plan
    /// that `prompt` shows. Empty: nothing is asked before.
    std::string plan_prompt = {};
    /// A program of another kind that `prompt` shows; the child descends from it.
    std::optional<OriginalProgram> original = {};
};

/// Asks, reads the reply, and asks again with what was wrong with it; proposes the child; has it
/// repaired where it is wrong (prompt "repair"). A reply with a fault is never evaluated, and
/// neither is a child that is its parent or is known. The first parent is the base, one with the
/// role of a partner the partner; exemplars and inspirations are shown as such. Programs
/// are shown with their tune values as defaults; a child has none set, and the base's flags (none
/// where it descends from a program of another kind). Of ideas the one with the highest predicted
/// gain is chosen, of equal ones the first: nothing is drawn. Its gain is the child's prediction,
/// and stays so when the child is repaired.
[[nodiscard]] OperatorRun run_model_work(OperatorInput in, ModelWork work);

}  // namespace atl
