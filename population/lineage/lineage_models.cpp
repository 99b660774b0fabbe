#include "population/lineage/lineage_models.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace atl {

namespace {

bool compiled(Outcome outcome) {
    return outcome != Outcome::rejected && outcome != Outcome::compile_error &&
           outcome != Outcome::compile_limit;
}

void add_calls(const LineageView::Ticket& ticket, LineageSummary::Model& row) {
    for (const ModelExchanged* exchange : ticket.exchanges) {
        ++row.calls;
        row.failed += exchange->reply.is_zero() ? 1 : 0;
        row.prompt_tokens += std::max<std::int64_t>(exchange->prompt_tokens, 0);
        row.cached_tokens += std::max<std::int64_t>(exchange->cached_tokens, 0);
        row.completion_tokens += std::max<std::int64_t>(exchange->completion_tokens, 0);
        row.nano_dollars += std::max<std::int64_t>(exchange->nano_dollars, 0);
    }
}

/// Calls of one of the operator's tickets before its first child, at least.
std::map<std::string, std::size_t> fewest_calls(const LineageView& view) {
    std::map<std::string, std::size_t> fewest;
    for (const auto& [number, ticket] : view.tickets) {
        if (ticket.issued != nullptr && !ticket.individuals.empty() && !ticket.exchanges.empty()) {
            const auto [at, is_new] =
                fewest.emplace(ticket.issued->operator_name, ticket.asked_before_child);
            at->second = std::min(at->second, ticket.asked_before_child);
        }
    }
    return fewest;
}

}  // namespace

std::vector<LineageSummary::Model> model_rows(const LineageView& view) {
    const std::map<std::string, std::size_t> fewest = fewest_calls(view);
    std::map<std::pair<std::string, std::string>, LineageSummary::Model> rows;
    for (const auto& [number, ticket] : view.tickets) {
        if (ticket.issued == nullptr || ticket.exchanges.empty() ||
            ticket.end() == LineageView::TicketEnd::in_flight) {
            continue;
        }
        const std::string& name = ticket.issued->operator_name;
        LineageSummary::Model& row = rows[{ticket.exchanges.front()->model, name}];
        add_calls(ticket, row);
        const auto& asked = ticket.exchanges;
        row.tickets += std::any_of(asked.begin(), asked.end(),
                                   [](const auto* one) { return !one->reply.is_zero(); })
                           ? 1
                           : 0;
        const auto is_right = [&](std::size_t at) {
            return is_correct(view.nodes[at].individual->outcome);
        };
        row.right +=
            std::any_of(ticket.individuals.begin(), ticket.individuals.end(), is_right) ? 1 : 0;
        if (ticket.individuals.empty() || ticket.asked_before_child > fewest.at(name)) {
            continue;
        }
        const std::size_t first = ticket.individuals.front();
        ++row.first_try;
        row.first_compiled += compiled(view.nodes[first].individual->outcome) ? 1 : 0;
        row.first_right += is_right(first) ? 1 : 0;
    }
    std::vector<LineageSummary::Model> models;
    for (auto& [key, row] : rows) {
        row.model = key.first;
        row.operator_name = key.second;
        models.push_back(std::move(row));
    }
    return models;
}

}  // namespace atl
