#pragma once

#include "population/byte_codec.hpp"
#include "population/event.hpp"

#include <cstdint>
#include <string_view>

namespace atl {

/// Layout of an event's payload: u8 version, then the fields in the order of event.hpp. Shared by
/// the journal (one event per record) and the snapshots (individuals and tickets of a state).
inline constexpr std::uint8_t k_event_layout = 1;
inline constexpr std::uint32_t k_event_types = std::variant_size_v<Event>;

void write_fields(ByteWriter& out, const Individual& individual);
void write_fields(ByteWriter& out, const CampaignStarted& event);
void write_fields(ByteWriter& out, const TicketIssued& event);
void write_fields(ByteWriter& out, const Migrated& event);
void write_fields(ByteWriter& out, const Confirmed& event);
void write_fields(ByteWriter& out, const CampaignStopped& event);

/// On any violation the reader is failed and the value is meaningless.
[[nodiscard]] Individual read_individual(ByteReader& in);
[[nodiscard]] CampaignStarted read_campaign_started(ByteReader& in);
[[nodiscard]] TicketIssued read_ticket_issued(ByteReader& in);
[[nodiscard]] Migrated read_migrated(ByteReader& in);
[[nodiscard]] Confirmed read_confirmed(ByteReader& in);
[[nodiscard]] CampaignStopped read_campaign_stopped(ByteReader& in);

/// The least number of bytes that an encoded individual takes.
inline constexpr std::size_t k_least_individual_bytes = 238;

}  // namespace atl
