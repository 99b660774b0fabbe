#include "population/lineage/lineage_summary.hpp"

#include "population/lineage/lineage_models.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

namespace atl {

namespace {

using Summary = LineageSummary;
using TicketEnd = LineageView::TicketEnd;

void add_campaign(const LineageView& view, Summary& summary) {
    if (view.started != nullptr) {
        summary.task = view.started->task_name;
        summary.device = view.started->device;
        summary.atoll_version = view.started->atoll_version;
        summary.seed = view.started->seed;
    }
    summary.sessions = view.sessions.size();
    summary.elapsed_ns = view.elapsed_ns;
    if (view.ended != nullptr) {
        summary.stop_reason = view.ended->reason;
        summary.finished = view.ended->finished;
    }
}

// Sums of logarithms for now. A real gain is one of fitness, which grows as times fall.
void add_prediction(const LineageView& view, const LineageView::Node& node,
                    Summary::Operator::Predictions& predictions) {
    const Individual& one = *node.individual;
    if (!node.committed() || one.duplicate || !(one.predicted_gain > 0)) {
        return;
    }
    ++predictions.count;
    const LineageView::Node* base = base_parent(view, one);
    if (base == nullptr || !(base->individual->fitness > 0) || !(one.fitness > 0)) {
        return;
    }
    const double real = one.fitness / base->individual->fitness;
    const double ratio = real / one.predicted_gain;
    ++predictions.right;
    predictions.predicted_gain += std::log(one.predicted_gain);
    predictions.real_gain += std::log(real);
    predictions.accurate += ratio >= 0.8 && ratio <= 1.2 ? 1 : 0;
}

void finish(Summary::Operator::Predictions& predictions) {
    if (predictions.right > 0) {
        const auto count = static_cast<double>(predictions.right);
        predictions.predicted_gain = std::exp(predictions.predicted_gain / count);
        predictions.real_gain = std::exp(predictions.real_gain / count);
    }
}

void add_tickets(const LineageView& view, Summary& summary) {
    std::map<std::string, Summary::Operator> operators;
    for (const auto& [number, ticket] : view.tickets) {
        ++summary.tickets;
        summary.committed += ticket.end() == TicketEnd::committed ? 1 : 0;
        summary.failed += ticket.end() == TicketEnd::failed ? 1 : 0;
        summary.in_flight += ticket.end() == TicketEnd::in_flight ? 1 : 0;
        if (ticket.issued == nullptr) {
            continue;
        }
        Summary::Operator& op = operators[ticket.issued->operator_name];
        ++op.issued;
        op.failed += ticket.end() == TicketEnd::failed ? 1 : 0;
        if (ticket.committed != nullptr) {
            ++op.committed;
            op.improved += ticket.committed->reward > 0 ? 1 : 0;
            op.mean_reward += ticket.committed->reward;  // the sum for now
            op.compile_seconds += ticket.committed->compile_seconds;
            op.device_seconds += ticket.committed->device_seconds;
        }
        for (const std::size_t at : ticket.individuals) {
            const Individual& one = *view.nodes[at].individual;
            ++(one.duplicate ? op.duplicates : op.evaluations);
            op.correct += !one.duplicate && is_correct(one.outcome) ? 1 : 0;
            add_prediction(view, view.nodes[at], op.predictions);
            if (!view.nodes[at].turned_down) {
                op.best_fitness = std::max(op.best_fitness, one.fitness);
            }
        }
    }
    for (auto& [name, op] : operators) {
        op.name = name;
        op.mean_reward = op.committed > 0 ? op.mean_reward / static_cast<double>(op.committed) : 0;
        finish(op.predictions);
        summary.operators.push_back(op);
    }
}

void add_individuals(const LineageView& view, Summary& summary) {
    std::array<std::uint64_t, k_outcome_count> outcomes{};
    std::map<std::uint32_t, Summary::Island> islands;  // not by index: the numbers are untrusted
    for (const LineageView::Node& node : view.nodes) {
        const Individual& one = *node.individual;
        ++(one.duplicate ? summary.duplicates : summary.evaluations);
        if (!one.duplicate) {
            ++outcomes[static_cast<std::size_t>(one.outcome)];
        }
        if (!node.committed()) {
            continue;
        }
        Summary::Island& island = islands[one.island];
        ++island.individuals;
        island.correct += is_correct(one.outcome) ? 1 : 0;
        if (!node.turned_down && one.fitness > island.best_fitness) {
            island.best_fitness = one.fitness;
            island.best = one.id;
        }
    }
    for (const Migrated* migration : view.migrations) {
        ++islands[migration->to].migrants;
    }
    for (auto& [number, island] : islands) {
        island.island = number;
        summary.islands.push_back(island);
    }
    for (int i = 0; i < k_outcome_count; ++i) {
        if (const std::uint64_t count = outcomes[static_cast<std::size_t>(i)]; count > 0) {
            summary.outcomes.push_back({static_cast<Outcome>(i), count});
        }
    }
}

// In commit order, as the campaign came to know them.
void add_progress(const LineageView& view, Summary& summary) {
    std::vector<const LineageView::Ticket*> commits;
    for (const auto& [number, ticket] : view.tickets) {
        if (ticket.committed != nullptr) {
            commits.push_back(&ticket);
        }
    }
    std::sort(commits.begin(), commits.end(),
              [](const auto* a, const auto* b) { return a->commit < b->commit; });
    std::uint64_t evaluations = 0;
    double best = 0;
    for (const LineageView::Ticket* ticket : commits) {
        for (const std::size_t at : ticket->individuals) {
            const Individual& one = *view.nodes[at].individual;
            evaluations += one.duplicate ? 0 : 1;
            if (one.fitness > best && !view.nodes[at].turned_down) {
                best = one.fitness;
                summary.progress.push_back({evaluations, ticket->committed->at_ns, best, one.id});
            }
        }
    }
}

void add_best(const LineageView& view, Summary& summary) {
    summary.migrations = view.migrations.size();
    summary.resets = view.resets.size();
    summary.turned_down = view.turned_down.size();
    const LineageView::Node* best = view.best();
    if (best == nullptr) {
        return;
    }
    summary.best = best->individual->id;
    summary.best_operator = best->individual->operator_name;
    summary.best_fitness = best->individual->fitness;
    if (best->confirmed != nullptr && best->confirmed->accepted) {
        summary.confirmed_fitness = best->confirmed->fitness;
    }
    for (const Migrated* m : ancestral_migrations(view, ancestry(view, *summary.best))) {
        summary.ancestral_migrations.push_back({m->individual, m->from, m->to, m->after_commit});
    }
}

void add_archives(const CampaignState& state, Summary& summary) {
    for (Summary::Island& island : summary.islands) {
        if (island.island >= state.islands().size()) {
            continue;
        }
        std::set<std::string> starters;
        for (const ArchiveEntry& entry : state.islands()[island.island].archive.entries()) {
            ++island.kept;
            starters.insert(entry.starter);
        }
        island.starters.assign(starters.begin(), starters.end());
    }
}

}  // namespace

LineageSummary summarize(const LineageView& view, const CampaignState* state) {
    Summary summary;
    add_campaign(view, summary);
    add_tickets(view, summary);
    summary.models = model_rows(view);
    add_individuals(view, summary);
    add_progress(view, summary);
    add_best(view, summary);
    if (state != nullptr) {
        add_archives(*state, summary);
    }
    return summary;
}

}  // namespace atl
