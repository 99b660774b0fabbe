#pragma once

#include "population/journal/journal.hpp"
#include "population/lineage/lineage_stream.hpp"
#include "population/run_folder.hpp"
#include "search/candidate_store.hpp"
#include "search/ledger.hpp"
#include "tools/atoll/progress.hpp"

#include <filesystem>
#include <fstream>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace atl {

/// Writes a confirmed kernel's files into `folder`.
[[nodiscard]] Status write_confirmed(const std::filesystem::path& folder, const Task& task,
                                     const Confirmed& confirmed, const CampaignState& state,
                                     CandidateStore& candidates);

/// Everything that watches a campaign: the display, the log, the best kernel's files, lineage.h5.
/// For the engine's thread, but for stream_failed().
class SessionObserver final : public EngineObserver {
  public:
    SessionObserver(ProgressDisplay& display, const RunFolder& folder, const Task& task,
                    const JournalWriter& journal);

    /// Brings the best kernel's files up to date, which a killed session may not have come to.
    void session_begins(const CampaignState& state);
    void stream_to(LineageStream* stream) { m_stream = stream; }
    /// From any thread; told to the user at the next tick.
    void stream_failed(std::string text);
    /// Why the files of the best kernel are not those of the best; nothing when they are.
    [[nodiscard]] const std::optional<Error>& best_failure() const { return m_best_failure; }
    /// Whether anything right was recorded in this session.
    [[nodiscard]] bool saw_right_answers() const { return m_saw_right_answers; }
    /// A line in logs/campaign.log.
    void log(std::string_view text);

    void on_event(const Event& event, const CampaignState& state) override;
    void on_sync(const CampaignState& state) override;
    void on_tick(const CampaignState& state, std::int64_t elapsed_ns) override;
    void on_ending(const EndingView& ending) override;
    void on_remark(std::string_view text) override;

  private:
    void show_best(const CampaignState& state);
    [[nodiscard]] std::optional<std::string> take_stream_failure();

    ProgressDisplay& m_display;
    std::filesystem::path m_best;
    const Task& m_task;
    const JournalWriter& m_journal;
    CandidateStore m_candidates;
    std::ofstream m_log;
    std::optional<Error> m_best_failure;
    bool m_saw_right_answers = false;
    LineageStream* m_stream = nullptr;
    std::mutex m_mutex;  ///< guards the next
    std::optional<std::string> m_stream_failure;
};

}  // namespace atl
