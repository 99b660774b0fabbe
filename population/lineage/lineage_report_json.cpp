#include "population/lineage/lineage_facts.hpp"
#include "population/lineage/lineage_report.hpp"

#include <nlohmann/json.hpp>

namespace atl {

namespace {

using lineage::gather;
using lineage::IndividualFacts;
using Json = nlohmann::ordered_json;

std::string dump(const Json& json) {
    // Texts come from candidates and models and may not be UTF-8.
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json text_json(const lineage::TextFact& fact) {
    return fact.text ? Json(*fact.text) : Json();
}

Json verdict_json(const std::optional<Verdict>& verdict) {
    if (!verdict) {
        return {};
    }
    return Json::parse(to_json(*verdict), nullptr, false);
}

Json parents_json(const std::vector<Parent>& parents) {
    Json array = Json::array();
    for (const Parent& parent : parents) {
        array.push_back({{"id", parent.id.text()},
                         {"role", to_string(parent.role)},
                         {"probability", parent.probability}});
    }
    return array;
}

Json confirmation_json(const IndividualFacts& facts) {
    const Confirmed* confirmed = facts.node->confirmed;
    if (confirmed == nullptr) {
        return {};
    }
    Json json = {{"accepted", confirmed->accepted},
                 {"outcome", to_string(confirmed->outcome)},
                 {"fitness", confirmed->fitness},
                 {"rival", Json()},
                 {"rival_fitness", Json()},
                 {"at_ns", confirmed->at_ns},
                 {"verdict", verdict_json(facts.confirmation)}};
    if (confirmed->rival_fitness > 0) {
        json["rival"] = confirmed->rival.text();
        json["rival_fitness"] = confirmed->rival_fitness;
    }
    return json;
}

Json ticket_json(const IndividualFacts& facts) {
    if (facts.ticket == nullptr || facts.ticket->issued == nullptr) {
        return {};
    }
    const TicketIssued& issued = *facts.ticket->issued;
    return {{"ticket", issued.ticket},
            {"island_probability", issued.island_probability},
            {"operator_probability", issued.operator_probability},
            {"model", issued.model},
            {"model_probability", issued.model_probability},
            {"strategy", issued.strategy},
            {"strategy_probability", issued.strategy_probability},
            {"step", to_string(issued.step)},
            {"step_probability", issued.step_probability},
            {"commits_seen", issued.commits_seen},
            {"reward",
             facts.ticket->committed != nullptr ? Json(facts.ticket->committed->reward) : Json()}};
}

// What path and show have in common.
Json individual_json(const IndividualFacts& facts) {
    const Individual& one = *facts.individual;
    return {{"id", one.id.text()},
            {"island", one.island},
            {"operator", one.operator_name},
            {"starter", one.starter},
            {"description", one.description},
            {"outcome", to_string(one.outcome)},
            {"fitness", one.fitness},
            {"gain", facts.gain ? Json(*facts.gain) : Json()},
            {"time_ns", one.time_ns},
            {"committed", facts.node->committed()},
            {"commit", facts.node->committed() ? Json(facts.node->commit) : Json()},
            {"duplicate", one.duplicate},
            {"parents", parents_json(one.parents)},
            {"tune", one.tune.values()},
            {"flags", one.flags},
            {"key", one.key.hex()}};
}

Json full_json(const LineageView& view, const IndividualFacts& facts) {
    const Individual& one = *facts.individual;
    Json json = individual_json(facts);
    Json children = Json::array();
    for (const std::size_t at : facts.node->children) {
        children.push_back(view.nodes[at].individual->id.text());
    }
    Json migrations = Json::array();
    for (const Migrated* m : facts.migrations) {
        migrations.push_back({{"from", m->from},
                              {"to", m->to},
                              {"after_commit", m->after_commit},
                              {"probability", m->probability}});
    }
    json["children"] = std::move(children);
    json["migrations"] = std::move(migrations);
    json["ticket"] = ticket_json(facts);
    json["asked_ns"] = one.asked_ns;
    json["done_ns"] = one.done_ns;
    json["confirmation"] = confirmation_json(facts);
    json["source"] = text_json(facts.source);
    json["prompt"] = text_json(facts.prompt);
    json["reply"] = text_json(facts.reply);
    json["verdict"] = verdict_json(facts.verdict);
    return json;
}

}  // namespace

std::string best_json(const LineageView& view, const TextSource& texts) {
    const LineageView::Node* best = view.best();
    return dump({{"best", best == nullptr ? Json() : full_json(view, gather(view, texts, *best))}});
}

std::string path_json(const LineageView& view, const TextSource& texts, IndividualId id) {
    Json steps = Json::array();
    for (const LineageView::Node* node : base_path(view, id)) {
        const IndividualFacts facts = gather(view, texts, *node);
        Json step = individual_json(facts);
        step["tune_changes"] = facts.tune_changes;
        step["source_diff"] = facts.source_diff;
        steps.push_back(std::move(step));
    }
    return dump({{"path", std::move(steps)}});
}

std::string show_json(const LineageView& view, const TextSource& texts, IndividualId id) {
    return dump(full_json(view, gather(view, texts, *view.find(id))));
}

}  // namespace atl
