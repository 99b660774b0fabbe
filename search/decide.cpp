#include "search/decide.hpp"

#include "search/shown_programs.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace atl {

namespace {

constexpr std::uint64_t k_unanswered = 3;  // in a row: the endpoint is down
constexpr std::uint64_t k_try_again_every = 16;

class TicketDecision {
  public:
    TicketDecision(const CampaignState& state, const Strategies& strategies, const TaskPtr& task,
                   std::uint64_t ticket)
        : m_state(state),
          m_strategies(strategies),
          m_task(task),
          m_ticket(ticket),
          m_models_rest(strategies.models_rest && models_rest(state, ticket)) {}

    Expected<std::optional<TicketIssued>> decide(CandidateStore& candidates) {
        m_issued.ticket = m_ticket;
        m_issued.commits_seen = m_state.commits();
        ATOLL_TRY_ASSIGN(bool found, choose_island(candidates));
        if (!found && std::exchange(m_models_rest, false)) {
            ATOLL_TRY_ASSIGN(found, choose_island(candidates));
        }
        if (!found) {
            return std::optional<TicketIssued>();
        }
        const double share = repair_share();
        if (share >= 1 || (share > 0 && rng(RngPurpose::operator_choice, 1).uniform() < share)) {
            choose_repair(share);
        } else {
            choose_base();
            m_base.probability *= 1 - share;
            choose_operator();
        }
        add_shown_programs(m_state, m_strategies.memory, m_strategies.seed,
                           m_strategies.find(m_issued.operator_name)->shows(), m_issued);
        return std::optional(std::move(m_issued));
    }

  private:
    // While no model answers, all but some tickets, which see whether that is over, go to operators
    // that ask none, as far as these can do anything.
    static bool models_rest(const CampaignState& state, std::uint64_t ticket) {
        return state.unanswered_in_row() >= k_unanswered && ticket % k_try_again_every != 0;
    }
    [[nodiscard]] bool rests(const Operator& op) const { return m_models_rest && op.asks_model(); }

    [[nodiscard]] CounterRng rng(RngPurpose purpose, std::uint32_t stream = 0) const {
        return CounterRng(m_strategies.seed, purpose, m_ticket, stream);
    }

    // Islands on which no operator can do anything are passed over: the others can go on.
    Expected<bool> choose_island(CandidateStore& candidates) {
        std::map<std::uint64_t, std::vector<std::uint32_t>> by_tickets;
        for (std::uint32_t i = 0; i < m_state.islands().size(); ++i) {
            by_tickets[m_state.islands()[i].turns()].push_back(i);
        }
        for (const auto& [tickets, islands] : by_tickets) {
            std::vector<std::uint32_t> able;
            for (const std::uint32_t island : islands) {
                ATOLL_TRY(enter(island, candidates));
                if (!m_usable.empty() || !m_wrong.empty()) {
                    able.push_back(island);
                }
            }
            if (!able.empty()) {
                m_issued.island = able[rng(RngPurpose::island).below(able.size())];
                m_issued.island_probability = 1.0 / static_cast<double>(able.size());
                ATOLL_TRY(enter(m_issued.island, candidates));
                return true;
            }
        }
        return false;
    }

    // Fills in the island's members and which of them can be a base.
    Status enter(std::uint32_t island, CandidateStore& candidates) {
        m_members.clear();
        m_founders.clear();
        m_usable.clear();
        m_entries = m_state.islands()[island].archive.entries();
        for (const ArchiveEntry& entry : m_entries) {
            const Individual* individual = m_state.find(entry.id);
            if (individual == nullptr) {
                return failure(ErrorCode::internal, "an archive names an unknown individual",
                               entry.id.text());
            }
            ATOLL_TRY_ASSIGN(auto view, candidates.view(*individual));
            m_members.push_back(std::move(view));
            m_founders.push_back(individual->parents.empty());
        }
        for (std::size_t member = 0; member < m_members.size(); ++member) {
            if (usable_as_base(member)) {
                m_usable.push_back(member);
            }
        }
        return enter_wrong(island, candidates);
    }

    // Fills in the wrong individuals that some operator can mend.
    Status enter_wrong(std::uint32_t island, CandidateStore& candidates) {
        m_wrong.clear();
        if (mending_weight() <= 0) {
            return {};
        }
        for (const IndividualId id : m_state.islands()[island].wrong) {
            const Individual* individual = m_state.find(id);
            if (individual == nullptr) {
                return failure(ErrorCode::internal, "an island names an unknown individual",
                               id.text());
            }
            ATOLL_TRY_ASSIGN(auto view, candidates.view(*individual));
            const auto& operators = m_strategies.operators;
            if (std::any_of(operators.begin(), operators.end(),
                            [&](const auto& o) { return mends(o.op, *view); })) {
                m_wrong.push_back(std::move(view));
            }
        }
        return {};
    }

    [[nodiscard]] bool mends(const Operator& op, const ParentView& wrong) const {
        return op.mends_wrong() && !rests(op) && op.applicable(*m_task, wrong, nullptr);
    }

    [[nodiscard]] double mending_weight() const {
        double weight = 0;
        for (const auto& [op, w] : m_strategies.operators) {
            weight += op.mends_wrong() ? w : 0;
        }
        return weight;
    }

    // Of the tickets of an island that has something to repair.
    [[nodiscard]] double repair_share() const {
        if (m_wrong.empty() || m_usable.empty()) {
            return m_wrong.empty() ? 0 : 1;
        }
        double all = 0;
        for (const auto& [op, weight] : m_strategies.operators) {
            all += weight;
        }
        return mending_weight() / all;
    }

    void choose_repair(double share) {
        const std::size_t at = rng(RngPurpose::parent, 2).below(m_wrong.size());
        const ParentView& wrong = *m_wrong[at];
        std::vector<const Operator*> menders;
        std::vector<double> weights;
        double all = 0;
        for (const auto& [op, weight] : m_strategies.operators) {
            if (mends(op, wrong)) {
                menders.push_back(&op);
                weights.push_back(weight);
                all += weight;
            }
        }
        const std::size_t chosen = rng(RngPurpose::operator_choice).weighted(weights);
        m_issued.operator_name = menders[chosen]->name();
        m_issued.operator_probability = weights[chosen] / all;
        if (menders[chosen]->asks_model()) {
            choose_model();
        }
        m_issued.parents.push_back(
            {wrong.id, ParentRole::base, share / static_cast<double>(m_wrong.size())});
    }

    [[nodiscard]] bool applicable(const Operator& op, std::size_t base) const {
        return op.arity() == 1 && !op.mends_wrong() && !rests(op) &&
               op.applicable(*m_task, *m_members[base], nullptr);
    }

    [[nodiscard]] bool applicable(const Operator& op, std::size_t base, std::size_t partner) const {
        return op.arity() == 2 && !op.mends_wrong() && !rests(op) && base != partner &&
               op.applicable(*m_task, *m_members[base], m_members[partner].get());
    }

    [[nodiscard]] bool usable_as_base(std::size_t base) const {
        const auto& operators = m_strategies.operators;
        if (std::any_of(operators.begin(), operators.end(),
                        [&](const auto& o) { return applicable(o.op, base); })) {
            return true;
        }
        return std::any_of(operators.begin(), operators.end(), [&](const auto& o) {
            for (std::size_t partner = 0; partner < m_members.size(); ++partner) {
                if (applicable(o.op, base, partner)) {
                    return true;
                }
            }
            return false;
        });
    }

    [[nodiscard]] std::vector<std::size_t> partners_for(const Operator& op) const {
        std::vector<std::size_t> partners;
        for (std::size_t member = 0; member < m_members.size(); ++member) {
            if (applicable(op, m_base.index, member)) {
                partners.push_back(member);
            }
        }
        return partners;
    }

    [[nodiscard]] std::vector<SelectorEntry> entries_of(
        const std::vector<std::size_t>& among) const {
        std::vector<SelectorEntry> entries;
        for (const std::size_t member : among) {
            const ParentView& view = *m_members[member];
            entries.push_back({view.fitness, m_state.children_of(view.id),
                               m_state.visits_of(view.id), view.candidate.source.size(),
                               m_entries[member].measures, m_state.curiosity_of(view.id)});
            entries.back().founder = m_founders[member];
        }
        if (m_state.settings().tree) {
            add_tree(among, entries);
        }
        return entries;
    }

    void add_tree(const std::vector<std::size_t>& among,
                  std::vector<SelectorEntry>& entries) const {
        std::unordered_map<std::uint64_t, std::size_t> places;
        for (std::size_t i = 0; i < among.size(); ++i) {
            places.emplace(m_members[among[i]]->id.value, i);
        }
        for (std::size_t i = 0; i < among.size(); ++i) {
            const IndividualId id = m_members[among[i]]->id;
            if (const SearchTree::Node* node = m_state.tree().find(id)) {
                const auto parent = places.find(node->parent.value);
                const bool root = parent == places.end() || node->parent == id;
                entries[i].tree = {root ? k_no_parent : parent->second,
                                   node->visits,
                                   node->expansions,
                                   node->small_steps,
                                   node->reward_sum,
                                   node->reward_max};
            }
        }
    }

    /// Among the members at these places; gives the place in `among`.
    [[nodiscard]] Selection select(const std::vector<SelectorEntry>& entries, std::uint32_t stream,
                                   double exploring = 0) const {
        CounterRng draw = rng(RngPurpose::parent, stream);
        return m_strategies.selector.select(
            entries, draw, {m_state.islands()[m_issued.island].programs, exploring});
    }

    void choose_base() {
        const std::vector<SelectorEntry> entries = entries_of(m_usable);
        m_base = select(entries, 0,
                        exploring_share(m_state.islands()[m_issued.island], m_state.heat(),
                                        m_strategies.intensity));
        if (const auto large = m_strategies.selector.large_step(entries[m_base.index])) {
            const bool is_large = rng(RngPurpose::step_size).uniform() < *large;
            m_issued.step = is_large ? StepSize::large : StepSize::small;
            m_issued.step_probability = is_large ? *large : 1 - *large;
        }
        m_base.index = m_usable[m_base.index];
    }

    void choose_operator() {
        struct Choice {
            const Operator* op;
            std::vector<std::size_t> partners;
        };
        std::vector<Choice> choices;
        std::vector<Arm> arms;
        for (const auto& [op, weight] : m_strategies.operators) {
            std::vector<std::size_t> partners = partners_for(op);
            if (!partners.empty() || applicable(op, m_base.index)) {
                const auto stats = m_state.operators().find(op.name());
                arms.push_back(
                    {stats == m_state.operators().end() ? ArmStats() : stats->second, weight});
                choices.push_back({&op, std::move(partners)});
            }
        }
        const std::vector<double> p = m_strategies.bandit.probabilities(arms);
        const std::size_t chosen = rng(RngPurpose::operator_choice).weighted(p);
        if (choices[chosen].op->asks_model()) {
            choose_model();
            choose_strategy();
        }
        m_issued.operator_name = choices[chosen].op->name();
        m_issued.operator_probability = p[chosen];
        m_issued.parents.push_back(
            {m_members[m_base.index]->id, ParentRole::base, m_base.probability});
        if (choices[chosen].op->arity() > 1) {
            const std::vector<std::size_t>& partners = choices[chosen].partners;
            const Selection partner = select(entries_of(partners), 1);
            m_issued.parents.push_back(
                {m_members[partners[partner.index]]->id, ParentRole::partner, partner.probability});
        }
        if (choices[chosen].op->asks_model()) {
            if (m_issued.step == StepSize::large) {
                show_what_is_above();
            }
        }
    }

    // Of the island's members only: what left it is of no use to it any more.
    void show_what_is_above() {
        std::set<IndividualId> others;
        for (const auto& member : m_members) {
            others.insert(member->id);
        }
        for (const Parent& parent : m_issued.parents) {
            others.erase(parent.id);
        }
        for (const IndividualId id : best_above(m_strategies.shown_above)) {
            if (others.erase(id) > 0) {
                m_issued.parents.push_back({id, ParentRole::inspiration, 1});
            }
        }
    }

    // AdaExplore's pool: the way up from the base, the fittest of each part that small steps made.
    [[nodiscard]] std::vector<IndividualId> best_above(std::size_t most) const {
        std::vector<IndividualId> best;
        const SearchTree& tree = m_state.tree();
        const SearchTree::Node* node = tree.find(m_members[m_base.index]->id);
        while (node != nullptr && best.size() < most) {
            const IndividualId id = node->head;
            const SearchTree::Node* head = tree.find(id);
            if (head == nullptr) {
                break;
            }
            best.push_back(head->best);
            node = head->parent == id ? nullptr : tree.find(head->parent);
        }
        return best;
    }

    void choose_model() {
        std::tie(m_issued.model, m_issued.model_probability) =
            choose(m_strategies.models, m_state.model_arms(), m_strategies.model_bandit,
                   RngPurpose::model_choice);
    }

    void choose_strategy() {
        std::tie(m_issued.strategy, m_issued.strategy_probability) =
            choose(m_strategies.strategies, m_state.strategy_arms(), m_strategies.strategy_bandit,
                   RngPurpose::strategy_choice);
    }

    /// An empty name where there is nothing to choose from.
    [[nodiscard]] std::pair<std::string, double> choose(
        const std::vector<Strategies::Choice>& choices, const ArmTable& table, const Bandit& bandit,
        RngPurpose purpose) const {
        if (choices.empty()) {
            return {"", 1.0};
        }
        std::vector<Arm> arms;
        for (const Strategies::Choice& choice : choices) {
            const auto stats = table.find(choice.name);
            arms.push_back({stats == table.end() ? ArmStats() : stats->second, choice.weight});
        }
        const std::vector<double> p = bandit.probabilities(arms);
        const std::size_t chosen = rng(purpose).weighted(p);
        return {choices[chosen].name, p[chosen]};
    }

    const CampaignState& m_state;
    const Strategies& m_strategies;
    const TaskPtr& m_task;
    std::uint64_t m_ticket;
    bool m_models_rest;
    TicketIssued m_issued;
    std::vector<std::shared_ptr<const ParentView>> m_members;  ///< of the island
    std::span<const ArchiveEntry> m_entries;                   ///< the same, in its archive
    std::vector<bool> m_founders;                              ///< of them: has no parents
    std::vector<std::size_t> m_usable;                         ///< those of them that can be a base
    std::vector<std::shared_ptr<const ParentView>> m_wrong;    ///< of the island, to be repaired
    Selection m_base;
};

}  // namespace

Strategies::Strategies(const CampaignConfig& config, const OperatorRegistry& registry)
    : seed(static_cast<std::uint64_t>(config.campaign.seed)),
      models_rest(config.asking.when_down == "continue"),
      selector(make_selector(config.selector)),
      shown_above(static_cast<std::size_t>(config.selector.above)),
      bandit(make_bandit(config.mix)),
      memory(config.memory),
      model_bandit(make_bandit(config.model_choice)),
      strategy_bandit(make_bandit(config.strategy_choice)),
      intensity(config.intensity.policy) {
    for (const auto& [name, weight] : operator_weights(config, registry.names())) {
        operators.push_back({registry.make(name, config.operators), weight});
    }
    for (const auto& [name, weight] : model_weights(config)) {
        models.push_back({name, weight});
    }
    for (const StrategySettings& strategy : config.strategies) {
        strategies.push_back({strategy.name, strategy.weight, strategy.text});
    }
}

std::string Strategies::strategy_text(const std::string& name) const {
    const auto found = std::find_if(strategies.begin(), strategies.end(),
                                    [&name](const Choice& choice) { return choice.name == name; });
    return found == strategies.end() ? "" : found->text;
}

bool Strategies::tells_memory() const {
    return std::any_of(operators.begin(), operators.end(),
                       [](const WeightedOperator& one) { return one.op.shows().memory; });
}

const Operator* Strategies::find(const std::string& name) const {
    for (const WeightedOperator& candidate : operators) {
        if (candidate.op.name() == name) {
            return &candidate.op;
        }
    }
    return nullptr;
}

Expected<std::optional<TicketIssued>> decide_ticket(const CampaignState& state,
                                                    const Strategies& strategies,
                                                    const TaskPtr& task, CandidateStore& candidates,
                                                    std::uint64_t ticket) {
    return TicketDecision(state, strategies, task, ticket).decide(candidates);
}

std::vector<StarterPlace> place_starters(const IslandSettings& settings, std::size_t starters) {
    const auto islands = static_cast<std::size_t>(settings.count);
    std::vector<StarterPlace> places;
    if (settings.starters == "all") {
        for (std::size_t island = 0; island < islands; ++island) {
            for (std::size_t starter = 0; starter < starters; ++starter) {
                places.push_back({static_cast<std::uint32_t>(island), starter});
            }
        }
        return places;
    }
    const std::size_t used = settings.starters == "first" ? 1 : starters;
    for (std::size_t i = 0; i < std::max(used, islands); ++i) {
        places.push_back({static_cast<std::uint32_t>(i % islands), i % used});
    }
    return places;
}

}  // namespace atl
