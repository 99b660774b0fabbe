#include "tools/atoll/progress.hpp"

#include "population/lineage/text_layout.hpp"
#include "search/fitness.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/ioctl.h>

#include <algorithm>
#include <cmath>

namespace atl {

namespace {

constexpr std::size_t k_islands_shown = 5;
constexpr std::int64_t k_panel_interval_ns = 250'000'000;
constexpr std::int64_t k_line_interval_ns = 5'000'000'000;

std::size_t terminal_width(std::FILE* out) {
    winsize size{};
    const bool known = ::ioctl(::fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col >= 20;
    return known ? size.ws_col - 1u : 79u;
}

std::string clock_text(double seconds) {
    const auto whole = static_cast<std::int64_t>(std::max(0.0, seconds));
    return fmt::format("{:02}:{:02}", whole / 60, whole % 60);
}

std::string outcomes_text(const CampaignState& state) {
    std::string text;
    for (int i = 0; i < k_outcome_count; ++i) {
        const std::uint64_t count = state.outcomes()[static_cast<std::size_t>(i)];
        if (count > 0) {
            text += fmt::format("{}{} {}", text.empty() ? "" : ", ", to_string(Outcome(i)), count);
        }
    }
    return text.empty() ? "none yet" : text;
}

std::string operators_text(const CampaignState& state) {
    std::uint64_t total = 0;
    for (const auto& [name, stats] : state.operators()) {
        total += name == "starter" ? 0 : stats.issued;
    }
    std::string text;
    for (const auto& [name, stats] : state.operators()) {
        if (name != "starter" && total > 0) {
            text +=
                fmt::format("{}{} {:.0f} % of tickets, {} improved", text.empty() ? "" : "; ", name,
                            100 * static_cast<double>(stats.issued) / static_cast<double>(total),
                            stats.improved);
        }
    }
    return text.empty() ? "none yet" : text;
}

std::string time_budget_text(const ProgressFigures& f) {
    const double elapsed = static_cast<double>(f.elapsed_ns) / 1e9;
    if (f.limit_seconds <= 0) {
        return clock_text(elapsed);
    }
    return fmt::format("{} of {}, {} left", clock_text(elapsed), clock_text(f.limit_seconds),
                       clock_text(std::ceil(f.limit_seconds - elapsed)));
}

std::string best_text(const CampaignState& state, const ProgressFigures& f) {
    const Individual* best = state.best();
    if (best == nullptr) {
        return "none yet";
    }
    std::string text = fitness_text(best->fitness, f.speedup);
    if (f.best_light_share > 0) {
        text += fmt::format(", {:.0f} % of the speed of light", 100 * f.best_light_share);
    }
    return text + fmt::format("  ({} by {}, from {})", best->id.text(), best->operator_name,
                              best->starter);
}

}  // namespace

std::string fitness_text(double fitness, bool speedup) {
    return speedup ? fmt::format("{:.2f}x", fitness) : fmt::format("{:.4g}", fitness);
}

std::string progress_panel(const CampaignState& state, const ProgressFigures& f,
                           std::size_t width) {
    std::vector<std::string> lines;
    lines.push_back(fmt::format("{}   {}", f.title, time_budget_text(f)));
    lines.push_back(
        fmt::format("evaluations  {} ({:.1f}/s), {} duplicates, {} migrations, {} in work",
                    state.evaluations(), f.evaluations_per_second, state.duplicates(),
                    state.migrations(), state.in_flight().size()));
    lines.push_back("best so far  " + best_text(state, f));
    lines.push_back("confirmed    " + (state.confirmed()
                                           ? fitness_text(state.confirmed()->fitness, f.speedup)
                                           : std::string("none yet")));
    for (std::size_t i = 0; i < std::min(k_islands_shown, state.islands().size()); ++i) {
        const ArchiveEntry* best = state.islands()[i].archive.best();
        lines.push_back(best == nullptr
                            ? fmt::format("island {:<5} empty", i)
                            : fmt::format("island {:<5} {:<8} {}, {} kept", i,
                                          fitness_text(best->fitness, f.speedup), best->starter,
                                          state.islands()[i].archive.entries().size()));
    }
    if (state.islands().size() > k_islands_shown) {
        lines.push_back(fmt::format("             and {} more islands",
                                    state.islands().size() - k_islands_shown));
    }
    lines.push_back("outcomes     " + outcomes_text(state));
    lines.push_back("operators    " + operators_text(state));
    std::string text;
    for (const std::string& line : lines) {
        text += one_line(line, width) + "\n";
    }
    return text;
}

std::string progress_line(const CampaignState& state, const ProgressFigures& f) {
    std::string islands;
    for (std::size_t i = 0; i < std::min(k_islands_shown, state.islands().size()); ++i) {
        const ArchiveEntry* best = state.islands()[i].archive.best();
        islands += (islands.empty() ? "" : " ") +
                   (best == nullptr ? std::string("-") : fitness_text(best->fitness, f.speedup));
    }
    return fmt::format(
        "{}  evaluations {} ({:.1f}/s)  best {}  confirmed {}  islands {}\n", time_budget_text(f),
        state.evaluations(), f.evaluations_per_second,
        state.best() == nullptr ? "-" : fitness_text(state.best()->fitness, f.speedup),
        state.confirmed() ? fitness_text(state.confirmed()->fitness, f.speedup) : "-", islands);
}

ProgressDisplay::ProgressDisplay(ProgressStyle style, std::FILE* out, const CampaignConfig& config,
                                 const TextSource& texts, std::uint64_t evaluations_before)
    : m_style(style), m_out(out), m_texts(texts), m_evaluations_before(evaluations_before) {
    m_figures.title = "atoll  " + config.campaign.name;
    m_figures.limit_seconds = config.stop.seconds;
    m_figures.speedup = config.score == "speedup";
}

void ProgressDisplay::print(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), m_out);
    std::fflush(m_out);
}

void ProgressDisplay::look_at_best(const CampaignState& state) {
    const Individual* best = state.best();
    if (best == nullptr || (m_has_best && best->id == m_best)) {
        return;
    }
    m_has_best = true;
    m_best = best->id;
    const auto text = m_texts.text(best->verdict);
    const auto verdict = text ? parse_verdict(*text) : tl::unexpected(text.error());
    m_figures.best_light_share = verdict ? light_share(*verdict) : 0;
    if (m_style == ProgressStyle::json) {
        print(nlohmann::json{{"event", "best"},
                             {"individual", best->id.text()},
                             {"fitness", best->fitness},
                             {"time_ns", best->time_ns},
                             {"light_share", m_figures.best_light_share},
                             {"operator", best->operator_name},
                             {"starter", best->starter},
                             {"elapsed_s", static_cast<double>(best->done_ns) / 1e9}}
                  .dump() +
              "\n");
    }
}

void ProgressDisplay::event(const Event& event, const CampaignState& state) {
    if (m_style != ProgressStyle::json) {
        return;
    }
    if (std::holds_alternative<TicketCommitted>(event)) {
        look_at_best(state);
    } else if (const auto* confirmed = std::get_if<Confirmed>(&event)) {
        print(nlohmann::json{{"event", "confirmed"},
                             {"individual", confirmed->individual.text()},
                             {"accepted", confirmed->accepted},
                             {"fitness", confirmed->fitness},
                             {"outcome", to_string(confirmed->outcome)}}
                  .dump() +
              "\n");
    } else if (const auto* stopped = std::get_if<CampaignStopped>(&event)) {
        print(nlohmann::json{{"event", "stopped"},
                             {"reason", stopped->reason},
                             {"finished", stopped->finished},
                             {"evaluations", state.evaluations()},
                             {"elapsed_s", static_cast<double>(stopped->at_ns) / 1e9}}
                  .dump() +
              "\n");
    }
}

void ProgressDisplay::tick(const CampaignState& state, std::int64_t elapsed_ns) {
    if (m_style == ProgressStyle::none) {
        return;
    }
    if (m_session_begin < 0) {
        m_session_begin = elapsed_ns;
    }
    if (elapsed_ns < m_next_ns) {
        return;
    }
    m_next_ns =
        elapsed_ns + (m_style == ProgressStyle::panel ? k_panel_interval_ns : k_line_interval_ns);
    look_at_best(state);
    m_figures.elapsed_ns = elapsed_ns;
    const double seconds = static_cast<double>(elapsed_ns - m_session_begin) / 1e9;
    const auto done = static_cast<double>(state.evaluations() - m_evaluations_before);
    m_figures.evaluations_per_second = seconds > 0 ? done / seconds : 0;
    if (m_style == ProgressStyle::lines) {
        print(progress_line(state, m_figures));
    } else if (m_style == ProgressStyle::json) {
        print(nlohmann::json{{"event", "progress"},
                             {"elapsed_s", static_cast<double>(elapsed_ns) / 1e9},
                             {"evaluations", state.evaluations()},
                             {"evaluations_per_second", m_figures.evaluations_per_second},
                             {"best", state.best() == nullptr ? 0 : state.best()->fitness}}
                  .dump() +
              "\n");
    } else {
        clear();
        std::string panel = progress_panel(state, m_figures, terminal_width(m_out));
        if (!m_last_remark.empty()) {
            panel += one_line("note         " + m_last_remark, terminal_width(m_out)) + "\n";
        }
        m_panel_lines = static_cast<std::size_t>(std::count(panel.begin(), panel.end(), '\n'));
        print(panel);
    }
}

void ProgressDisplay::remark(std::string_view text) {
    if (m_style == ProgressStyle::panel) {
        m_last_remark = std::string(text);
    } else if (m_style == ProgressStyle::lines) {
        print("note: " + one_line(text, 300) + "\n");
    } else if (m_style == ProgressStyle::json) {
        print(nlohmann::json{{"event", "remark"}, {"text", printable(text)}}.dump() + "\n");
    }
}

void ProgressDisplay::clear() {
    if (m_panel_lines > 0) {
        print(fmt::format("\x1b[{}A\x1b[J", m_panel_lines));  // up, and clear to the end
        m_panel_lines = 0;
    }
}

}  // namespace atl
