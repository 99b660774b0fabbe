#pragma once

#include "population/journal/text_store.hpp"
#include "reward/task.hpp"
#include "search/config.hpp"
#include "search/confirm.hpp"
#include "search/ledger.hpp"

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace atl {

enum class ProgressStyle {
    panel,  ///< redrawn in place, for terminals
    lines,  ///< one line every 5 s, for logs
    json,   ///< one JSON object per line (tools/README.md lists them)
    none,
};

/// The numbers that the display shows, computed from the state alone.
struct ProgressFigures {
    std::string title;
    std::int64_t elapsed_ns = 0;
    double limit_seconds = 0;  ///< 0: none
    double evaluations_per_second = 0;
    double confirmed_light_share = 0;  ///< of the confirmed best's speed of light; 0 unknown
    bool speedup = true;               ///< fitness is a speed-up
    std::string ending;                ///< what the end still waits for; empty while it searches
};

/// Confirmed numbers first; what the search found after them is an estimate on the same scale
/// (search/confirm.hpp), and nothing that was turned down is shown. At most 13 lines, each at most
/// `width` columns.
[[nodiscard]] std::string progress_panel(const CampaignState& state, const ProgressFigures& figures,
                                         std::size_t width);
[[nodiscard]] std::string progress_line(const CampaignState& state, const ProgressFigures& figures);

/// "12.3x" for speed-ups, "0.612" for others.
[[nodiscard]] std::string fitness_text(double fitness, bool speedup);

/// Shows a running campaign on `out`.
class ProgressDisplay {
  public:
    ProgressDisplay(ProgressStyle style, std::FILE* out, const CampaignConfig& config,
                    const TextSource& texts, std::uint64_t evaluations_before);

    void event(const Event& event, const CampaignState& state);
    void tick(const CampaignState& state, std::int64_t elapsed_ns);
    /// The campaign is to stop: says so once, and what it waits for; and once that a signal has
    /// come and what the next one does.
    void ending(const EndingView& ending);
    void remark(std::string_view text);
    /// Takes the panel away, so that the end report can be printed, and leaves the remarks in its
    /// place: the panel showed only the last.
    void clear();

  private:
    void print(const std::string& text);
    void announce(std::string_view text);
    void erase_panel();
    void look_at_best(const CampaignState& state);
    void look_at_confirmed(const Confirmed& confirmed);
    [[nodiscard]] double share_of(const Confirmed& confirmed) const;
    /// Seconds that never go back, whatever clock an event carries.
    double seconds_at(std::int64_t elapsed_ns);
    void print_progress(const CampaignState& state);

    ProgressStyle m_style;
    std::FILE* m_out;
    const TextSource& m_texts;
    ProgressFigures m_figures;
    std::uint64_t m_evaluations_before;
    std::int64_t m_session_begin = -1;
    std::int64_t m_next_ns = 0;
    std::size_t m_panel_lines = 0;
    bool m_signal_said = false;
    std::string m_last_remark;
    std::vector<std::string> m_remarks;  ///< distinct ones, for after the panel
    std::uint64_t m_more_remarks = 0;
    FittestNotRefused m_fittest;
    double m_best_fitness = 0;
    double m_last_seconds = 0;
};

}  // namespace atl
