#pragma once

#include "population/archive.hpp"
#include "population/campaign_state.hpp"
#include "population/event.hpp"
#include "population/journal/journal.hpp"
#include "tests/support/temporary_folder.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace atl::samples {

using testing::TemporaryFolder;

inline CampaignStarted campaign_started() {
    return {"0.1.0", "[campaign]\nseed = 7\n", "matmul", content_id("task"),
            "cpu",   "x86-64 gcc 12",          7,        1'700'000'000'000'000'000};
}

inline TicketIssued ticket_issued(std::uint64_t ticket, std::uint32_t island,
                                  std::vector<Parent> parents = {}, std::uint64_t seen = 0) {
    return {ticket, island,
            0.5,    parents.empty() ? "starter" : "tune",
            0.25,   std::move(parents),
            seen,   static_cast<std::int64_t>(ticket % 1'000'000) * 1000};
}

/// A right individual whose program is named by `program`.
inline Individual individual(std::uint64_t ticket, std::uint32_t step, std::uint32_t island,
                             double fitness, const std::string& program) {
    Individual made;
    made.id = IndividualId::make(ticket, step);
    made.island = island;
    made.key = content_id("key of " + program);
    made.source = content_id("source of " + program);
    made.tune = {{"BLOCK", "64"}, {"UNROLL", program}};
    made.flags = {"-O3", "-ffast-math"};
    made.starter = "tiled";
    made.operator_name = "tune";
    made.description = "set UNROLL to " + program;
    made.outcome = fitness > 0 ? Outcome::passed : Outcome::wrong_result;
    made.fitness = fitness;
    made.time_ns = fitness > 0 ? 1e6 / fitness : 0;
    made.verdict = content_id("verdict of " + program);
    made.asked_ns = static_cast<std::int64_t>(ticket) * 1000;
    made.done_ns = made.asked_ns + 500;
    return made;
}

/// What was never measured.
inline Individual proposal(std::uint64_t ticket, std::uint32_t step, std::uint32_t island,
                           const std::string& program) {
    Individual made = individual(ticket, step, island, 0, program);
    made.outcome = Outcome::rejected;
    made.verdict = {};
    return made;
}

/// A campaign of two islands that uses every event: two starters, children, a duplicate, a failed
/// ticket, a migration, confirmations, a stop and a resumed session with a ticket in flight, of
/// which a proposal was turned down, a reset, a new island and a look at progress.
inline std::vector<Event> campaign() {
    const IndividualId first = IndividualId::make(0, 0);
    const IndividualId second = IndividualId::make(1, 0);
    std::vector<Event> events = {campaign_started(), SessionOpened{0, 1, "cpu", {100, 30}}};
    events.emplace_back(ticket_issued(0, 0));
    events.emplace_back(ticket_issued(1, 1));
    events.emplace_back(Evaluated{individual(1, 0, 1, 1.5, "b")});
    events.emplace_back(TicketCommitted{1, 0, 1500, 0.5, 0.25});
    events.emplace_back(Evaluated{individual(0, 0, 0, 1.0, "a")});
    events.emplace_back(TicketCommitted{0, 0, 1600, 0.5, 0.25});
    events.emplace_back(ticket_issued(2, 0, {{first, ParentRole::base, 0.75}}, 2));
    events.emplace_back(
        ticket_issued(3, 1, {{second, ParentRole::base, 1}, {first, ParentRole::partner, 0.5}}, 2));
    Individual child = individual(2, 0, 0, 2.0, "c");
    child.parents = {{first, ParentRole::base, 0.75}};
    events.emplace_back(Evaluated{child});
    Individual refined = individual(2, 1, 0, 2.5, "d");
    refined.parents = {{child.id, ParentRole::base, 1}};
    events.emplace_back(Evaluated{refined});
    events.emplace_back(TicketCommitted{2, 0.9, 3000, 1.0, 0.5});
    events.emplace_back(TicketFailed{3, "the compiler was killed", true});
    events.emplace_back(Migrated{refined.id, 0, 1, 0.5, 3});
    events.emplace_back(ticket_issued(4, 1, {{refined.id, ParentRole::migrant, 1}}, 3));
    Individual copy = individual(4, 0, 1, 2.0, "c");
    copy.duplicate = true;
    events.emplace_back(Evaluated{copy});
    events.emplace_back(TicketCommitted{4, 0, 5000, 0, 0});
    events.emplace_back(
        Confirmed{refined.id, true, 2.25, {}, 0, Outcome::passed, content_id("c1"), 6000});
    events.emplace_back(Confirmed{child.id, false, 1.75, refined.id, 2.25, Outcome::passed,
                                  content_id("c2"), 6100});
    events.emplace_back(ticket_issued(5, 0, {{refined.id, ParentRole::base, 1}}, 4));
    events.emplace_back(CampaignStopped{"signal SIGINT", false, 7000});
    events.emplace_back(SessionOpened{1, 2, "cpu", {500, 60}});
    events.emplace_back(Evaluated{individual(5, 0, 0, 0, "e")});
    events.emplace_back(TurnedDown{proposal(5, 1, 0, "f"), refined.id, 0.96875});
    events.emplace_back(
        InsightNoted{3, "m", content_id("p"), content_id("r"), {"use tiles"}, 8000});
    events.emplace_back(IslandsReset{4, {{0, 1, refined.id, 1}}});
    events.emplace_back(IslandSpawned{4, 2, refined.id, 0.5});
    events.emplace_back(ProgressWatched{4, 2.5, 0.25, 2, 1.5});
    return events;
}

inline StateSettings settings() {
    return {2, {"ranked", 3, 0.1}, 0.9};
}

inline CampaignState fold(const std::vector<Event>& events, std::size_t count = SIZE_MAX) {
    CampaignState state(settings());
    for (std::size_t i = 0; i < events.size() && i < count; ++i) {
        if (const Status status = state.apply(events[i]); !status) {
            throw std::runtime_error(status.error().message());
        }
    }
    return state;
}

/// Equal for equal states, and short enough to print.
inline std::string fingerprint(const CampaignState& state) {
    return content_id(state.encode()).short_hex();
}

inline void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
}

inline std::string read_bytes(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// Fails the test by throwing.
inline void require(const Status& status) {
    if (!status) {
        throw std::runtime_error(status.error().message());
    }
}

/// The texts that the sample events refer to, which a journal wants to have first.
inline void put_texts(JournalWriter& writer) {
    for (const char* program : {"a", "b", "c", "d", "e"}) {
        require(writer.put_text(std::string("source of ") + program).map([](const Digest&) {}));
        require(writer.put_text(std::string("verdict of ") + program).map([](const Digest&) {}));
    }
    require(writer.put_text("source of f").map([](const Digest&) {}));
    require(writer.put_text("p").map([](const Digest&) {}));
    require(writer.put_text("r").map([](const Digest&) {}));
    require(writer.put_text("c1").map([](const Digest&) {}));
    require(writer.put_text("c2").map([](const Digest&) {}));
}

/// Writes the events with a sync after every `batch`; gives where the last batch begins.
inline std::uint64_t write_journal(const std::filesystem::path& path,
                                   const std::vector<Event>& events, std::size_t batch) {
    auto writer = value_or_throw(JournalWriter::open(path));
    put_texts(*writer);
    std::uint64_t last_batch = writer->position();
    for (std::size_t i = 0; i < events.size(); ++i) {
        require(writer->append(events[i]));
        if (i % batch == batch - 1 && i + 1 < events.size()) {
            require(writer->sync());
            last_batch = writer->position();
        }
    }
    require(writer->sync());
    return last_batch;
}

inline Expected<std::vector<Event>> read_events(const std::filesystem::path& path) {
    std::vector<Event> events;
    ATOLL_TRY_ASSIGN(const auto reader, JournalReader::open(path));
    ATOLL_TRY(reader->for_each(0, [&](const JournalReader::Entry& entry) -> Status {
        if (entry.index != events.size()) {
            return failure(ErrorCode::internal, "events are numbered wrongly");
        }
        events.push_back(entry.event);
        return {};
    }));
    return events;
}

inline ArchiveEntry entry(std::uint64_t id, double fitness, std::vector<double> measures) {
    return {{id}, content_id(std::to_string(id)), fitness, "tiled", {}, std::move(measures)};
}

inline std::vector<std::uint64_t> ids(std::span<const ArchiveEntry> entries) {
    std::vector<std::uint64_t> all;
    for (const ArchiveEntry& e : entries) {
        all.push_back(e.id.value);
    }
    return all;
}

using Ids = std::vector<std::uint64_t>;

}  // namespace atl::samples
