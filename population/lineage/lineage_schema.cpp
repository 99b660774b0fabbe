#include "population/lineage/lineage_schema.hpp"

namespace atl::lineage {

namespace {

#define ATOLL_FIELD(row, member, type)                  \
    Field {                                             \
#member, FieldType::type, offsetof(row, member) \
    }
// For columns whose C++ member needs another name (`operator` is a keyword).
#define ATOLL_FIELD_AS(row, member, name, type)      \
    Field {                                          \
        name, FieldType::type, offsetof(row, member) \
    }

constexpr Field k_text_fields[] = {
    ATOLL_FIELD(TextRow, digest, digest),
    ATOLL_FIELD(TextRow, offset, u64),
    ATOLL_FIELD(TextRow, length, u64),
};
constexpr Field k_name_fields[] = {
    ATOLL_FIELD(NameRow, name, name),
    ATOLL_FIELD(NameRow, kind, name_kind),
};
constexpr Field k_campaign_fields[] = {
    ATOLL_FIELD(CampaignRow, seed, u64),           ATOLL_FIELD(CampaignRow, started_wall_ns, i64),
    ATOLL_FIELD(CampaignRow, task_digest, digest), ATOLL_FIELD(CampaignRow, task, i32),
    ATOLL_FIELD(CampaignRow, config, i32),         ATOLL_FIELD(CampaignRow, device, i32),
    ATOLL_FIELD(CampaignRow, fingerprint, i32),    ATOLL_FIELD(CampaignRow, atoll_version, i32),
};
constexpr Field k_session_fields[] = {
    ATOLL_FIELD(SessionRow, session, u32), ATOLL_FIELD(SessionRow, wall_ns, i64),
    ATOLL_FIELD(SessionRow, device, i32),  ATOLL_FIELD(SessionRow, max_evaluations, i64),
    ATOLL_FIELD(SessionRow, seconds, f64),
};
constexpr Field k_ticket_fields[] = {
    ATOLL_FIELD(TicketRow, ticket, u64),
    ATOLL_FIELD(TicketRow, island, u32),
    ATOLL_FIELD(TicketRow, island_probability, f64),
    ATOLL_FIELD_AS(TicketRow, operator_name, "operator", u32),
    ATOLL_FIELD(TicketRow, operator_probability, f64),
    ATOLL_FIELD(TicketRow, commits_seen, u64),
    ATOLL_FIELD(TicketRow, issued_ns, i64),
    ATOLL_FIELD(TicketRow, state, state),
    ATOLL_FIELD(TicketRow, closed_ns, i64),
    ATOLL_FIELD(TicketRow, commit, i64),
    ATOLL_FIELD(TicketRow, reward, f64),
    ATOLL_FIELD(TicketRow, compile_seconds, f64),
    ATOLL_FIELD(TicketRow, device_seconds, f64),
    ATOLL_FIELD(TicketRow, reason, i32),
    ATOLL_FIELD(TicketRow, fault, boolean),
    ATOLL_FIELD(TicketRow, model, i32),
    ATOLL_FIELD(TicketRow, model_probability, f64),
    ATOLL_FIELD(TicketRow, strategy, i32),
    ATOLL_FIELD(TicketRow, strategy_probability, f64),
    ATOLL_FIELD(TicketRow, step, u32),
    ATOLL_FIELD(TicketRow, step_probability, f64),
    ATOLL_FIELD(TicketRow, memory, i32),
};
constexpr Field k_selection_fields[] = {
    ATOLL_FIELD(SelectionRow, ticket, u64),
    ATOLL_FIELD(SelectionRow, parent, u64),
    ATOLL_FIELD(SelectionRow, role, role),
    ATOLL_FIELD(SelectionRow, probability, f64),
};
constexpr Field k_individual_fields[] = {
    ATOLL_FIELD(IndividualRow, id, u64),
    ATOLL_FIELD(IndividualRow, ticket, u64),
    ATOLL_FIELD(IndividualRow, step, u32),
    ATOLL_FIELD(IndividualRow, island, u32),
    ATOLL_FIELD(IndividualRow, key, digest),
    ATOLL_FIELD_AS(IndividualRow, operator_name, "operator", u32),
    ATOLL_FIELD(IndividualRow, starter, u32),
    ATOLL_FIELD(IndividualRow, outcome, outcome),
    ATOLL_FIELD(IndividualRow, fitness, f64),
    ATOLL_FIELD(IndividualRow, time_ns, f64),
    ATOLL_FIELD(IndividualRow, duplicate, boolean),
    ATOLL_FIELD(IndividualRow, committed, boolean),
    ATOLL_FIELD(IndividualRow, commit, i64),
    ATOLL_FIELD(IndividualRow, staleness, u64),
    ATOLL_FIELD(IndividualRow, asked_ns, i64),
    ATOLL_FIELD(IndividualRow, done_ns, i64),
    ATOLL_FIELD(IndividualRow, source, i32),
    ATOLL_FIELD(IndividualRow, tune, i32),
    ATOLL_FIELD(IndividualRow, flags, i32),
    ATOLL_FIELD(IndividualRow, description, i32),
    ATOLL_FIELD(IndividualRow, prompt, i32),
    ATOLL_FIELD(IndividualRow, reply, i32),
    ATOLL_FIELD(IndividualRow, verdict, i32),
    ATOLL_FIELD(IndividualRow, predicted_gain, f64),
    ATOLL_FIELD(IndividualRow, binary, digest),
    ATOLL_FIELD(IndividualRow, same_by, same_by),
    ATOLL_FIELD(IndividualRow, same_as, u64),
    ATOLL_FIELD(IndividualRow, added_lines, u32),
    ATOLL_FIELD(IndividualRow, returned_lines, u32),
};
constexpr Field k_edge_fields[] = {
    ATOLL_FIELD(EdgeRow, child, u64),
    ATOLL_FIELD(EdgeRow, parent, u64),
    ATOLL_FIELD(EdgeRow, role, role),
    ATOLL_FIELD(EdgeRow, probability, f64),
};
constexpr Field k_migration_fields[] = {
    ATOLL_FIELD(MigrationRow, individual, u64),   ATOLL_FIELD(MigrationRow, from, u32),
    ATOLL_FIELD(MigrationRow, to, u32),           ATOLL_FIELD(MigrationRow, probability, f64),
    ATOLL_FIELD(MigrationRow, after_commit, u64),
};
constexpr Field k_confirmation_fields[] = {
    ATOLL_FIELD(ConfirmationRow, individual, u64),
    ATOLL_FIELD(ConfirmationRow, accepted, boolean),
    ATOLL_FIELD(ConfirmationRow, outcome, outcome),
    ATOLL_FIELD(ConfirmationRow, fitness, f64),
    ATOLL_FIELD(ConfirmationRow, rival, u64),
    ATOLL_FIELD(ConfirmationRow, rival_fitness, f64),
    ATOLL_FIELD(ConfirmationRow, verdict, i32),
    ATOLL_FIELD(ConfirmationRow, at_ns, i64),
};
constexpr Field k_timing_fields[] = {
    ATOLL_FIELD(TimingRow, individual, u64),       ATOLL_FIELD(TimingRow, verdict, i32),
    ATOLL_FIELD(TimingRow, confirmation, boolean), ATOLL_FIELD(TimingRow, rival, i32),
    ATOLL_FIELD(TimingRow, workload, u32),         ATOLL_FIELD(TimingRow, hidden, boolean),
    ATOLL_FIELD(TimingRow, median_ns, f64),        ATOLL_FIELD(TimingRow, low_ns, f64),
    ATOLL_FIELD(TimingRow, high_ns, f64),          ATOLL_FIELD(TimingRow, light_ns, f64),
    ATOLL_FIELD(TimingRow, anchor_ratio, f64),     ATOLL_FIELD(TimingRow, clock_ratio, f64),
    ATOLL_FIELD(TimingRow, noisy, boolean),        ATOLL_FIELD(TimingRow, reverified, u32),
    ATOLL_FIELD(TimingRow, samples_offset, u64),   ATOLL_FIELD(TimingRow, samples_count, u32),
};
constexpr Field k_stop_fields[] = {
    ATOLL_FIELD(StopRow, at_ns, i64),
    ATOLL_FIELD(StopRow, reason, i32),
    ATOLL_FIELD(StopRow, finished, boolean),
};
constexpr Field k_turned_down_fields[] = {
    ATOLL_FIELD(TurnedDownRow, id, u64),
    ATOLL_FIELD(TurnedDownRow, ticket, u64),
    ATOLL_FIELD(TurnedDownRow, step, u32),
    ATOLL_FIELD(TurnedDownRow, island, u32),
    ATOLL_FIELD(TurnedDownRow, key, digest),
    ATOLL_FIELD_AS(TurnedDownRow, operator_name, "operator", u32),
    ATOLL_FIELD(TurnedDownRow, similar, u64),
    ATOLL_FIELD(TurnedDownRow, similarity, f64),
    ATOLL_FIELD(TurnedDownRow, at_ns, i64),
    ATOLL_FIELD(TurnedDownRow, source, i32),
    ATOLL_FIELD(TurnedDownRow, tune, i32),
    ATOLL_FIELD(TurnedDownRow, flags, i32),
    ATOLL_FIELD(TurnedDownRow, description, i32),
    ATOLL_FIELD(TurnedDownRow, prompt, i32),
    ATOLL_FIELD(TurnedDownRow, reply, i32),
    ATOLL_FIELD(TurnedDownRow, why, turned_down_for),
};
constexpr Field k_measure_fields[] = {
    ATOLL_FIELD(MeasureRow, individual, u64),
    ATOLL_FIELD(MeasureRow, place, u32),
    ATOLL_FIELD(MeasureRow, value, f64),
};
constexpr Field k_reset_fields[] = {
    ATOLL_FIELD(ResetRow, island, u32),       ATOLL_FIELD(ResetRow, from, u32),
    ATOLL_FIELD(ResetRow, founder, u64),      ATOLL_FIELD(ResetRow, probability, f64),
    ATOLL_FIELD(ResetRow, after_commit, u64),
};
constexpr Field k_spawn_fields[] = {
    ATOLL_FIELD(SpawnRow, island, u32),
    ATOLL_FIELD(SpawnRow, founder, u64),
    ATOLL_FIELD(SpawnRow, probability, f64),
    ATOLL_FIELD(SpawnRow, after_commit, u64),
};
constexpr Field k_watch_fields[] = {
    ATOLL_FIELD(WatchRow, after_commit, u64), ATOLL_FIELD(WatchRow, fitness, f64),
    ATOLL_FIELD(WatchRow, diversity, f64),    ATOLL_FIELD(WatchRow, still, u32),
    ATOLL_FIELD(WatchRow, heat, f64),
};
constexpr Field k_server_fields[] = {
    ATOLL_FIELD(ServerRow, wall_ns, i64),
    ATOLL_FIELD(ServerRow, devices, i32),
    ATOLL_FIELD(ServerRow, atoll_version, i32),
};
constexpr Field k_rollout_fields[] = {
    ATOLL_FIELD(RolloutRow, rollout, u64),        ATOLL_FIELD(RolloutRow, group, i32),
    ATOLL_FIELD(RolloutRow, trajectory, i32),     ATOLL_FIELD(RolloutRow, turn, i64),
    ATOLL_FIELD(RolloutRow, policy_version, i32), ATOLL_FIELD(RolloutRow, task, i32),
    ATOLL_FIELD(RolloutRow, task_digest, digest), ATOLL_FIELD(RolloutRow, kind, i32),
    ATOLL_FIELD(RolloutRow, device, i32),         ATOLL_FIELD(RolloutRow, level, i32),
    ATOLL_FIELD(RolloutRow, outcome, outcome),    ATOLL_FIELD(RolloutRow, fault, boolean),
    ATOLL_FIELD(RolloutRow, reason, i32),         ATOLL_FIELD(RolloutRow, cached, boolean),
    ATOLL_FIELD(RolloutRow, wall_ns, i64),        ATOLL_FIELD(RolloutRow, seconds, f64),
    ATOLL_FIELD(RolloutRow, source, i32),         ATOLL_FIELD(RolloutRow, tune, i32),
    ATOLL_FIELD(RolloutRow, flags, i32),          ATOLL_FIELD(RolloutRow, reply, i32),
    ATOLL_FIELD(RolloutRow, token_ids, i32),      ATOLL_FIELD(RolloutRow, log_probabilities, i32),
    ATOLL_FIELD(RolloutRow, verdict, i32),        ATOLL_FIELD(RolloutRow, baseline, i32),
};
constexpr Field k_score_fields[] = {
    ATOLL_FIELD(ScoreRow, rollout, u64),
    ATOLL_FIELD(ScoreRow, preset, u32),
    ATOLL_FIELD(ScoreRow, value, f64),
};
constexpr Field k_exchange_fields[] = {
    ATOLL_FIELD(ExchangeRow, ticket, u64),
    ATOLL_FIELD(ExchangeRow, occurrence, u64),
    ATOLL_FIELD(ExchangeRow, model, i32),
    ATOLL_FIELD(ExchangeRow, request, i32),
    ATOLL_FIELD(ExchangeRow, reply, i32),
    ATOLL_FIELD(ExchangeRow, error_code, i32),
    ATOLL_FIELD(ExchangeRow, error, i32),
    ATOLL_FIELD(ExchangeRow, prompt_tokens, i64),
    ATOLL_FIELD(ExchangeRow, cached_tokens, i64),
    ATOLL_FIELD(ExchangeRow, completion_tokens, i64),
    ATOLL_FIELD(ExchangeRow, reasoning_tokens, i64),
    ATOLL_FIELD(ExchangeRow, nano_dollars, i64),
    ATOLL_FIELD(ExchangeRow, at_ns, i64),
    ATOLL_FIELD(ExchangeRow, seconds, f64),
};
constexpr Field k_insight_fields[] = {
    ATOLL_FIELD(InsightRow, after_commit, u64), ATOLL_FIELD(InsightRow, model, i32),
    ATOLL_FIELD(InsightRow, prompt, i32),       ATOLL_FIELD(InsightRow, reply, i32),
    ATOLL_FIELD(InsightRow, items, i32),        ATOLL_FIELD(InsightRow, at_ns, i64),
};
constexpr Field k_event_fields[] = {
    ATOLL_FIELD(EventRow, index, u64),          ATOLL_FIELD(EventRow, type, event),
    ATOLL_FIELD(EventRow, time_ns, i64),        ATOLL_FIELD(EventRow, payload_offset, u64),
    ATOLL_FIELD(EventRow, payload_length, u32),
};

#undef ATOLL_FIELD
#undef ATOLL_FIELD_AS

// In the order of TableId. Chunks of about 16 to 64 KB where rows are many, small where few.
constexpr std::array<TableSpec, k_table_count> k_specs = {{
    {"texts/index", sizeof(TextRow), 1024, k_text_fields},
    {"names", sizeof(NameRow), 32, k_name_fields},
    {"campaign", sizeof(CampaignRow), 1, k_campaign_fields},
    {"sessions", sizeof(SessionRow), 16, k_session_fields},
    {"tickets", sizeof(TicketRow), 256, k_ticket_fields},
    {"selections", sizeof(SelectionRow), 512, k_selection_fields},
    {"individuals", sizeof(IndividualRow), 256, k_individual_fields},
    {"edges", sizeof(EdgeRow), 512, k_edge_fields},
    {"migrations", sizeof(MigrationRow), 256, k_migration_fields},
    {"confirmations", sizeof(ConfirmationRow), 64, k_confirmation_fields},
    {"timings/rows", sizeof(TimingRow), 512, k_timing_fields},
    {"stops", sizeof(StopRow), 16, k_stop_fields},
    {"turned_down", sizeof(TurnedDownRow), 256, k_turned_down_fields},
    {"measures", sizeof(MeasureRow), 512, k_measure_fields},
    {"resets", sizeof(ResetRow), 64, k_reset_fields},
    {"servers", sizeof(ServerRow), 16, k_server_fields},
    {"rollouts", sizeof(RolloutRow), 256, k_rollout_fields},
    {"scores", sizeof(ScoreRow), 512, k_score_fields},
    {"exchanges", sizeof(ExchangeRow), 128, k_exchange_fields},
    {"insights", sizeof(InsightRow), 16, k_insight_fields},
    {"spawns", sizeof(SpawnRow), 64, k_spawn_fields},
    {"watches", sizeof(WatchRow), 256, k_watch_fields},
    {"events/index", sizeof(EventRow), 1024, k_event_fields},
}};

}  // namespace

const TableSpec& table_spec(TableId id) {
    return k_specs[static_cast<std::size_t>(id)];
}

}  // namespace atl::lineage
