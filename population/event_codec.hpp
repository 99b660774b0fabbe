#pragma once

#include "population/byte_codec.hpp"
#include "population/event.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace atl {

/// An event's payload: u8 layout, then the fields in the order of event.hpp. Shared by the journal
/// (one event per record) and the snapshots (individuals and tickets of a state). Events are
/// written in the newest layout of their type and read in all.
inline constexpr std::uint32_t k_event_types = std::variant_size_v<Event>;
inline constexpr std::array<std::uint8_t, k_event_types> k_event_layouts = {
    1, 2, 3, 3, 2, 1, 1, 1, 1, 2, 1, 1, 1, 1, 1, 1, 1};

void write_fields(ByteWriter& out, const Individual& individual);
void write_fields(ByteWriter& out, const CampaignStarted& event);
void write_fields(ByteWriter& out, const TicketIssued& event);
void write_fields(ByteWriter& out, const Migrated& event);
void write_fields(ByteWriter& out, const Confirmed& event);
void write_fields(ByteWriter& out, const CampaignStopped& event);
void write_fields(ByteWriter& out, const TurnedDown& event);
void write_fields(ByteWriter& out, const IslandsReset& event);
void write_fields(ByteWriter& out, const LogOpened& event);
void write_fields(ByteWriter& out, const RolloutRecorded& event);
void write_fields(ByteWriter& out, const ModelExchanged& event);
void write_fields(ByteWriter& out, const InsightNoted& event);
void write_fields(ByteWriter& out, const IslandSpawned& event);
void write_fields(ByteWriter& out, const ProgressWatched& event);

/// On any violation the reader is failed and the value is meaningless. Layout: of Evaluated.
[[nodiscard]] Individual read_individual(ByteReader& in, std::uint8_t layout = 3);
[[nodiscard]] CampaignStarted read_campaign_started(ByteReader& in);
[[nodiscard]] TicketIssued read_ticket_issued(ByteReader& in, std::uint8_t layout = 3);
[[nodiscard]] Migrated read_migrated(ByteReader& in);
[[nodiscard]] Confirmed read_confirmed(ByteReader& in);
[[nodiscard]] CampaignStopped read_campaign_stopped(ByteReader& in);
[[nodiscard]] TurnedDown read_turned_down(ByteReader& in, std::uint8_t layout = 2);
[[nodiscard]] IslandsReset read_islands_reset(ByteReader& in);
[[nodiscard]] LogOpened read_log_opened(ByteReader& in);
[[nodiscard]] RolloutRecorded read_rollout_recorded(ByteReader& in);
[[nodiscard]] ModelExchanged read_model_exchanged(ByteReader& in);
[[nodiscard]] InsightNoted read_insight_noted(ByteReader& in);
[[nodiscard]] IslandSpawned read_island_spawned(ByteReader& in);
[[nodiscard]] ProgressWatched read_progress_watched(ByteReader& in);
[[nodiscard]] Outcome read_outcome(ByteReader& in);

/// The least number of bytes that an encoded individual takes.
inline constexpr std::size_t k_least_individual_bytes = 299;
inline constexpr std::size_t k_least_exchange_bytes = 148;  ///< of a ModelExchanged

}  // namespace atl
