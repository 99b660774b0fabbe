#pragma once

#include "reward/base/hash.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

/// The tables of lineage.h5: one struct per row, one list of fields per table, from which the HDF5
/// compound types are made. FORMATS.md documents every field (a test compares). Texts are row
/// numbers of texts/index, -1 for none; names are row numbers of names. Internal to population.
namespace atl::lineage {

enum class TableId {
    text_index,
    names,
    campaign,
    sessions,
    tickets,
    selections,
    individuals,
    edges,
    migrations,
    confirmations,
    timings,
    stops,
    turned_down,
    measures,
    resets,
    servers,
    rollouts,
    scores,
    exchanges,
    insights,
    spawns,
    watches,
    events,  ///< last: flushed last, so that a reader who starts from it finds all it refers to
};
inline constexpr std::size_t k_table_count = 23;

enum class FieldType {
    u32,
    u64,
    i32,
    i64,
    f64,
    boolean,  ///< one byte; h5py shows bool
    digest,   ///< 32 bytes
    name,     ///< 64 bytes of UTF-8, padded with zeros
    outcome,  ///< enumerations of one byte
    role,
    event,
    state,
    name_kind,
    same_by,
    turned_down_for,
};

struct Field {
    const char* name;
    FieldType type;
    std::size_t offset;
};

struct TableSpec {
    const char* path;
    std::size_t row_bytes;
    std::size_t chunk_rows;
    std::span<const Field> fields;
};

[[nodiscard]] const TableSpec& table_spec(TableId id);

inline constexpr const char* k_text_bytes_path = "texts/bytes";
inline constexpr const char* k_payload_path = "events/payload";
inline constexpr const char* k_samples_path = "timings/samples";
inline constexpr std::size_t k_text_chunk_bytes = 128 * 1024;
inline constexpr std::size_t k_payload_chunk_bytes = 32 * 1024;
inline constexpr std::size_t k_sample_chunk = 4096;
inline constexpr std::size_t k_name_bytes = 64;
inline constexpr std::int32_t k_no_text = -1;
inline constexpr std::int64_t k_not_committed = -1;

enum class TicketState : std::uint8_t { in_flight = 0, committed = 1, failed = 2 };
enum class NameKind : std::uint8_t {
    operator_name = 0,
    starter = 1,
    workload = 2,
    rival = 3,
    preset = 4,
};

struct TextRow {
    static constexpr TableId k_table = TableId::text_index;
    std::array<std::uint8_t, 32> digest{};
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
};

struct NameRow {
    static constexpr TableId k_table = TableId::names;
    std::array<char, k_name_bytes> name{};
    NameKind kind = NameKind::operator_name;
};

struct CampaignRow {
    static constexpr TableId k_table = TableId::campaign;
    std::uint64_t seed = 0;
    std::int64_t started_wall_ns = 0;
    std::array<std::uint8_t, 32> task_digest{};
    std::int32_t task = k_no_text;
    std::int32_t config = k_no_text;
    std::int32_t device = k_no_text;
    std::int32_t fingerprint = k_no_text;
    std::int32_t atoll_version = k_no_text;
};

struct SessionRow {
    static constexpr TableId k_table = TableId::sessions;
    std::uint32_t session = 0;
    std::int32_t device = k_no_text;
    std::int64_t wall_ns = 0;
    std::int64_t max_evaluations = -1;
    double seconds = -1;
};

struct TicketRow {
    static constexpr TableId k_table = TableId::tickets;
    std::uint64_t ticket = 0;
    std::uint64_t commits_seen = 0;
    std::int64_t commit = k_not_committed;
    std::int64_t issued_ns = 0;
    std::int64_t closed_ns = -1;
    double island_probability = 1;
    double operator_probability = 1;
    double model_probability = 1;
    double strategy_probability = 1;
    double step_probability = 1;
    double reward = 0;
    double compile_seconds = 0;
    double device_seconds = 0;
    std::uint32_t island = 0;
    std::uint32_t operator_name = 0;
    std::uint32_t step = 0;
    std::int32_t model = k_no_text;
    std::int32_t strategy = k_no_text;
    std::int32_t reason = k_no_text;
    std::int32_t memory = k_no_text;
    TicketState state = TicketState::in_flight;
    std::uint8_t fault = 0;
};

struct SelectionRow {
    static constexpr TableId k_table = TableId::selections;
    std::uint64_t ticket = 0;
    std::uint64_t parent = 0;
    double probability = 1;
    std::uint8_t role = 0;
};

struct IndividualRow {
    static constexpr TableId k_table = TableId::individuals;
    std::uint64_t id = 0;
    std::uint64_t ticket = 0;
    std::int64_t commit = k_not_committed;
    std::uint64_t staleness = 0;
    std::int64_t asked_ns = 0;
    std::int64_t done_ns = 0;
    double fitness = 0;
    double time_ns = 0;
    double predicted_gain = 0;
    std::array<std::uint8_t, 32> key{};
    std::array<std::uint8_t, 32> binary{};
    std::uint64_t same_as = 0;
    std::uint32_t added_lines = 0;
    std::uint32_t returned_lines = 0;
    std::uint32_t step = 0;
    std::uint32_t island = 0;
    std::uint32_t operator_name = 0;
    std::uint32_t starter = 0;
    std::int32_t source = k_no_text;
    std::int32_t tune = k_no_text;
    std::int32_t flags = k_no_text;
    std::int32_t description = k_no_text;
    std::int32_t prompt = k_no_text;
    std::int32_t reply = k_no_text;
    std::int32_t verdict = k_no_text;
    std::uint8_t outcome = 0;
    std::uint8_t duplicate = 0;
    std::uint8_t committed = 0;
    std::uint8_t same_by = 0;
};

struct EdgeRow {
    static constexpr TableId k_table = TableId::edges;
    std::uint64_t child = 0;
    std::uint64_t parent = 0;
    double probability = 1;
    std::uint8_t role = 0;
};

struct MigrationRow {
    static constexpr TableId k_table = TableId::migrations;
    std::uint64_t individual = 0;
    std::uint64_t after_commit = 0;
    double probability = 1;
    std::uint32_t from = 0;
    std::uint32_t to = 0;
};

struct ConfirmationRow {
    static constexpr TableId k_table = TableId::confirmations;
    std::uint64_t individual = 0;
    std::uint64_t rival = 0;
    double fitness = 0;
    double rival_fitness = 0;
    std::int64_t at_ns = 0;
    std::int32_t verdict = k_no_text;
    std::uint8_t outcome = 0;
    std::uint8_t accepted = 0;
};

struct TimingRow {
    static constexpr TableId k_table = TableId::timings;
    std::uint64_t individual = 0;
    double median_ns = 0;
    double low_ns = 0;
    double high_ns = 0;
    double light_ns = 0;
    double anchor_ratio = 1;
    double clock_ratio = 1;
    std::uint64_t samples_offset = 0;
    std::uint32_t samples_count = 0;
    std::uint32_t workload = 0;
    std::int32_t verdict = k_no_text;
    std::int32_t rival = -1;
    std::uint32_t reverified = 0;
    std::uint8_t hidden = 0;
    std::uint8_t noisy = 0;
    std::uint8_t confirmation = 0;
};

struct StopRow {
    static constexpr TableId k_table = TableId::stops;
    std::int64_t at_ns = 0;
    std::int32_t reason = k_no_text;
    std::uint8_t finished = 0;
};

struct TurnedDownRow {
    static constexpr TableId k_table = TableId::turned_down;
    std::uint64_t id = 0;
    std::uint64_t ticket = 0;
    std::uint64_t similar = 0;
    double similarity = 0;
    std::int64_t at_ns = 0;
    std::array<std::uint8_t, 32> key{};
    std::uint32_t step = 0;
    std::uint32_t island = 0;
    std::uint32_t operator_name = 0;
    std::int32_t source = k_no_text;
    std::int32_t tune = k_no_text;
    std::int32_t flags = k_no_text;
    std::int32_t description = k_no_text;
    std::int32_t prompt = k_no_text;
    std::int32_t reply = k_no_text;
    std::uint8_t why = 0;
};

struct MeasureRow {
    static constexpr TableId k_table = TableId::measures;
    std::uint64_t individual = 0;
    double value = 0;
    std::uint32_t place = 0;
};

struct ResetRow {
    static constexpr TableId k_table = TableId::resets;
    std::uint64_t founder = 0;
    std::uint64_t after_commit = 0;
    double probability = 1;
    std::uint32_t island = 0;
    std::uint32_t from = 0;
};

struct SpawnRow {
    static constexpr TableId k_table = TableId::spawns;
    std::uint64_t founder = 0;
    std::uint64_t after_commit = 0;
    double probability = 1;
    std::uint32_t island = 0;
};

struct WatchRow {
    static constexpr TableId k_table = TableId::watches;
    std::uint64_t after_commit = 0;
    double fitness = 0;
    double diversity = 0;
    double heat = 1;
    std::uint32_t still = 0;
};

struct ServerRow {
    static constexpr TableId k_table = TableId::servers;
    std::int64_t wall_ns = 0;
    std::int32_t devices = k_no_text;
    std::int32_t atoll_version = k_no_text;
};

struct RolloutRow {
    static constexpr TableId k_table = TableId::rollouts;
    std::uint64_t rollout = 0;
    std::int64_t wall_ns = 0;
    std::int64_t turn = -1;
    double seconds = 0;
    std::array<std::uint8_t, 32> task_digest{};
    std::int32_t task = k_no_text;
    std::int32_t kind = k_no_text;
    std::int32_t device = k_no_text;
    std::int32_t level = k_no_text;
    std::int32_t group = k_no_text;
    std::int32_t trajectory = k_no_text;
    std::int32_t policy_version = k_no_text;
    std::int32_t source = k_no_text;
    std::int32_t tune = k_no_text;
    std::int32_t flags = k_no_text;
    std::int32_t reply = k_no_text;
    std::int32_t token_ids = k_no_text;
    std::int32_t log_probabilities = k_no_text;
    std::int32_t verdict = k_no_text;
    std::int32_t baseline = k_no_text;
    std::int32_t reason = k_no_text;
    std::uint8_t outcome = 0;
    std::uint8_t fault = 0;
    std::uint8_t cached = 0;
};

struct ScoreRow {
    static constexpr TableId k_table = TableId::scores;
    std::uint64_t rollout = 0;
    double value = 0;
    std::uint32_t preset = 0;
};

struct ExchangeRow {
    static constexpr TableId k_table = TableId::exchanges;
    std::uint64_t ticket = 0;
    std::uint64_t occurrence = 0;
    std::int64_t prompt_tokens = -1;
    std::int64_t cached_tokens = -1;
    std::int64_t completion_tokens = -1;
    std::int64_t reasoning_tokens = -1;
    std::int64_t nano_dollars = -1;
    std::int64_t at_ns = 0;
    double seconds = 0;
    std::int32_t model = k_no_text;
    std::int32_t request = k_no_text;
    std::int32_t reply = k_no_text;
    std::int32_t error_code = k_no_text;
    std::int32_t error = k_no_text;
};

struct InsightRow {
    static constexpr TableId k_table = TableId::insights;
    std::uint64_t after_commit = 0;
    std::int64_t at_ns = 0;
    std::int32_t model = k_no_text;
    std::int32_t prompt = k_no_text;
    std::int32_t reply = k_no_text;
    std::int32_t items = k_no_text;
};

struct EventRow {
    static constexpr TableId k_table = TableId::events;
    std::uint64_t index = 0;
    std::int64_t time_ns = -1;
    std::uint64_t payload_offset = 0;
    std::uint32_t payload_length = 0;
    std::uint8_t type = 0;
};

}  // namespace atl::lineage
