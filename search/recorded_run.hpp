#pragma once

#include "mutators/model/chat.hpp"
#include "population/event.hpp"
#include "population/journal/journal.hpp"
#include "reward/base/error.hpp"
#include "reward/verdict.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace atl {

/// A campaign's journal, from which run_engine() takes the campaign again, event by event, without
/// models and without a device: replies and verdicts are those of the record, and each ticket goes
/// on when the record says that it did. Every other decision is the engine's own. An event that
/// does not come out as it was recorded ends the replay, and the error names it. Not thread-safe.
class RecordedRun {
  public:
    /// Reads all of it into memory. Errors: of the journal; invalid_argument for one that is no
    /// campaign's.
    [[nodiscard]] static Expected<std::unique_ptr<RecordedRun>> open(
        const std::filesystem::path& journal);

    [[nodiscard]] const CampaignStarted& started() const;
    [[nodiscard]] const TextSource& texts() const { return *m_reader; }

    /// The event that comes next; nullptr at the end. Sessions that stopped before another opened
    /// are passed over.
    [[nodiscard]] const Event* next() const;
    /// Whether the next event is the ticket's: only then it may go on.
    [[nodiscard]] bool is_turn_of(std::uint64_t ticket) const;
    /// Of the recorded evaluation of that candidate by that starter ticket.
    [[nodiscard]] Expected<Verdict> starter_verdict(const Digest& key) const;
    /// The verdict in the next event, which REQUIRES it to be an evaluation.
    [[nodiscard]] Expected<Verdict> next_verdict() const;
    /// The answer in the next event, which REQUIRES it to be an exchange with a model.
    [[nodiscard]] Expected<ChatReply> next_reply() const;

    /// Compares what was recorded anew with the next event and goes on to the one behind it. Times
    /// and costs aside: corrupt, with the number of the event, where they differ.
    [[nodiscard]] Status see(const Event& event);
    /// How many events came out as recorded.
    [[nodiscard]] std::size_t seen() const { return m_seen; }

  private:
    RecordedRun() = default;
    void pass_over();

    std::unique_ptr<JournalReader> m_reader;
    std::vector<Event> m_events;
    std::size_t m_next = 0;
    std::size_t m_seen = 0;
};

/// Of an event of a ticket's work (evaluated, turned down, asked, failed, committed); nullopt for
/// others.
[[nodiscard]] std::optional<std::uint64_t> ticket_of(const Event& event);

/// The same without times and costs, which no two runs share.
[[nodiscard]] Event without_times(Event event);

}  // namespace atl
