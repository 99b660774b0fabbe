#include "mutators/prompts/prompt_trimming.hpp"

#include "mutators/replies/reply_text.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace atl {

namespace {

using Trimmed = std::optional<std::string>;

constexpr std::size_t k_kept_of_verdict = 600;  // outcome, reason, and the first lines of a log

Trimmed trim_inspirations(PromptMaterial& material) {
    if (material.inspirations.empty()) {
        return std::nullopt;
    }
    const std::string id = material.inspirations.back().id;
    material.inspirations.pop_back();
    return "inspiration " + id;
}

Trimmed trim_memory(PromptMaterial& material) {
    if (material.memory.empty()) {
        return std::nullopt;
    }
    material.memory.pop_back();
    return "memory item " + std::to_string(material.memory.size() + 1);
}

Trimmed trim_exemplars(PromptMaterial& material) {
    std::vector<ShownProgram>& all = material.exemplars;
    if (all.empty()) {
        return std::nullopt;
    }
    std::stable_sort(all.begin(), all.end(), [](const ShownProgram& a, const ShownProgram& b) {
        return a.score < b.score;
    });
    // Of two, the worse one goes.
    const auto middle = all.begin() + static_cast<std::ptrdiff_t>((all.size() - 1) / 2);
    const std::string id = middle->id;
    all.erase(middle);
    return "exemplar " + id;
}

Trimmed trim_rules(PromptMaterial& material) {
    std::vector<FailureRule>& rules = material.failure_rules;
    const auto least = std::min_element(
        rules.begin(), rules.end(),
        [](const FailureRule& a, const FailureRule& b) { return a.count < b.count; });
    if (least == rules.end()) {
        return std::nullopt;
    }
    const std::string text = least->text;
    rules.erase(least);
    return "failure rule \"" + std::string(shortened(text, 60)) + "\"";
}

Trimmed trim_attempt(PromptMaterial& material) {
    if (!material.attempt || material.attempt->reply.empty()) {
        return std::nullopt;
    }
    material.attempt->reply.clear();
    return "the failed reply";
}

Trimmed trim_partner(PromptMaterial& material) {
    if (!material.partner || material.partner->verdict.empty()) {
        return std::nullopt;
    }
    material.partner->verdict.clear();
    return "the partner's verdict";
}

Trimmed trim_verdict(PromptMaterial& material) {
    std::string& verdict = material.parent.verdict;
    if (verdict.size() <= k_kept_of_verdict) {
        return std::nullopt;
    }
    verdict = std::string(shortened(verdict, k_kept_of_verdict));
    return "the end of the parent's verdict";
}

}  // namespace

std::optional<std::string> trim_once(PromptMaterial& material) {
    for (const auto& step : {trim_inspirations, trim_memory, trim_exemplars, trim_rules,
                             trim_attempt, trim_partner, trim_verdict}) {
        if (Trimmed trimmed = step(material)) {
            return trimmed;
        }
    }
    return std::nullopt;
}

}  // namespace atl
