#pragma once

#include "mutators/prompts/prompt_material.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace atl {

/// What templates can name: texts, and lists of the same. A list that is empty hides its section;
/// what may be absent is a list of none or one.
struct PromptValues {
    std::map<std::string, std::string> texts;
    std::map<std::string, std::vector<PromptValues>> lists;
};

/// task_name, language; description, rules, contract, hardware { text }.
[[nodiscard]] PromptValues values_of(const PromptFacts& facts);

/// task_name, language; parent { id, score, code, verdict { text }, bottleneck { text }, steps_any
/// { steps { text } } }, and likewise partner, exemplars (from the lowest score up) and
/// inspirations; failure_rules { text, count } (from the most frequent down), memory { text },
/// attempt { fault, reply { text } }, plan { text }, original { id, code, contract { text } },
/// strategy { text }, small_step, large_step.
/// LIST_any: one where the list has any. Code and replies are fenced. Texts have no white space at
/// their ends.
[[nodiscard]] PromptValues values_of(const PromptFacts& facts, const PromptMaterial& material);

/// Every name in `values`, at any depth.
[[nodiscard]] std::set<std::string> names_in(const PromptValues& values);

/// `code` between fences of `language` that are longer than any in it.
[[nodiscard]] std::string fenced(const std::string& code, const std::string& language);

}  // namespace atl
