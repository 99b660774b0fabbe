#include "mutators/prompts/prompt_values.hpp"

#include "reward/kinds/kind.hpp"
#include "reward/task_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace atl {

namespace {

std::string without_line_ends(std::string text) {
    text.resize(text.find_last_not_of(" \t\r\n") + 1);
    return text;
}

std::vector<PromptValues> if_any(const std::string& text) {
    std::string shown = without_line_ends(text);
    if (shown.empty()) {
        return {};
    }
    return {PromptValues{{{"text", std::move(shown)}}, {}}};
}

/// The language that fences of a kind name: the first that code_in_reply() takes.
std::string language_of(const std::string& kind) {
    if (kind == "cpu_cpp") {
        return "cpp";
    }
    return kind == "cubin" ? "json" : kind;
}

/// One with the list where it has any, so that a title stands once.
std::vector<PromptValues> steps_if_any(const std::vector<std::string>& steps) {
    PromptValues any;
    for (const std::string& step : steps) {
        any.lists["steps"].push_back({{{"text", without_line_ends(step)}}, {}});
    }
    return steps.empty() ? std::vector<PromptValues>() : std::vector<PromptValues>{std::move(any)};
}

PromptValues program_values(const ShownProgram& program, const std::string& kind) {
    return {{{"id", program.id},
             {"score", fmt::format("{:.4g}", program.score)},
             {"code", fenced(program.source, language_of(kind))}},
            {{"verdict", if_any(program.verdict)},
             {"bottleneck", if_any(program.bottleneck)},
             {"steps_any", steps_if_any(program.steps)}}};
}

std::vector<PromptValues> program_list(const std::vector<ShownProgram>& programs,
                                       const std::string& kind) {
    std::vector<PromptValues> list;
    for (const ShownProgram& program : programs) {
        list.push_back(program_values(program, kind));
    }
    return list;
}

}  // namespace

PromptFacts prompt_facts(const Task& task, std::string hardware) {
    const CandidateKind* kind = find_kind(task.kind);
    return {task.kind,
            task.name,
            task.external ? std::string() : task.description,  // its contract says it
            task.external ? std::string() : task_words(task),
            kind == nullptr ? std::string() : kind->contract(task),
            std::move(hardware)};
}

std::string fenced(const std::string& code, const std::string& language) {
    std::size_t longest = 2;
    std::size_t run = 0;
    for (const char c : code) {
        run = c == '`' ? run + 1 : 0;
        longest = std::max(longest, run);
    }
    const std::string fence(longest + 1, '`');
    const bool ended = code.empty() || code.back() == '\n';
    return fence + language + "\n" + code + (ended ? "" : "\n") + fence;
}

PromptValues values_of(const PromptFacts& facts) {
    return {{{"task_name", facts.task_name}, {"language", language_of(facts.kind)}},
            {{"description", if_any(facts.description)},
             {"rules", if_any(facts.rules)},
             {"contract", if_any(facts.contract)},
             {"hardware", if_any(facts.hardware)}}};
}

PromptValues values_of(const PromptFacts& facts, const PromptMaterial& material) {
    PromptValues values;
    values.texts = {{"task_name", facts.task_name}, {"language", language_of(facts.kind)}};
    values.lists["parent"] = {program_values(material.parent, facts.kind)};
    values.lists["partner"] = material.partner ? program_list({*material.partner}, facts.kind)
                                               : std::vector<PromptValues>();
    std::vector<ShownProgram> exemplars = material.exemplars;
    std::stable_sort(
        exemplars.begin(), exemplars.end(),
        [](const ShownProgram& a, const ShownProgram& b) { return a.score < b.score; });
    values.lists["exemplars"] = program_list(exemplars, facts.kind);
    values.lists["inspirations"] = program_list(material.inspirations, facts.kind);
    std::vector<FailureRule> rules = material.failure_rules;
    std::stable_sort(rules.begin(), rules.end(),
                     [](const FailureRule& a, const FailureRule& b) { return a.count > b.count; });
    std::vector<PromptValues>& rule_list = values.lists["failure_rules"];
    for (const FailureRule& rule : rules) {
        rule_list.push_back({{{"text", rule.text}, {"count", std::to_string(rule.count)}}, {}});
    }
    std::vector<PromptValues>& memory = values.lists["memory"];
    for (const std::string& item : material.memory) {
        memory.push_back({{{"text", without_line_ends(item)}}, {}});
    }
    for (const char* list : {"exemplars", "inspirations", "failure_rules", "memory"}) {
        // A section for what stands once above a list.
        const bool any = !values.lists[list].empty();
        values.lists[std::string(list) + "_any"].resize(any ? 1 : 0);
    }
    values.lists["plan"] = if_any(material.plan);
    values.lists["original"] = {};
    if (material.original) {
        values.lists["original"].push_back(
            {{{"id", material.original->name},
              {"code", fenced(material.original->source, language_of(material.original->kind))}},
             {{"contract", if_any(material.original->contract)}}});
    }
    values.lists["strategy"] = if_any(material.strategy);
    values.lists["small_step"].resize(material.step == StepSize::small ? 1 : 0);
    values.lists["large_step"].resize(material.step == StepSize::large ? 1 : 0);
    values.lists["attempt"] = {};
    if (material.attempt) {
        const std::string& reply = material.attempt->reply;
        values.lists["attempt"].push_back(
            {{{"fault", without_line_ends(material.attempt->fault)}},
             {{"reply", if_any(reply.empty() ? reply : fenced(reply, "text"))}}});
    }
    return values;
}

std::set<std::string> names_in(const PromptValues& values) {
    std::set<std::string> names;
    for (const auto& [name, text] : values.texts) {
        names.insert(name);
    }
    for (const auto& [name, list] : values.lists) {
        names.insert(name);
        for (const PromptValues& one : list) {
            names.merge(names_in(one));
        }
    }
    return names;
}

}  // namespace atl
