#include "tools/atoll/progress.hpp"

#include "population/lineage/text_layout.hpp"
#include "search/confirm.hpp"
#include "search/fitness.hpp"
#include "tools/atoll/model_report.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/ioctl.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace atl {

namespace {

constexpr std::size_t k_islands_shown = 5;
constexpr std::size_t k_remarks_kept = 20;
constexpr std::size_t k_remark_width = 300;
constexpr std::int64_t k_panel_interval_ns = 250'000'000;
constexpr std::int64_t k_line_interval_ns = 5'000'000'000;

std::size_t terminal_width(std::FILE* out) {
    winsize size{};
    const bool known = ::ioctl(::fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 3;
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
                fmt::format("{}{} {:.0f} %, {} improved", text.empty() ? "" : "; ", name,
                            100 * static_cast<double>(stats.issued) / static_cast<double>(total),
                            stats.improved);
        }
    }
    return text.empty() ? "none yet" : text;
}

std::string time_text(const ProgressFigures& f) {
    const double elapsed = static_cast<double>(f.elapsed_ns) / 1e9;
    if (!f.ending.empty()) {
        return clock_text(elapsed) + ", " + f.ending;
    }
    if (f.limit_seconds <= 0) {
        return clock_text(elapsed);
    }
    return fmt::format("{} of {}, {} left", clock_text(elapsed), clock_text(f.limit_seconds),
                       clock_text(std::ceil(f.limit_seconds - elapsed)));
}

std::string counted(std::uint64_t count, const std::string& what) {
    return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

// Nothing in the first second of a session: there is no rate yet.
std::string rate_text(const ProgressFigures& f) {
    return f.evaluations_per_second > 0 ? fmt::format(" ({:.1f}/s)", f.evaluations_per_second) : "";
}

std::string origin_text(const Individual& one) {
    return fmt::format("  ({} by {}, from {})", one.id.text(), one.operator_name, one.starter);
}

std::string confirmed_text(const CampaignState& state, const ProgressFigures& f) {
    if (!state.confirmed()) {
        return "none yet";
    }
    std::string text = fitness_text(state.confirmed()->fitness, f.speedup);
    if (f.confirmed_light_share > 0) {
        text += fmt::format(", {:.0f} % of the speed of light", 100 * f.confirmed_light_share);
    }
    return text + origin_text(*state.find(state.confirmed()->individual));
}

std::string fittest_text(const CampaignState& state, const ProgressFigures& f) {
    const Individual* fittest = fittest_not_refused(state);
    if (fittest == nullptr) {
        return "none yet";
    }
    if (state.confirmed() && state.confirmed()->individual == fittest->id) {
        return "the confirmed best";
    }
    return fitness_text(fittest->fitness * estimate_scale(state), f.speedup) + " search estimate" +
           origin_text(*fittest);
}

// nullptr when the island has none that was not turned down.
const ArchiveEntry* best_of(const IslandState& island, const std::set<Digest>& refused) {
    const ArchiveEntry* best = nullptr;
    for (const ArchiveEntry& entry : island.archive.entries()) {
        if (!refused.contains(entry.key) && (best == nullptr || ranks_before(entry, *best))) {
            best = &entry;
        }
    }
    return best;
}

nlohmann::json islands_json(const CampaignState& state) {
    const std::set<Digest> refused = keys_turned_down(state);
    const double scale = estimate_scale(state);
    nlohmann::json islands = nlohmann::json::array();
    for (const IslandState& island : state.islands()) {
        const ArchiveEntry* best = best_of(island, refused);
        islands.push_back({{"best", best == nullptr ? 0 : best->fitness * scale},
                           {"kept", island.archive.entries().size()}});
    }
    return islands;
}

// Names and remarks may hold any bytes, and no line may end a campaign.
std::string json_line(const nlohmann::json& json) {
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

nlohmann::json outcomes_json(const CampaignState& state) {
    nlohmann::json outcomes = nlohmann::json::object();
    for (int i = 0; i < k_outcome_count; ++i) {
        if (const std::uint64_t count = state.outcomes()[static_cast<std::size_t>(i)]) {
            outcomes[to_string(Outcome(i))] = count;
        }
    }
    return outcomes;
}

}  // namespace

std::string fitness_text(double fitness, bool speedup) {
    return speedup ? fmt::format("{:.2f}x", fitness) : fmt::format("{:.4g}", fitness);
}

std::string progress_panel(const CampaignState& state, const ProgressFigures& f,
                           std::size_t width) {
    const double scale = estimate_scale(state);
    const std::set<Digest> refused = keys_turned_down(state);
    std::vector<std::string> lines;
    lines.push_back(fmt::format("{}   {}", f.title, time_text(f)));
    lines.push_back(fmt::format("evaluations  {}{}, {}, {}, {} in work", state.evaluations(),
                                rate_text(f), counted(state.duplicates(), "duplicate"),
                                counted(state.migrations(), "migration"),
                                state.in_flight().size()));
    lines.push_back("confirmed    " + confirmed_text(state, f));
    lines.push_back("fittest      " + fittest_text(state, f));
    for (std::size_t i = 0; i < std::min(k_islands_shown, state.islands().size()); ++i) {
        const ArchiveEntry* best = best_of(state.islands()[i], refused);
        lines.push_back(best == nullptr
                            ? fmt::format("island {:<5} empty", i)
                            : fmt::format("island {:<5} {:<8} {}, {} kept", i,
                                          fitness_text(best->fitness * scale, f.speedup),
                                          best->starter,
                                          state.islands()[i].archive.entries().size()));
    }
    if (state.islands().size() > k_islands_shown) {
        lines.push_back("             and " +
                        counted(state.islands().size() - k_islands_shown, "more island"));
    }
    lines.push_back("outcomes     " + outcomes_text(state));
    lines.push_back("operators    " + operators_text(state));
    if (const std::string models = model_summary(state); !models.empty()) {
        lines.push_back("models       " + models);
    }
    std::string text;
    for (const std::string& line : lines) {
        text += one_line(line, width) + "\n";
    }
    return text;
}

std::string progress_line(const CampaignState& state, const ProgressFigures& f) {
    const double scale = estimate_scale(state);
    const std::set<Digest> refused = keys_turned_down(state);
    std::string islands;
    for (std::size_t i = 0; i < std::min(k_islands_shown, state.islands().size()); ++i) {
        const ArchiveEntry* best = best_of(state.islands()[i], refused);
        islands +=
            (islands.empty() ? "" : " ") +
            (best == nullptr ? std::string("-") : fitness_text(best->fitness * scale, f.speedup));
    }
    const Individual* fittest = fittest_not_refused(state);
    const std::string models = model_summary(state);
    return fmt::format(
        "{}  evaluations {}{}  confirmed {}  search estimate {}  islands {}{}\n", time_text(f),
        state.evaluations(), rate_text(f),
        state.confirmed() ? fitness_text(state.confirmed()->fitness, f.speedup) : "-",
        fittest == nullptr ? "-" : fitness_text(fittest->fitness * scale, f.speedup), islands,
        models.empty() ? "" : "  models " + models);
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

double ProgressDisplay::seconds_at(std::int64_t elapsed_ns) {
    m_last_seconds = std::max(m_last_seconds, static_cast<double>(elapsed_ns) / 1e9);
    return m_last_seconds;
}

void ProgressDisplay::look_at_best(const CampaignState& state) {
    const Individual* best = m_fittest.of(state);
    if (best == nullptr || best->fitness <= m_best_fitness) {
        return;
    }
    m_best_fitness = best->fitness;
    const auto text = m_texts.text(best->verdict);
    const auto verdict = text ? parse_verdict(*text) : tl::unexpected(text.error());
    print(json_line({{"event", "best"},
                     {"individual", best->id.text()},
                     {"fitness", best->fitness},
                     {"estimate", best->fitness * estimate_scale(state)},
                     {"time_ns", best->time_ns},
                     {"light_share", verdict ? light_share(*verdict) : 0},
                     {"operator", best->operator_name},
                     {"starter", best->starter},
                     {"elapsed_s", seconds_at(best->done_ns)}}));
}

double ProgressDisplay::share_of(const Confirmed& confirmed) const {
    const auto text = m_texts.text(confirmed.verdict);
    const auto verdict = text ? parse_verdict(*text) : tl::unexpected(text.error());
    return verdict ? light_share(*verdict) : 0;
}

void ProgressDisplay::look_at_confirmed(const Confirmed& confirmed) {
    if (m_style == ProgressStyle::json) {
        print(json_line({{"event", "confirmed"},
                         {"individual", confirmed.individual.text()},
                         {"accepted", confirmed.accepted},
                         {"fitness", confirmed.fitness},
                         {"light_share", share_of(confirmed)},
                         {"outcome", to_string(confirmed.outcome)},
                         {"elapsed_s", seconds_at(confirmed.at_ns)}}));
    }
}

void ProgressDisplay::event(const Event& event, const CampaignState& state) {
    if (m_style == ProgressStyle::json && std::holds_alternative<TicketCommitted>(event)) {
        look_at_best(state);
    } else if (const auto* confirmed = std::get_if<Confirmed>(&event)) {
        m_fittest.look_again();
        m_figures.confirmed_light_share = state.confirmed() ? share_of(*state.confirmed()) : 0;
        look_at_confirmed(*confirmed);
    }
}

void ProgressDisplay::print_progress(const CampaignState& state) {
    const double elapsed = seconds_at(m_figures.elapsed_ns);
    const Individual* best = fittest_not_refused(state);
    nlohmann::json line = {
        {"event", "progress"},
        {"elapsed_s", elapsed},
        {"seconds_left", nullptr},
        {"evaluations", state.evaluations()},
        {"evaluations_per_second", m_figures.evaluations_per_second},
        {"best", best == nullptr ? 0 : best->fitness},
        {"estimate", best == nullptr ? 0 : best->fitness * estimate_scale(state)},
        {"confirmed", nullptr},
        {"islands", islands_json(state)},
        {"outcomes", outcomes_json(state)},
        {"models", model_json(state)}};
    if (m_figures.limit_seconds > 0) {
        line["seconds_left"] = std::max(0.0, m_figures.limit_seconds - elapsed);
    }
    if (state.confirmed()) {
        line["confirmed"] = state.confirmed()->fitness;
    }
    print(json_line(line));
}

void ProgressDisplay::tick(const CampaignState& state, std::int64_t elapsed_ns) {
    if (m_style == ProgressStyle::none) {
        return;
    }
    if (m_session_begin < 0) {
        m_session_begin = elapsed_ns;
        if (state.confirmed()) {  // a resumed campaign
            m_figures.confirmed_light_share = share_of(*state.confirmed());
        }
    }
    if (elapsed_ns < m_next_ns) {
        return;
    }
    m_next_ns =
        elapsed_ns + (m_style == ProgressStyle::panel ? k_panel_interval_ns : k_line_interval_ns);
    m_figures.elapsed_ns = elapsed_ns;
    const double seconds = static_cast<double>(elapsed_ns - m_session_begin) / 1e9;
    const auto done = static_cast<double>(state.evaluations() - m_evaluations_before);
    m_figures.evaluations_per_second = seconds >= 1 ? done / seconds : 0;
    if (m_style == ProgressStyle::lines) {
        print(progress_line(state, m_figures));
    } else if (m_style == ProgressStyle::json) {
        print_progress(state);
    } else {
        erase_panel();
        std::string panel = progress_panel(state, m_figures, terminal_width(m_out));
        if (!m_last_remark.empty()) {
            panel += one_line("note         " + m_last_remark, terminal_width(m_out)) + "\n";
        }
        m_panel_lines = static_cast<std::size_t>(std::count(panel.begin(), panel.end(), '\n'));
        print(panel);
    }
}

void ProgressDisplay::ending(const EndingView& ending) {
    const bool said = !m_figures.ending.empty();
    const bool new_signal = !m_signal_said && !ending.signal.empty();
    m_signal_said = m_signal_said || new_signal;
    m_figures.ending = ending.confirming ? "confirming the best" : "stopping";
    if (!ending.confirming && ending.waiting > 0) {
        m_figures.ending += ": waiting for " + counted(ending.waiting, "evaluation");
    }
    if (said && !new_signal) {
        return;
    }
    m_next_ns = 0;  // shown at once
    const std::string then = std::string(ending.confirming ? "" : ", then confirming") +
                             (new_signal ? "; Ctrl-C again ends at once" : "");
    announce(fmt::format("{}: {}{}", said ? ending.signal : ending.reason, m_figures.ending, then));
}

void ProgressDisplay::remark(std::string_view text) {
    if (m_style == ProgressStyle::panel) {
        std::string line = one_line(text, k_remark_width);
        const bool known = std::find(m_remarks.begin(), m_remarks.end(), line) != m_remarks.end();
        if (!known && m_remarks.size() < k_remarks_kept) {
            m_remarks.push_back(std::move(line));
        } else if (!known) {
            ++m_more_remarks;
        }
    }
    announce(text);
}

void ProgressDisplay::announce(std::string_view text) {
    if (m_style == ProgressStyle::panel) {
        m_last_remark = std::string(text);
    } else if (m_style == ProgressStyle::lines) {
        print("note: " + one_line(text, k_remark_width) + "\n");
    } else if (m_style == ProgressStyle::json) {
        print(json_line({{"event", "remark"}, {"text", printable(text)}}));
    }
}

void ProgressDisplay::clear() {
    erase_panel();
    for (const std::string& remark : m_remarks) {
        print("note: " + remark + "\n");
    }
    if (m_more_remarks > 0) {
        print(fmt::format("note: and {} more in the run's logs/\n", m_more_remarks));
    }
    m_remarks.clear();
    m_more_remarks = 0;
}

void ProgressDisplay::erase_panel() {
    if (m_panel_lines > 0) {
        print(fmt::format("\x1b[{}A\x1b[J", m_panel_lines));  // up, and clear to the end
        m_panel_lines = 0;
    }
}

}  // namespace atl
