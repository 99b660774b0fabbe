#include "population/campaign_state.hpp"
#include "population/event_codec.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace atl {

namespace {

constexpr std::uint8_t k_state_layout = 5;
constexpr std::uint32_t k_unlimited = ~std::uint32_t{0};  // ByteReader::count() bounds by bytes

void write_settings(ByteWriter& out, const StateSettings& settings) {
    out.u32(settings.islands);
    out.string(settings.archive.kind);
    out.i64(settings.archive.size);
    out.f64(settings.archive.crowding_distance);
    for (const auto* names : {&settings.archive.axes, &settings.archive.objectives}) {
        out.u32(static_cast<std::uint32_t>(names->size()));
        for (const std::string& name : *names) {
            out.string(name);
        }
    }
    out.f64(settings.bandit_decay);
    out.f64(settings.model_decay);
    out.f64(settings.strategy_decay);
    out.boolean(settings.tree);
    out.boolean(settings.curiosity);
    out.f64(settings.gain_decay);
}

template <class T, class Write>
void write_optional(ByteWriter& out, const std::optional<T>& value, const Write& write) {
    out.boolean(value.has_value());
    if (value) {
        write(*value);
    }
}

void write_stats(ByteWriter& out, const ArmStats& stats) {
    out.u64(stats.issued);
    out.u64(stats.committed);
    out.u64(stats.improved);
    out.f64(stats.reward_sum);
    out.f64(stats.decayed_reward);
    out.f64(stats.decayed_count);
    out.u64(stats.failed_in_row);
    out.u64(stats.rested);
    out.u64(stats.priced);
    out.u64(stats.nano_dollars);
}

ArmStats read_stats(ByteReader& in) {
    return {in.u64(), in.u64(), in.u64(), in.f64(), in.f64(),
            in.f64(), in.u64(), in.u64(), in.u64(), in.u64()};
}

void write_arms(ByteWriter& out, const ArmTable& arms) {
    out.u32(static_cast<std::uint32_t>(arms.size()));
    for (const auto& [name, stats] : arms) {
        out.string(name);
        write_stats(out, stats);
    }
}

void read_arms(ByteReader& in, ArmTable& arms) {
    const std::uint32_t size = in.count(84, k_unlimited);
    for (std::uint32_t i = 0; i < size && in.ok(); ++i) {
        std::string name = in.string();
        if (!arms.empty() && name <= arms.rbegin()->first) {
            in.fail("operators, models or strategies are not in order");
        }
        arms.emplace(std::move(name), read_stats(in));
    }
}

void write_stats(ByteWriter& out, const ModelStats& stats) {
    for (const std::uint64_t count : {stats.calls, stats.failed, stats.without_usage,
                                      stats.without_price, stats.failed_in_row}) {
        out.u64(count);
    }
    for (const std::int64_t amount :
         {stats.prompt_tokens, stats.cached_tokens, stats.completion_tokens, stats.nano_dollars}) {
        out.i64(amount);
    }
}

ModelStats read_model_stats(ByteReader& in) {
    ModelStats stats;
    for (std::uint64_t* count : {&stats.calls, &stats.failed, &stats.without_usage,
                                 &stats.without_price, &stats.failed_in_row}) {
        *count = in.u64();
    }
    for (std::int64_t* amount : {&stats.prompt_tokens, &stats.cached_tokens,
                                 &stats.completion_tokens, &stats.nano_dollars}) {
        *amount = in.i64();
    }
    return stats;
}

}  // namespace

struct CampaignState::Codec {
    static void write(ByteWriter& out, const CampaignState& state);
    static void write_visits(ByteWriter& out, const CampaignState& state);
    static void write_curiosity(ByteWriter& out, const CampaignState& state);
    static void write_islands(ByteWriter& out, const CampaignState& state);
    static void write_counters(ByteWriter& out, const CampaignState& state);
    static void read(ByteReader& in, CampaignState& state);
    static void read_individuals(ByteReader& in, CampaignState& state);
    static void read_visits(ByteReader& in, CampaignState& state);
    static void read_curiosity(ByteReader& in, CampaignState& state);
    static void read_islands(ByteReader& in, CampaignState& state);
    static void read_tickets(ByteReader& in, CampaignState& state);
    static void read_turned_down(ByteReader& in, TicketInFlight& flight);
    static void read_exchanges(ByteReader& in, TicketInFlight& flight);
    static void read_exchanged(ByteReader& in, CampaignState& state);
    static void read_confirmations(ByteReader& in, CampaignState& state);
    static void read_counters(ByteReader& in, CampaignState& state);
    static void read_insights(ByteReader& in, CampaignState& state);
};

void CampaignState::Codec::write_visits(ByteWriter& out, const CampaignState& state) {
    out.u32(static_cast<std::uint32_t>(state.m_visits.size()));
    for (const Individual& individual : state.m_individuals) {
        if (const std::uint64_t visits = state.visits_of(individual.id); visits > 0) {
            out.u64(individual.id.value);
            out.u64(visits);
        }
    }
}

void CampaignState::Codec::write_curiosity(ByteWriter& out, const CampaignState& state) {
    out.u32(static_cast<std::uint32_t>(state.m_curiosity.size()));
    for (const Individual& individual : state.m_individuals) {
        const auto found = state.m_curiosity.find(individual.id.value);
        if (found != state.m_curiosity.end()) {
            out.u64(found->first);
            out.f64(found->second);
        }
    }
}

void CampaignState::Codec::write_islands(ByteWriter& out, const CampaignState& state) {
    for (const IslandState& island : state.m_islands) {
        const auto entries = island.archive.entries();
        out.u32(static_cast<std::uint32_t>(entries.size()));
        for (const ArchiveEntry& entry : entries) {
            out.u64(entry.id.value);
        }
        out.u64(island.issued);
        out.u64(island.committed);
        out.u64(island.last_improved_commit);
        out.u64(island.reset_commit);
        out.u64(island.programs);
        out.u64(island.head_start);
        out.f64(island.gain);
        out.u32(static_cast<std::uint32_t>(island.wrong.size()));
        for (const IndividualId id : island.wrong) {
            out.u64(id.value);
        }
    }
}

void CampaignState::Codec::write_counters(ByteWriter& out, const CampaignState& state) {
    for (const std::uint64_t value :
         {state.m_next_ticket, state.m_commits, state.m_evaluations, state.m_duplicates,
          state.m_migrations, state.m_resets, state.m_last_reset_commit, state.m_last_spawn_commit,
          state.m_failed_tickets, state.m_turned_down, state.m_fruitless_in_row,
          state.m_faults_in_row, state.m_unanswered_in_row, state.m_last_improved_commit,
          state.m_events}) {
        out.u64(value);
    }
    for (const std::uint64_t value : state.m_outcomes) {
        out.u64(value);
    }
    out.f64(state.m_compile_seconds);
    out.f64(state.m_device_seconds);
    out.i64(state.m_elapsed_ns);
}

void CampaignState::Codec::write(ByteWriter& out, const CampaignState& state) {
    const auto fields = [&out](const auto& value) { write_fields(out, value); };
    write_optional(out, state.m_started, fields);
    out.u32(state.m_sessions);
    out.i64(state.m_limits.max_evaluations);
    out.f64(state.m_limits.seconds);
    out.u32(static_cast<std::uint32_t>(state.m_islands.size()));
    out.u32(static_cast<std::uint32_t>(state.m_individuals.size()));
    for (const Individual& individual : state.m_individuals) {
        write_fields(out, individual);
    }
    write_visits(out, state);
    write_curiosity(out, state);
    state.m_tree.write(out, state.m_individuals);
    write_islands(out, state);
    for (const ArmTable* arms : {&state.m_operators, &state.m_model_arms, &state.m_strategy_arms}) {
        write_arms(out, *arms);
    }
    out.u32(static_cast<std::uint32_t>(state.m_exchanged.size()));
    for (const auto& [name, stats] : state.m_exchanged) {
        out.string(name);
        write_stats(out, stats);
    }
    out.u32(static_cast<std::uint32_t>(state.m_in_flight.size()));
    for (const auto& [ticket, flight] : state.m_in_flight) {
        write_fields(out, flight.issued);
        out.u32(static_cast<std::uint32_t>(flight.pending.size()));
        for (const Individual& individual : flight.pending) {
            write_fields(out, individual);
        }
        out.u32(static_cast<std::uint32_t>(flight.turned_down.size()));
        for (const TurnedDown& turned_down : flight.turned_down) {
            write_fields(out, turned_down);
        }
        out.u32(static_cast<std::uint32_t>(flight.exchanges.size()));
        for (const ModelExchanged& exchange : flight.exchanges) {
            write_fields(out, exchange);
        }
    }
    out.u32(static_cast<std::uint32_t>(state.m_confirmations.size()));
    for (const auto& [id, confirmed] : state.m_confirmations) {
        write_fields(out, confirmed);
    }
    write_optional(out, state.m_confirmed, fields);
    write_optional(out, state.m_stopped, fields);
    out.u32(static_cast<std::uint32_t>(state.m_recent_migrations.size()));
    for (const Migrated& migrated : state.m_recent_migrations) {
        write_fields(out, migrated);
    }
    write_optional(out, state.m_watched, fields);
    write_counters(out, state);
    out.u32(static_cast<std::uint32_t>(state.m_insights.size()));
    for (const InsightNoted& insight : state.m_insights) {
        write_fields(out, insight);
    }
}

void CampaignState::Codec::read_individuals(ByteReader& in, CampaignState& state) {
    const std::uint32_t size = in.count(k_least_individual_bytes, k_unlimited);
    for (std::uint32_t i = 0; i < size && in.ok(); ++i) {
        Individual individual = read_individual(in);
        if (state.find(individual.id) != nullptr) {
            in.fail("individual " + individual.id.text() + " is there twice");
        } else if (individual.island >= state.m_islands.size() || individual.fitness < 0 ||
                   individual.predicted_gain < 0 ||
                   individual.measures.size() != (individual.fitness > 0 ? state.m_measures : 0)) {
            in.fail("individual " + individual.id.text() + " is impossible");
        }
        if (individual.same_by != SameBy::key) {
            const Individual* first = state.find(individual.same_as);
            if (!individual.duplicate || first == nullptr || first->duplicate) {
                in.fail("individual " + individual.id.text() + " is a duplicate of none");
            }
        }
        if (in.ok()) {
            state.index(std::move(individual));
        }
    }
}

void CampaignState::Codec::read_visits(ByteReader& in, CampaignState& state) {
    const std::uint32_t size = in.count(16, k_unlimited);
    for (std::uint32_t i = 0; i < size && in.ok(); ++i) {
        const IndividualId id{in.u64()};
        const std::uint64_t visits = in.u64();
        if (state.find(id) == nullptr || visits == 0 ||
            !state.m_visits.emplace(id.value, visits).second) {
            in.fail("the visits of an individual are impossible");
        }
    }
}

void CampaignState::Codec::read_curiosity(ByteReader& in, CampaignState& state) {
    const std::uint32_t size = in.count(16, k_unlimited);
    for (std::uint32_t i = 0; i < size && in.ok(); ++i) {
        const IndividualId id{in.u64()};
        if (state.find(id) == nullptr || !state.m_curiosity.emplace(id.value, in.f64()).second) {
            in.fail("the curiosity about an individual is impossible");
        }
    }
}

void CampaignState::Codec::read_islands(ByteReader& in, CampaignState& state) {
    for (IslandState& island : state.m_islands) {
        const std::uint32_t size = in.count(8, k_unlimited);
        std::vector<ArchiveEntry> entries;
        for (std::uint32_t i = 0; i < size && in.ok(); ++i) {
            const Individual* individual = state.find({in.u64()});
            if (individual == nullptr || individual->fitness <= 0) {
                in.fail("an archive holds what is no right individual");
            } else {
                entries.push_back(archive_entry(*individual));
                entries.back().key = state.program_of(*individual);
            }
        }
        if (in.ok() && !island.archive.restore(std::move(entries))) {
            in.fail("an archive holds what it cannot hold");
        }
        island.issued = in.u64();
        island.committed = in.u64();
        island.last_improved_commit = in.u64();
        island.reset_commit = in.u64();
        island.programs = in.u64();
        island.head_start = in.u64();
        island.gain = in.f64();
        if (island.gain < 0) {
            in.fail("an island has improved by less than nothing");
        }
        island.wrong.resize(in.count(8, k_kept_wrong));
        for (IndividualId& id : island.wrong) {
            id.value = in.u64();
            const Individual* individual = state.find(id);
            if (individual == nullptr || is_correct(individual->outcome)) {
                in.fail("an island would repair what is no wrong individual");
                return;
            }
        }
    }
}

void CampaignState::Codec::read_turned_down(ByteReader& in, TicketInFlight& flight) {
    const std::uint32_t size = in.count(k_least_individual_bytes + 12, k_unlimited);
    for (std::uint32_t i = 0; i < size && in.ok(); ++i) {
        flight.turned_down.push_back(atl::read_turned_down(in));
        const Individual& proposal = flight.turned_down.back().proposal;
        if (proposal.id.ticket() != flight.issued.ticket ||
            proposal.island != flight.issued.island ||
            (i > 0 && proposal.id <= flight.turned_down[i - 1].proposal.id)) {
            in.fail("what was turned down is not its ticket's");
        }
    }
}

void CampaignState::Codec::read_exchanges(ByteReader& in, TicketInFlight& flight) {
    const std::uint32_t size = in.count(k_least_exchange_bytes, k_unlimited);
    for (std::uint32_t i = 0; i < size && in.ok(); ++i) {
        flight.exchanges.push_back(read_model_exchanged(in));
        if (flight.exchanges.back().ticket != flight.issued.ticket) {
            in.fail("an exchange with a model is not its ticket's");
        }
    }
}

void CampaignState::Codec::read_exchanged(ByteReader& in, CampaignState& state) {
    const std::uint32_t size = in.count(76, k_unlimited);
    for (std::uint32_t i = 0; i < size && in.ok(); ++i) {
        std::string name = in.string();
        if (!state.m_exchanged.empty() && name <= state.m_exchanged.rbegin()->first) {
            in.fail("models are not in order");
        }
        state.m_exchanged.emplace(std::move(name), read_model_stats(in));
    }
}

void CampaignState::Codec::read_tickets(ByteReader& in, CampaignState& state) {
    const std::uint32_t size = in.count(48, k_unlimited);
    for (std::uint32_t i = 0; i < size && in.ok(); ++i) {
        TicketInFlight flight{read_ticket_issued(in), {}, {}, {}};
        const std::uint64_t ticket = flight.issued.ticket;
        if (flight.issued.island >= state.m_islands.size()) {
            in.fail("a ticket is on an island that does not exist");
        }
        const std::uint32_t pending = in.count(k_least_individual_bytes, k_unlimited);
        for (std::uint32_t j = 0; j < pending && in.ok(); ++j) {
            flight.pending.push_back(read_individual(in));
            const Individual& individual = flight.pending.back();
            if (individual.id.ticket() != ticket || individual.island != flight.issued.island ||
                (j > 0 && individual.id <= flight.pending[j - 1].id)) {
                in.fail("a pending individual is not its ticket's");
            }
        }
        read_turned_down(in, flight);
        read_exchanges(in, flight);
        if (!state.m_in_flight.empty() && ticket <= state.m_in_flight.rbegin()->first) {
            in.fail("tickets are not in order");
        }
        state.m_in_flight.emplace(ticket, std::move(flight));
    }
}

void CampaignState::Codec::read_confirmations(ByteReader& in, CampaignState& state) {
    const std::uint32_t size = in.count(74, k_unlimited);
    for (std::uint32_t i = 0; i < size && in.ok(); ++i) {
        const Confirmed confirmed = read_confirmed(in);
        const bool in_order = state.m_confirmations.empty() ||
                              state.m_confirmations.rbegin()->first < confirmed.individual;
        if (state.find(confirmed.individual) == nullptr || !in_order) {
            in.fail("a confirmation of an unknown individual, or out of order");
        }
        state.m_confirmations.emplace(confirmed.individual, confirmed);
    }
    if (in.boolean()) {
        state.m_confirmed = read_confirmed(in);
        const auto last = state.m_confirmations.find(state.m_confirmed->individual);
        if (last == state.m_confirmations.end()) {
            in.fail("the confirmed individual is unknown");
        } else if (!last->second.accepted) {
            in.fail("the confirmed individual was refuted");
        }
    }
}

void CampaignState::Codec::read_counters(ByteReader& in, CampaignState& state) {
    for (std::uint64_t* value :
         {&state.m_next_ticket, &state.m_commits, &state.m_evaluations, &state.m_duplicates,
          &state.m_migrations, &state.m_resets, &state.m_last_reset_commit,
          &state.m_last_spawn_commit, &state.m_failed_tickets, &state.m_turned_down,
          &state.m_fruitless_in_row, &state.m_faults_in_row, &state.m_unanswered_in_row,
          &state.m_last_improved_commit, &state.m_events}) {
        *value = in.u64();
    }
    for (std::uint64_t& value : state.m_outcomes) {
        value = in.u64();
    }
    state.m_compile_seconds = in.f64();
    state.m_device_seconds = in.f64();
    state.m_elapsed_ns = in.i64();
}

void CampaignState::Codec::read_insights(ByteReader& in, CampaignState& state) {
    const std::uint32_t size = in.count(80, k_kept_insights);
    for (std::uint32_t i = 0; i < size && in.ok(); ++i) {
        InsightNoted insight = read_insight_noted(in);
        if (insight.after_commit == 0 || insight.after_commit > state.m_commits ||
            (i > 0 && insight.after_commit <= state.m_insights.back().after_commit)) {
            in.fail("insights are not in order");
        }
        state.m_insights.push_back(std::move(insight));
    }
}

void CampaignState::Codec::read(ByteReader& in, CampaignState& state) {
    if (in.boolean()) {
        state.m_started = read_campaign_started(in);
    }
    state.m_sessions = in.u32();
    state.m_limits = {in.i64(), in.f64()};
    const std::uint32_t islands = in.u32();
    if (islands < state.m_settings.islands ||
        islands > std::max(k_max_islands, state.m_settings.islands)) {
        in.fail("there are " + std::to_string(islands) + " islands");
        return;
    }
    while (state.m_islands.size() < islands) {
        state.m_islands.push_back(IslandState{make_archive(state.m_settings.archive)});
    }
    read_individuals(in, state);
    read_visits(in, state);
    read_curiosity(in, state);
    state.m_tree.read(in, state.m_individuals);
    read_islands(in, state);
    for (ArmTable* arms : {&state.m_operators, &state.m_model_arms, &state.m_strategy_arms}) {
        read_arms(in, *arms);
    }
    read_exchanged(in, state);
    read_tickets(in, state);
    read_confirmations(in, state);
    if (in.boolean()) {
        state.m_stopped = read_campaign_stopped(in);
    }
    const std::uint32_t migrations = in.count(32, k_unlimited);
    for (std::uint32_t i = 0; i < migrations && in.ok(); ++i) {
        const Migrated migrated = read_migrated(in);
        if (state.find(migrated.individual) == nullptr) {
            in.fail("a migrant is unknown");
        }
        state.m_recent_migrations.push_back(migrated);
    }
    if (in.boolean()) {
        state.m_watched = read_progress_watched(in);
    }
    read_counters(in, state);
    read_insights(in, state);
    if (!state.m_in_flight.empty() && state.m_in_flight.rbegin()->first >= state.m_next_ticket) {
        in.fail("a ticket is in flight that was not issued");
    }
    for (const auto& [ticket, flight] : state.m_in_flight) {
        if (flight.issued.commits_seen > state.m_commits) {
            in.fail("a ticket has seen commits that did not happen");
        }
    }
}

std::string CampaignState::encode() const {
    ByteWriter out;
    out.u8(k_state_layout);
    write_settings(out, m_settings);
    Codec::write(out, *this);
    return out.take();
}

Expected<CampaignState> CampaignState::decode(std::string_view bytes, StateSettings settings) {
    CampaignState state(settings);
    ByteWriter wanted;
    wanted.u8(k_state_layout);
    write_settings(wanted, settings);
    if (!bytes.empty() && static_cast<std::uint8_t>(bytes.front()) > k_state_layout) {
        return failure(ErrorCode::too_new, "a state of a newer layout");
    }
    if (!bytes.empty() && static_cast<std::uint8_t>(bytes.front()) < k_state_layout) {
        return failure(ErrorCode::invalid_argument, "a state of an older layout");
    }
    if (bytes.substr(0, wanted.bytes().size()) != wanted.bytes()) {
        return failure(ErrorCode::invalid_argument, "a state of a campaign with other settings");
    }
    ByteReader in(bytes.substr(wanted.bytes().size()));
    Codec::read(in, state);
    ATOLL_TRY(in.finish());
    return state;
}

}  // namespace atl
