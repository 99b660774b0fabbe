#pragma once

#include "population/campaign_state.hpp"
#include "population/event.hpp"
#include "population/journal/journal.hpp"
#include "reward/base/error.hpp"

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace atl {

/// How far the end of a campaign has come.
struct EndingView {
    std::string_view reason;
    std::size_t waiting = 0;  ///< tickets that still work
    bool confirming = false;
    std::string_view signal = {};  ///< that came, whether or not it is the reason; empty: none
};

/// Sees what happens in a campaign; called on the engine's thread, must not block.
class EngineObserver {
  public:
    virtual ~EngineObserver() = default;
    /// The event is durable: it may be announced. `state` may hold later ones of the same sync.
    virtual void on_event(const Event& event, const CampaignState& state) = 0;
    /// After the events of one sync: everything recorded so far is durable.
    virtual void on_sync(const CampaignState& state) = 0;
    /// Now and then, whether or not something happened.
    virtual void on_tick(const CampaignState& state, std::int64_t elapsed_ns) = 0;
    /// The same, once the campaign is to stop: after each on_tick() until it has.
    virtual void on_ending(const EndingView&) {}
    /// A remark for the user, e.g. a fault that was retried.
    virtual void on_remark(std::string_view text) = 0;
};

/// The campaign's state together with the journal that is its truth: an event changes both or the
/// campaign ends. Not thread-safe.
class Ledger {
  public:
    struct Options {
        /// Events between snapshots, at least; 0: never. A snapshot holds the whole state, so they
        /// get rarer as it grows: all together cost a few times what the last one costs, and a
        /// resume replays at most a quarter of the events.
        std::uint64_t snapshot_every = 0;
        /// Stores a snapshot of the state as of the journal's synced end. It only saves time, so a
        /// failure is no more than a remark.
        std::function<Status(const CampaignState&, std::uint64_t position)> snapshot;
        EngineObserver* observer = nullptr;
        /// Told of each event before it is recorded; an error ends the campaign, with nothing
        /// recorded. Empty: none.
        std::function<Status(const Event&)> before;
    };

    Ledger(CampaignState state, JournalWriter& journal, Options options)
        : m_state(std::move(state)), m_journal(journal), m_options(std::move(options)) {}

    [[nodiscard]] Status record(Event event);
    [[nodiscard]] Expected<Digest> put_text(std::string_view text, const Digest& similar = {}) {
        return m_journal.put_text(text, similar);
    }
    /// Makes everything recorded durable. Call it between decisions only: a snapshot may be taken
    /// here, and must not fall between a commit and its migrations.
    [[nodiscard]] Status sync();
    /// Takes a snapshot now. Call after sync().
    void snapshot();

    [[nodiscard]] const CampaignState& state() const { return m_state; }
    /// The state, taken out: the ledger is of no more use.
    [[nodiscard]] CampaignState take_state() && { return std::move(m_state); }
    [[nodiscard]] const JournalWriter& texts() const { return m_journal; }

  private:
    CampaignState m_state;
    JournalWriter& m_journal;
    Options m_options;
    bool m_dirty = false;
    std::vector<Event> m_unannounced;  ///< recorded, not durable yet
    std::uint64_t m_since_snapshot = 0;
};

}  // namespace atl
