#include "population/campaign_state.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

namespace atl {

namespace {

tl::unexpected<Error> cannot_follow(std::string what) {
    return failure(ErrorCode::corrupt, std::move(what), {},
                   "the events of this run contradict each other: restore the journal from a copy");
}

bool is_probability(double value) {
    return value > 0 && value <= 1;
}

bool is_amount(double value) {
    return value >= 0 && std::isfinite(value);
}

constexpr double k_most_heat = 1e6;
constexpr double k_most_gain = 1e300;  // a best that rose from next to nothing must stay a number

std::string ticket_text(std::uint64_t ticket) {
    return "ticket " + std::to_string(ticket);
}

std::size_t id_hash(IndividualId id) {
    return id.value;
}

std::size_t key_hash(const Digest& key) {
    return std::hash<Digest>()(key);
}

}  // namespace

/// Each event has a check, which changes nothing, and a change, which cannot fail.
struct CampaignState::Rules {
    CampaignState& state;

    [[nodiscard]] bool is_island(std::uint32_t island) const {
        return island < state.m_islands.size();
    }

    [[nodiscard]] Status in_flight(std::uint64_t ticket) const {
        if (!state.m_in_flight.contains(ticket)) {
            return cannot_follow(ticket_text(ticket) + " is not in flight");
        }
        return {};
    }

    [[nodiscard]] Status committed(IndividualId id) const {
        if (state.find(id) == nullptr) {
            return cannot_follow("individual " + id.text() + " is not committed");
        }
        return {};
    }

    Status check(const CampaignStarted&) const {
        return state.m_started ? Status(cannot_follow("a second campaign start")) : Status();
    }
    void change(const CampaignStarted& event) { state.m_started = event; }

    Status check(const SessionOpened& event) const {
        if (event.session != state.m_sessions) {
            return cannot_follow("session " + std::to_string(event.session) + " follows " +
                                 std::to_string(state.m_sessions) + " sessions");
        }
        if (event.limits.max_evaluations < -1 ||
            !(event.limits.seconds >= 0 || event.limits.seconds == -1)) {
            return cannot_follow("session " + std::to_string(event.session) +
                                 " has impossible limits");
        }
        return {};
    }
    void change(const SessionOpened& event) {
        ++state.m_sessions;
        state.m_limits.max_evaluations = event.limits.max_evaluations >= 0
                                             ? event.limits.max_evaluations
                                             : state.m_limits.max_evaluations;
        state.m_limits.seconds =
            event.limits.seconds >= 0 ? event.limits.seconds : state.m_limits.seconds;
        state.m_stopped.reset();
        state.m_faults_in_row = 0;  // whatever was broken, somebody started again
        state.m_unanswered_in_row = 0;
    }

    Status check(const TicketIssued& event) const {
        if (event.ticket != state.m_next_ticket) {
            return cannot_follow(ticket_text(event.ticket) + " is issued where ticket " +
                                 std::to_string(state.m_next_ticket) + " is next");
        }
        if (event.ticket >> (64 - IndividualId::k_step_bits) != 0) {
            return cannot_follow("there are too many tickets");
        }
        if (!is_island(event.island)) {
            return cannot_follow(ticket_text(event.ticket) + " is on island " +
                                 std::to_string(event.island) + ", which does not exist");
        }
        if (!is_probability(event.island_probability) ||
            !is_probability(event.operator_probability) ||
            !is_probability(event.model_probability) ||
            !is_probability(event.strategy_probability) ||
            !is_probability(event.step_probability) || event.commits_seen > state.m_commits) {
            return cannot_follow(ticket_text(event.ticket) + " has impossible numbers");
        }
        for (const Parent& parent : event.parents) {
            ATOLL_TRY(committed(parent.id));
            if (!is_probability(parent.probability)) {
                return cannot_follow(ticket_text(event.ticket) + " has impossible numbers");
            }
        }
        return {};
    }
    void change(const TicketIssued& event) {
        state.m_in_flight.emplace(event.ticket, TicketInFlight{event, {}, {}});
        ++state.m_next_ticket;
        if (const Parent* base = base_of(event.parents)) {
            ++state.m_visits[base->id.value];
            state.m_tree.issue(base->id, event.step);
            std::erase(state.m_islands[event.island].wrong, base->id);
        }
        ++state.m_islands[event.island].issued;
        for_each_arm(event,
                     [](ArmTable& arms, const std::string& name, double) { ++arms[name].issued; });
        see(event.at_ns);
    }

    /// The next step of a ticket in flight, whatever became of it.
    [[nodiscard]] Status follows_its_ticket(const Individual& individual) const {
        const std::uint64_t ticket = individual.id.ticket();
        ATOLL_TRY(in_flight(ticket));
        const TicketInFlight& flight = state.m_in_flight.at(ticket);
        const auto pending = [&flight](IndividualId id) {
            return std::any_of(flight.pending.begin(), flight.pending.end(),
                               [id](const Individual& p) { return p.id == id; });
        };
        const auto turned_down = [&flight](IndividualId id) {
            return std::any_of(flight.turned_down.begin(), flight.turned_down.end(),
                               [id](const TurnedDown& t) { return t.proposal.id == id; });
        };
        const std::string name = "individual " + individual.id.text();
        if (pending(individual.id) || turned_down(individual.id)) {
            return cannot_follow(name + " is evaluated or turned down twice");
        }
        if (individual.island != flight.issued.island) {
            return cannot_follow(name + " is not on the island of its ticket");
        }
        for (const Parent& parent : individual.parents) {
            if (!pending(parent.id)) {
                ATOLL_TRY(committed(parent.id));
            }
        }
        return {};
    }

    Status check(const Evaluated& event) const {
        const Individual& individual = event.individual;
        ATOLL_TRY(follows_its_ticket(individual));
        const std::string name = "individual " + individual.id.text();
        if (!is_amount(individual.fitness) || !is_amount(individual.time_ns) ||
            !is_amount(individual.predicted_gain) ||
            (individual.fitness > 0 && !is_correct(individual.outcome))) {
            return cannot_follow(name + " has impossible numbers");
        }
        const std::size_t measures = individual.fitness > 0 ? state.m_measures : 0;
        if (individual.measures.size() != measures) {
            return cannot_follow(name + " has not the measures that its archive looks at");
        }
        return check_sameness(individual);
    }
    [[nodiscard]] Status check_sameness(const Individual& individual) const {
        if (individual.same_by == SameBy::key) {
            return {};
        }
        const Individual* first = state.find(individual.same_as);
        const bool possible =
            individual.duplicate && first != nullptr && !first->duplicate &&
            first->outcome == individual.outcome && first->binary == individual.binary &&
            !(individual.same_by == SameBy::binary && individual.binary.is_zero());
        return possible ? Status()
                        : Status(cannot_follow("individual " + individual.id.text() +
                                               " cannot be a duplicate by " +
                                               to_string(individual.same_by)));
    }
    void change(const Evaluated& event) {
        std::vector<Individual>& pending =
            state.m_in_flight.at(event.individual.id.ticket()).pending;
        const auto at = std::upper_bound(pending.begin(), pending.end(), event.individual,
                                         [](const auto& a, const auto& b) { return a.id < b.id; });
        pending.insert(at, event.individual);
        see(event.individual.done_ns);
    }

    Status check(const TurnedDown& event) const {
        const Individual& proposal = event.proposal;
        ATOLL_TRY(follows_its_ticket(proposal));
        const bool measured = proposal.fitness != 0 || proposal.time_ns != 0 ||
                              proposal.duplicate || !proposal.verdict.is_zero() ||
                              !proposal.measures.empty();
        const Individual* similar = state.find(event.similar);
        const bool resembles = event.why == TurnedDownFor::similarity;
        if (measured || similar == nullptr || (resembles && similar->fitness <= 0) ||
            !(event.similarity >= 0 && event.similarity <= 1)) {
            return cannot_follow("proposal " + proposal.id.text() +
                                 " cannot have been turned down like that");
        }
        return {};
    }
    void change(const TurnedDown& event) {
        std::vector<TurnedDown>& all = state.m_in_flight.at(event.proposal.id.ticket()).turned_down;
        const auto at = std::upper_bound(
            all.begin(), all.end(), event,
            [](const auto& a, const auto& b) { return a.proposal.id < b.proposal.id; });
        all.insert(at, event);
        see(event.proposal.done_ns);
    }

    Status check(const TicketFailed& event) const { return in_flight(event.ticket); }
    void change(const TicketFailed& event) {
        const TicketInFlight flight = std::move(state.m_in_flight.at(event.ticket));
        for (const Individual& individual : flight.pending) {
            count(individual);
        }
        state.m_turned_down += flight.turned_down.size();
        state.m_in_flight.erase(event.ticket);
        ++state.m_failed_tickets;
        pay(flight);
        if (!event.fault) {
            reward(flight, 0);
            pay_tree(flight);
        } else {
            roll_back_visit(flight.issued);
            if (const Parent* base = base_of(flight.issued.parents)) {
                state.m_tree.roll_back(base->id, flight.issued.step);
            }
        }
        if (event.fault && !flight.exchanges.empty() && flight.exchanges.back().reply.is_zero()) {
            ++state.m_unanswered_in_row;  // says nothing of whether evaluations go well
            rest(flight.issued.model);
            return;
        }
        state.m_fruitless_in_row = event.fault ? 0 : state.m_fruitless_in_row + 1;
        state.m_faults_in_row = event.fault ? state.m_faults_in_row + 1 : 0;
    }

    Status check(const TicketCommitted& event) const {
        ATOLL_TRY(in_flight(event.ticket));
        if (state.m_in_flight.at(event.ticket).pending.empty()) {
            return cannot_follow(ticket_text(event.ticket) + " is committed without an evaluation");
        }
        if (!std::isfinite(event.reward) || !is_amount(event.compile_seconds) ||
            !is_amount(event.device_seconds)) {
            return cannot_follow(ticket_text(event.ticket) + " has impossible numbers");
        }
        return {};
    }
    void change(const TicketCommitted& event) {
        TicketInFlight flight = std::move(state.m_in_flight.at(event.ticket));
        state.m_in_flight.erase(event.ticket);
        const std::uint64_t staleness = state.m_commits - flight.issued.commits_seen;
        ++state.m_commits;
        state.m_recent_migrations.clear();
        IslandState& island = state.m_islands[flight.issued.island];
        ++island.committed;
        const double before = best_fitness(island);
        const bool nothing_right =
            std::none_of(flight.pending.begin(), flight.pending.end(),
                         [](const Individual& child) { return child.fitness > 0; });
        if (nothing_right) {
            roll_back_visit(flight.issued);
            keep_wrong(flight);
        }
        state.m_turned_down += flight.turned_down.size();
        pay(flight);
        for_each_arm(flight.issued, [](ArmTable& arms, const std::string& name, double) {
            ++arms[name].committed;
        });
        reward(flight, event.reward);
        pay_tree(flight);
        for (Individual& individual : flight.pending) {
            individual.staleness = staleness;
            count(individual);
            commit(std::move(individual), flight.issued);
        }
        const double risen = best_fitness(island) - before;
        const double gain = before > 0 ? std::max(risen, 0.0) / before : 0;
        const double decay = state.m_settings.gain_decay;
        island.gain = std::min(decay * island.gain + (1 - decay) * gain * gain, k_most_gain);
        state.m_fruitless_in_row = 0;
        state.m_faults_in_row = 0;
        state.m_compile_seconds += event.compile_seconds;
        state.m_device_seconds += event.device_seconds;
        see(event.at_ns);
    }

    Status check(const Migrated& event) const {
        ATOLL_TRY(committed(event.individual));
        if (!is_island(event.from) || !is_island(event.to) || event.from == event.to ||
            !is_probability(event.probability) || event.after_commit > state.m_commits ||
            state.find(event.individual)->fitness <= 0) {
            return cannot_follow("the migration of individual " + event.individual.text() +
                                 " from island " + std::to_string(event.from) + " to " +
                                 std::to_string(event.to) + " is impossible");
        }
        return {};
    }
    void change(const Migrated& event) {
        ++state.m_migrations;
        state.m_recent_migrations.push_back(event);
        offer(*state.find(event.individual), event.to);
    }

    Status check(const IslandsReset& event) const {
        std::set<std::uint32_t> emptied;
        for (const IslandsReset::Founding& founding : event.foundings) {
            if (!is_island(founding.island) || !emptied.insert(founding.island).second) {
                return cannot_follow("a reset of impossible islands");
            }
        }
        for (const IslandsReset::Founding& founding : event.foundings) {
            if (!is_island(founding.from) || emptied.contains(founding.from) ||
                !is_probability(founding.probability) ||
                !is_member(founding.founder, founding.from)) {
                return cannot_follow("the founding of island " + std::to_string(founding.island) +
                                     " is impossible");
            }
        }
        if (event.foundings.empty() || event.after_commit != state.m_commits ||
            state.m_last_reset_commit == state.m_commits || state.was_spawned_now() ||
            state.was_watched_now()) {
            return cannot_follow("a reset that no commit leads to");
        }
        return {};
    }
    void change(const IslandsReset& event) {
        for (const IslandsReset::Founding& founding : event.foundings) {
            IslandState& island = state.m_islands[founding.island];
            island.archive = make_archive(state.m_settings.archive);
            island.archive.add(entry_of(*state.find(founding.founder)));
            island.reset_commit = state.m_commits;
            island.programs = 1;
            island.wrong.clear();
        }
        ++state.m_resets;
        state.m_last_reset_commit = state.m_commits;
    }

    Status check(const IslandSpawned& event) const {
        ATOLL_TRY(committed(event.founder));
        if (event.island != state.m_islands.size() || event.island >= k_max_islands ||
            !is_probability(event.probability) || state.find(event.founder)->fitness <= 0) {
            return cannot_follow("the founding of island " + std::to_string(event.island) +
                                 " is impossible");
        }
        if (event.after_commit != state.m_commits || state.was_spawned_now() ||
            state.was_watched_now()) {
            return cannot_follow("an island that no commit leads to");
        }
        return {};
    }
    void change(const IslandSpawned& event) {
        IslandState island{make_archive(state.m_settings.archive)};
        island.head_start = std::min_element(state.m_islands.begin(), state.m_islands.end(),
                                             [](const IslandState& a, const IslandState& b) {
                                                 return a.turns() < b.turns();
                                             })
                                ->turns();
        island.last_improved_commit = state.m_commits;
        island.programs = 1;
        island.archive.add(entry_of(*state.find(event.founder)));
        state.m_islands.push_back(std::move(island));
        state.m_last_spawn_commit = state.m_commits;
    }

    Status check(const ProgressWatched& event) const {
        if (!is_amount(event.fitness) || !(event.diversity >= 0 && event.diversity <= 1) ||
            !(event.heat >= 1 && event.heat <= k_most_heat)) {
            return cannot_follow("a look at progress has impossible numbers");
        }
        if (event.after_commit != state.m_commits || state.m_commits == 0 ||
            state.was_watched_now()) {
            return cannot_follow("a look at progress that no commit leads to");
        }
        return {};
    }
    void change(const ProgressWatched& event) { state.m_watched = event; }

    [[nodiscard]] ArchiveEntry entry_of(const Individual& individual) const {
        ArchiveEntry entry = archive_entry(individual);
        entry.key = state.program_of(individual);
        return entry;
    }

    static double best_fitness(const IslandState& island) {
        const ArchiveEntry* best = island.archive.best();
        return best == nullptr ? 0 : best->fitness;
    }

    [[nodiscard]] bool is_member(IndividualId id, std::uint32_t island) const {
        const auto entries = state.m_islands[island].archive.entries();
        return std::any_of(entries.begin(), entries.end(),
                           [id](const ArchiveEntry& entry) { return entry.id == id; });
    }

    Status check(const Confirmed& event) const {
        ATOLL_TRY(committed(event.individual));
        if (!is_amount(event.fitness) || !is_amount(event.rival_fitness)) {
            return cannot_follow("the confirmation of individual " + event.individual.text() +
                                 " has impossible numbers");
        }
        return event.rival_fitness > 0 ? committed(event.rival) : Status();
    }
    void change(const Confirmed& event) {
        state.m_confirmations[event.individual] = event;
        if (event.accepted) {
            state.m_confirmed = event;
        } else if (state.m_confirmed && state.m_confirmed->individual == event.individual) {
            state.m_confirmed = latest_that_stands();
        }
        see(event.at_ns);
    }

    [[nodiscard]] std::optional<Confirmed> latest_that_stands() const {
        std::optional<Confirmed> latest;
        for (const auto& [id, confirmed] : state.m_confirmations) {
            if (confirmed.accepted && (!latest || confirmed.at_ns > latest->at_ns)) {
                latest = confirmed;
            }
        }
        return latest;
    }

    Status check(const LogOpened&) const { return cannot_follow("this is no reward server's log"); }
    void change(const LogOpened&) {}
    Status check(const RolloutRecorded&) const {
        return cannot_follow("this is no reward server's log");
    }
    void change(const RolloutRecorded&) {}

    Status check(const ModelExchanged& event) const {
        return event.ticket == ModelExchanged::k_no_ticket ? Status() : in_flight(event.ticket);
    }
    void change(const ModelExchanged& event) {
        ModelStats& stats = state.m_exchanged[event.model];
        ++stats.calls;
        const bool failed = event.reply.is_zero();
        stats.failed += failed ? 1 : 0;
        stats.failed_in_row = failed ? stats.failed_in_row + 1 : 0;
        if (!failed) {
            state.m_unanswered_in_row = 0;
            count_usage(event, stats);
        }
        if (event.ticket != ModelExchanged::k_no_ticket) {
            state.m_in_flight.at(event.ticket).exchanges.push_back(event);
        }
        see(event.at_ns);
    }

    static void count_usage(const ModelExchanged& event, ModelStats& stats) {
        if (event.prompt_tokens < 0 || event.completion_tokens < 0) {
            ++stats.without_usage;
            return;
        }
        stats.prompt_tokens += event.prompt_tokens;
        stats.cached_tokens += std::max<std::int64_t>(event.cached_tokens, 0);
        stats.completion_tokens += event.completion_tokens;
        stats.without_price += event.nano_dollars < 0 ? 1 : 0;
        stats.nano_dollars += std::max<std::int64_t>(event.nano_dollars, 0);
    }

    Status check(const InsightNoted& event) const {
        const bool later =
            state.m_insights.empty() || event.after_commit > state.m_insights.back().after_commit;
        if (!later || event.after_commit == 0 || event.after_commit > state.m_commits) {
            return cannot_follow("an insight after commit " + std::to_string(event.after_commit));
        }
        return {};
    }
    void change(const InsightNoted& event) {
        std::vector<InsightNoted>& kept = state.m_insights;
        if (kept.size() == k_kept_insights) {
            kept.erase(kept.begin());
        }
        kept.push_back(event);
        see(event.at_ns);
    }

    Status check(const CampaignStopped&) const { return {}; }
    void change(const CampaignStopped& event) {
        state.m_stopped = event;
        see(event.at_ns);
    }

    static const Parent* base_of(const std::vector<Parent>& parents) {
        const auto found = std::find_if(parents.begin(), parents.end(), [](const Parent& parent) {
            return parent.role == ParentRole::base;
        });
        return found == parents.end() ? nullptr : &*found;
    }

    /// Tells the tree what its ticket brought, at best.
    void pay_tree(const TicketInFlight& flight) {
        double reward = 0;
        for (const Individual& child : flight.pending) {
            reward = std::max(reward, tree_reward(child));
        }
        if (const Parent* base = base_of(flight.issued.parents)) {
            state.m_tree.end(base->id, reward);
        }
    }

    void roll_back_visit(const TicketIssued& issued) {
        const Parent* base = base_of(issued.parents);
        const auto visits =
            base == nullptr ? state.m_visits.end() : state.m_visits.find(base->id.value);
        if (visits != state.m_visits.end() && --visits->second == 0) {
            state.m_visits.erase(visits);
        }
    }

    // Tune values that did not work are no matter for a repair, nor is what was answered before.
    void keep_wrong(const TicketInFlight& flight) {
        const Parent* base = base_of(flight.issued.parents);
        const Individual* parent = base == nullptr ? nullptr : state.find(base->id);
        const auto last = std::find_if(
            flight.pending.rbegin(), flight.pending.rend(), [parent](const Individual& child) {
                return !is_correct(child.outcome) && child.outcome != Outcome::evaluator_failed &&
                       !child.duplicate && parent != nullptr && child.source != parent->source;
            });
        if (last == flight.pending.rend()) {
            return;
        }
        std::vector<IndividualId>& wrong = state.m_islands[flight.issued.island].wrong;
        wrong.push_back(last->id);
        if (wrong.size() > k_kept_wrong) {
            wrong.erase(wrong.begin());
        }
    }

    void see(std::int64_t at_ns) { state.m_elapsed_ns = std::max(state.m_elapsed_ns, at_ns); }

    void count(const Individual& individual) {
        ++(individual.duplicate ? state.m_duplicates : state.m_evaluations);
        if (!individual.duplicate) {
            ++state.m_outcomes[static_cast<std::size_t>(individual.outcome)];
        }
    }

    void commit(Individual individual, const TicketIssued& issued) {
        const double before = state.best() == nullptr ? 0 : state.best()->fitness;
        state.index(std::move(individual));
        const Individual& added = state.m_individuals.back();
        if (added.fitness > before) {
            state.m_last_improved_commit = state.m_commits;
        }
        const IslandState& island = state.m_islands[added.island];
        const ArchiveEntry* fittest = island.archive.best();
        const bool given_up = issued.commits_seen < island.reset_commit && fittest != nullptr &&
                              fittest->fitness >= added.fitness;
        const bool entered = added.fitness > 0 && !given_up && offer(added, added.island);
        track(added, entered, issued.step);
    }

    void track(const Individual& child, bool entered, StepSize step) {
        const Parent* base = base_of(child.parents);
        if (state.m_settings.curiosity && base != nullptr) {
            state.m_curiosity[base->id.value] += entered ? 1 : -0.5;
        }
        if (state.m_settings.tree && child.fitness > 0) {
            state.m_tree.add(child, base == nullptr ? std::nullopt : std::optional(base->id), step);
        }
    }

    bool offer(const Individual& individual, std::uint32_t to) {
        IslandState& island = state.m_islands[to];
        ++island.programs;
        const double before = best_fitness(island);
        const AddResult result = island.archive.add(entry_of(individual));
        if (best_fitness(island) > before) {
            island.last_improved_commit = state.m_commits;
        }
        return result != AddResult::not_added;
    }

    /// Calls `change(table, name, decay)` for the ticket's operator, and its model and strategy
    /// where it has them.
    template <class Change>
    void for_each_arm(const TicketIssued& issued, const Change& change) {
        change(state.m_operators, issued.operator_name, state.m_settings.bandit_decay);
        if (!issued.model.empty()) {
            change(state.m_model_arms, issued.model, state.m_settings.model_decay);
        }
        if (!issued.strategy.empty()) {
            change(state.m_strategy_arms, issued.strategy, state.m_settings.strategy_decay);
        }
    }

    void reward(const TicketInFlight& flight, double reward) {
        const bool right = std::any_of(flight.pending.begin(), flight.pending.end(),
                                       [](const Individual& child) { return child.fitness > 0; });
        for_each_arm(flight.issued, [&](ArmTable& arms, const std::string& name, double decay) {
            for (auto& [other, stats] : arms) {
                stats.decayed_reward *= decay;
                stats.decayed_count *= decay;
                ++stats.rested;
            }
            ArmStats& stats = arms[name];
            stats.improved += reward > 0 ? 1 : 0;
            stats.reward_sum += reward;
            stats.decayed_reward += reward;
            stats.decayed_count += 1;
            stats.failed_in_row = right ? 0 : stats.failed_in_row + 1;
            stats.rested = 0;
        });
    }

    /// A model that gave no answer: it earned nothing and lost nothing, but others may be better
    /// off.
    void rest(const std::string& model) {
        for (auto& [name, stats] : state.m_model_arms) {
            stats.failed_in_row += name == model ? 1 : 0;
            stats.rested = name == model ? 0 : stats.rested + 1;
        }
    }

    // Only when the ticket ends: what is exchanged meanwhile must not change others' decisions.
    void pay(const TicketInFlight& flight) {
        std::uint64_t replies = 0;
        std::uint64_t nano_dollars = 0;
        for (const ModelExchanged& exchange : flight.exchanges) {
            if (exchange.reply.is_zero()) {
                continue;
            }
            if (exchange.nano_dollars < 0) {
                return;
            }
            ++replies;
            nano_dollars += static_cast<std::uint64_t>(exchange.nano_dollars);
        }
        if (replies == 0) {
            return;
        }
        for_each_arm(flight.issued, [&](ArmTable& arms, const std::string& name, double) {
            ++arms[name].priced;
            arms[name].nano_dollars += nano_dollars;
        });
    }
};

CampaignState::CampaignState(StateSettings settings)
    : m_settings(std::move(settings)), m_measures(archive_measures(m_settings.archive).size()) {
    m_islands.reserve(m_settings.islands);
    for (std::uint32_t i = 0; i < m_settings.islands; ++i) {
        m_islands.push_back(IslandState{make_archive(m_settings.archive)});
    }
}

Status CampaignState::apply(const Event& event) {
    if (!m_started && !std::holds_alternative<CampaignStarted>(event)) {
        return cannot_follow(std::string(event_name(event)) + " comes before the campaign's start");
    }
    Rules rules{*this};
    ATOLL_TRY(std::visit([&rules](const auto& e) { return rules.check(e); }, event));
    std::visit([&rules](const auto& e) { rules.change(e); }, event);
    ++m_events;
    return {};
}

void CampaignState::index(Individual individual) {
    const std::size_t at = m_individuals.size();
    const bool is_first = find_key(individual.key) == nullptr;
    std::set<IndividualId> parents;  // one individual may have two roles
    for (const Parent& parent : individual.parents) {
        if (is_made_of(parent.role) && parents.insert(parent.id).second) {
            ++m_children[parent.id.value];
        }
    }
    const Individual* fittest = best();
    const bool fitter = fittest == nullptr || individual.fitness > fittest->fitness ||
                        (individual.fitness == fittest->fitness && individual.id < fittest->id);
    if (individual.fitness > 0 && fitter) {
        m_best = at;
    }
    m_individuals.push_back(std::move(individual));
    const auto position = static_cast<std::uint32_t>(at);
    m_by_id.insert(id_hash(m_individuals.back().id), position,
                   [this](std::uint32_t i) { return id_hash(m_individuals[i].id); });
    if (is_first) {
        m_by_key.insert(key_hash(m_individuals.back().key), position,
                        [this](std::uint32_t i) { return key_hash(m_individuals[i].key); });
    } else if (!m_individuals.back().duplicate) {
        m_again[m_individuals.back().key].push_back(position);
    }
    const Individual& added = m_individuals.back();
    if (!added.duplicate && !added.binary.is_zero() && find_binary(added.binary) == nullptr) {
        m_by_binary.insert(key_hash(added.binary), position,
                           [this](std::uint32_t i) { return key_hash(m_individuals[i].binary); });
    }
}

const Individual* CampaignState::find(IndividualId id) const {
    const auto found = m_by_id.find(
        id_hash(id), [this, id](std::uint32_t i) { return m_individuals[i].id == id; });
    return found ? &m_individuals[*found] : nullptr;
}

const Individual* CampaignState::find_key(const Digest& key) const {
    const auto found = m_by_key.find(
        key_hash(key), [this, &key](std::uint32_t i) { return m_individuals[i].key == key; });
    return found ? &m_individuals[*found] : nullptr;
}

const Individual* CampaignState::find_binary(const Digest& binary) const {
    const auto found = m_by_binary.find(key_hash(binary), [this, &binary](std::uint32_t i) {
        return m_individuals[i].binary == binary;
    });
    return found ? &m_individuals[*found] : nullptr;
}

const Digest& CampaignState::program_of(const Individual& individual) const {
    if (individual.same_by != SameBy::key) {
        const Individual* first = find(individual.same_as);
        return first == nullptr ? individual.key : program_of(*first);
    }
    // Two that were in work at once were both evaluated.
    const Individual* first =
        individual.binary.is_zero() ? nullptr : find_binary(individual.binary);
    return first == nullptr ? individual.key : first->key;
}

std::span<const std::uint32_t> CampaignState::evaluated_again(const Digest& key) const {
    const auto found = m_again.find(key);
    return found == m_again.end() ? std::span<const std::uint32_t>() : found->second;
}

std::uint64_t CampaignState::children_of(IndividualId id) const {
    const auto found = m_children.find(id.value);
    return found == m_children.end() ? 0 : found->second;
}

std::uint64_t CampaignState::visits_of(IndividualId id) const {
    const auto found = m_visits.find(id.value);
    return found == m_visits.end() ? 0 : found->second;
}

double CampaignState::curiosity_of(IndividualId id) const {
    const auto found = m_curiosity.find(id.value);
    return found == m_curiosity.end() ? 0 : found->second;
}

const Individual* CampaignState::best() const {
    return m_best < m_individuals.size() ? &m_individuals[m_best] : nullptr;
}

}  // namespace atl
