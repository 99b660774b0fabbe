#include "tools/atoll/session_observer.hpp"

#include "population/lineage/text_layout.hpp"
#include "search/best_files.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>
#include <utility>

namespace atl {

Status write_confirmed(const std::filesystem::path& folder, const Task& task,
                       const Confirmed& confirmed, const CampaignState& state,
                       CandidateStore& candidates) {
    const Individual* individual = state.find(confirmed.individual);
    ATOLL_TRY_ASSIGN(const Candidate candidate, candidates.candidate(*individual));
    ATOLL_TRY_ASSIGN(const std::string verdict, candidates.texts().text(confirmed.verdict));
    return write_best_files(folder, task, *individual, candidate, confirmed, verdict);
}

SessionObserver::SessionObserver(ProgressDisplay& display, const RunFolder& folder,
                                 const Task& task, const JournalWriter& journal)
    : m_display(display),
      m_best(folder.best()),
      m_task(task),
      m_journal(journal),
      m_candidates(journal, task),
      m_log(folder.logs() / "campaign.log", std::ios::app) {}

void SessionObserver::session_begins(const CampaignState& state) {
    if (state.started()) {
        show_best(state);
    }
}

void SessionObserver::stream_failed(std::string text) {
    const std::scoped_lock lock(m_mutex);
    m_stream_failure = std::move(text);
}

std::optional<std::string> SessionObserver::take_stream_failure() {
    const std::scoped_lock lock(m_mutex);
    return std::exchange(m_stream_failure, std::nullopt);
}

void SessionObserver::log(std::string_view text) {
    const std::time_t now = std::time(nullptr);
    m_log << fmt::format("{:%FT%TZ} {}\n", fmt::gmtime(now), one_line(text, 2000)) << std::flush;
}

void SessionObserver::on_event(const Event& event, const CampaignState& state) {
    m_display.event(event, state);
    if (const auto* evaluated = std::get_if<Evaluated>(&event)) {
        m_saw_right_answers = m_saw_right_answers || evaluated->individual.fitness > 0;
    }
    if (std::holds_alternative<Confirmed>(event)) {
        show_best(state);
    }
}

void SessionObserver::on_sync(const CampaignState&) {
    if (m_stream != nullptr) {
        m_stream->nudge(m_journal.position());
    }
}

void SessionObserver::on_tick(const CampaignState& state, std::int64_t elapsed_ns) {
    if (const auto failure = take_stream_failure()) {
        on_remark(*failure);
    }
    m_display.tick(state, elapsed_ns);
}

void SessionObserver::on_ending(const EndingView& ending) {
    m_display.ending(ending);
}

void SessionObserver::on_remark(std::string_view text) {
    m_display.remark(text);
    log(text);
}

void SessionObserver::show_best(const CampaignState& state) {
    const auto& confirmed = state.confirmed();
    const Status status = confirmed
                              ? write_confirmed(m_best, m_task, *confirmed, state, m_candidates)
                              : remove_best_files(m_best, m_task);
    m_best_failure = status ? std::nullopt : std::optional(status.error());
    if (m_best_failure) {
        on_remark("the best kernel's files could not be written: " + m_best_failure->message());
    }
}

}  // namespace atl
