#include "population/lineage/lineage_facts.hpp"

#include "population/lineage/text_diff.hpp"

namespace atl::lineage {

namespace {

TextFact fetch(const TextSource& texts, const Digest& id) {
    TextFact fact{id, std::nullopt};
    if (!id.is_zero()) {
        if (auto text = texts.text(id)) {
            fact.text = std::move(*text);
        }
    }
    return fact;
}

std::optional<Verdict> parse(const TextFact& fact) {
    if (fact.text) {
        if (auto verdict = parse_verdict(*fact.text)) {
            return std::move(*verdict);
        }
    }
    return std::nullopt;
}

std::vector<std::string> changes(const Individual& before, const Individual& after) {
    std::vector<std::string> result;
    const TuneValues::Map old_values = before.tune;
    const TuneValues::Map new_values = after.tune;
    const auto value = [](const TuneValues::Map& values, const std::string& name) {
        const auto found = values.find(name);
        return found == values.end() ? std::string("default") : found->second;
    };
    TuneValues::Map names = old_values;
    names.insert(new_values.begin(), new_values.end());
    for (const auto& [name, unused] : names) {
        const std::string from = value(old_values, name);
        const std::string to = value(new_values, name);
        if (from != to) {
            result.push_back(name + ": " + from + " -> " + to);
        }
    }
    if (before.flags != after.flags) {
        result.push_back("flags: " + flags_text(before) + " -> " + flags_text(after));
    }
    return result;
}

}  // namespace

std::string tune_text(const Individual& individual) {
    std::string text;
    for (const auto& [name, value] : individual.tune.values()) {
        text += (text.empty() ? "" : " ") + name + "=" + value;
    }
    return text.empty() ? "defaults" : text;
}

std::string flags_text(const Individual& individual) {
    std::string text;
    for (const std::string& flag : individual.flags) {
        text += (text.empty() ? "" : " ") + flag;
    }
    return text.empty() ? "none" : text;
}

IndividualFacts gather(const LineageView& view, const TextSource& texts,
                       const LineageView::Node& node) {
    IndividualFacts facts;
    facts.node = &node;
    facts.individual = node.individual;
    const Individual& one = *node.individual;
    facts.ticket = view.find_ticket(one.id.ticket());
    facts.base = base_parent(view, one);
    facts.source = fetch(texts, one.source);
    facts.prompt = fetch(texts, one.prompt);
    facts.reply = fetch(texts, one.reply);
    facts.verdict_text = fetch(texts, one.verdict);
    facts.verdict = parse(facts.verdict_text);
    if (node.confirmed != nullptr) {
        facts.confirmation = parse(fetch(texts, node.confirmed->verdict));
    }
    if (facts.base != nullptr) {
        const Individual& base = *facts.base->individual;
        if (base.fitness > 0 && one.fitness > 0) {
            facts.gain = one.fitness / base.fitness;
        }
        facts.tune_changes = changes(base, one);
        if (base.source != one.source) {
            const TextFact before = fetch(texts, base.source);
            if (before.text && facts.source.text) {
                facts.source_diff = unified_diff(*before.text, *facts.source.text);
            }
        }
    }
    for (const Migrated* migration : view.migrations) {
        if (migration->individual == one.id) {
            facts.migrations.push_back(migration);
        }
    }
    return facts;
}

}  // namespace atl::lineage
