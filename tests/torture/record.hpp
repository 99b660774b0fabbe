#pragma once

#include "population/campaign_state.hpp"
#include "population/event.hpp"
#include "tests/torture/bench.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace atl::torture {

/// The events in a journal, as bytes too.
struct Record {
    std::vector<Event> events;
    std::vector<std::string> bytes;   ///< encode_event() of each
    std::vector<std::uint64_t> ends;  ///< where each ends in the file
    std::string problem;              ///< why there is no more; empty: that is all
};

/// `most`: nothing behind this byte is looked at.
[[nodiscard]] Record read_record(const std::filesystem::path& run,
                                 std::uint64_t most = ~std::uint64_t{0});
/// The state that the events make; nullopt when they make none.
[[nodiscard]] std::optional<CampaignState> state_of(const Record& record);

/// Committed individuals of the campaign in that folder; none when there is none.
[[nodiscard]] std::vector<Individual> individuals_in(const std::filesystem::path& run);

/// What must be equal in two runs of one campaign in ticket order: every decision and every result,
/// but no times and what is stored with them.
[[nodiscard]] std::vector<std::string> essence(const Record& record);

/// Everything that the processes of a campaign promised before they died: what they printed, and
/// what an fsync that returned had covered. Nothing of it may ever be missing or change.
class Promises {
  public:
    /// Call when a session has ended, before the run folder is touched.
    void take(const Bench& bench, const Session& session);
    /// What of all that is missing now; empty: nothing.
    [[nodiscard]] std::vector<std::string> broken(const Bench& bench) const;

    [[nodiscard]] std::size_t events() const { return m_events.size(); }
    [[nodiscard]] std::size_t lines() const { return m_lines; }

  private:
    std::vector<std::string> m_events;  ///< durable ones, in order
    std::vector<std::string> m_best;    ///< individuals called best or confirmed
    std::vector<std::string> m_confirmed;
    std::uint64_t m_evaluations = 0;
    std::size_t m_lines = 0;
};

}  // namespace atl::torture
