#include "search/recorded_run.hpp"

#include "mutators/model/chat_json.hpp"
#include "mutators/model/exchange_record.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <tuple>
#include <utility>

namespace atl {

namespace {

struct TicketOf {
    std::optional<std::uint64_t> operator()(const Evaluated& event) const {
        return event.individual.id.ticket();
    }
    std::optional<std::uint64_t> operator()(const TurnedDown& event) const {
        return event.proposal.id.ticket();
    }
    std::optional<std::uint64_t> operator()(const ModelExchanged& event) const {
        return event.ticket;
    }
    std::optional<std::uint64_t> operator()(const TicketFailed& event) const {
        return event.ticket;
    }
    std::optional<std::uint64_t> operator()(const TicketCommitted& event) const {
        return event.ticket;
    }
    template <class Other>
    std::optional<std::uint64_t> operator()(const Other&) const {
        return std::nullopt;
    }
};

struct TakeTimes {
    static void of(Individual& individual) {
        individual.asked_ns = 0;
        individual.done_ns = 0;
    }
    void operator()(TicketIssued& event) const { event.at_ns = 0; }
    void operator()(Evaluated& event) const { of(event.individual); }
    void operator()(TurnedDown& event) const { of(event.proposal); }
    void operator()(TicketCommitted& event) const {
        event.at_ns = 0;
        event.compile_seconds = 0;
        event.device_seconds = 0;
    }
    void operator()(Confirmed& event) const { event.at_ns = 0; }
    void operator()(ModelExchanged& event) const {
        event.at_ns = 0;
        event.seconds = 0;
    }
    void operator()(InsightNoted& event) const { event.at_ns = 0; }
    void operator()(CampaignStopped& event) const { event.at_ns = 0; }
    void operator()(SessionOpened& event) const {
        event.wall_ns = 0;
        event.device.clear();
        event.limits = {};
    }
    void operator()(CampaignStarted& event) const {
        event.atoll_version.clear();
        event.config.clear();  // a newer program writes keys that the record does not have
        event.device.clear();
        event.fingerprint.clear();
        event.started_wall_ns = 0;
    }
    template <class Other>
    void operator()(Other&) const {}
};

// A question that failed, of a ticket that was then interrupted, was asked again by a later session
// as the same occurrence: an uninterrupted campaign asks it once.
void drop_asked_again(std::vector<Event>& events) {
    using Key = std::tuple<std::uint64_t, Digest, std::uint64_t>;
    std::set<Key> later;
    std::vector<Event> kept;
    for (auto event = events.rbegin(); event != events.rend(); ++event) {
        if (const auto* one = std::get_if<ModelExchanged>(&*event)) {
            const bool is_last = later.insert({one->ticket, one->request, one->occurrence}).second;
            if (!is_last && one->reply.is_zero()) {
                continue;
            }
        }
        kept.push_back(std::move(*event));
    }
    events.assign(std::make_move_iterator(kept.rbegin()), std::make_move_iterator(kept.rend()));
}

}  // namespace

std::optional<std::uint64_t> ticket_of(const Event& event) {
    return std::visit(TicketOf(), event);
}

Event without_times(Event event) {
    std::visit(TakeTimes(), event);
    return event;
}

Expected<std::unique_ptr<RecordedRun>> RecordedRun::open(const std::filesystem::path& journal) {
    std::unique_ptr<RecordedRun> run(new RecordedRun());
    ATOLL_TRY_ASSIGN(run->m_reader, JournalReader::open(journal));
    ATOLL_TRY(run->m_reader->for_each(0, [&](const JournalReader::Entry& entry) -> Status {
        run->m_events.push_back(entry.event);
        return {};
    }));
    drop_asked_again(run->m_events);
    if (run->m_events.empty() || !std::holds_alternative<CampaignStarted>(run->m_events.front())) {
        return failure(ErrorCode::invalid_argument, "is no journal of a campaign",
                       journal.string());
    }
    return run;
}

const CampaignStarted& RecordedRun::started() const {
    return std::get<CampaignStarted>(m_events.front());
}

const Event* RecordedRun::next() const {
    return m_next < m_events.size() ? &m_events[m_next] : nullptr;
}

bool RecordedRun::is_turn_of(std::uint64_t ticket) const {
    const Event* event = next();
    return event != nullptr && ticket_of(*event) == ticket;
}

Expected<Verdict> RecordedRun::starter_verdict(const Digest& key) const {
    for (const Event& event : m_events) {
        const auto* evaluated = std::get_if<Evaluated>(&event);
        if (evaluated != nullptr && evaluated->individual.key == key &&
            !evaluated->individual.verdict.is_zero()) {
            ATOLL_TRY_ASSIGN(const std::string text, texts().text(evaluated->individual.verdict));
            return parse_verdict(text);
        }
    }
    return failure(ErrorCode::not_found, "the record has no verdict of a starter");
}

Expected<Verdict> RecordedRun::next_verdict() const {
    ATOLL_TRY_ASSIGN(const std::string text,
                     texts().text(std::get<Evaluated>(*next()).individual.verdict));
    return parse_verdict(text);
}

Expected<ChatReply> RecordedRun::next_reply() const {
    const auto& exchange = std::get<ModelExchanged>(*next());
    if (exchange.reply.is_zero()) {
        return tl::unexpected(recorded_error(exchange));
    }
    ATOLL_TRY_ASSIGN(const std::string text, texts().text(exchange.reply));
    return read_chat_reply(text, 1);
}

void RecordedRun::pass_over() {
    // How a session ended matters only where no other follows.
    while (m_next + 1 < m_events.size() &&
           std::holds_alternative<CampaignStopped>(m_events[m_next])) {
        ++m_next;
    }
}

Status RecordedRun::see(const Event& event) {
    const Event* recorded = next();
    if (recorded == nullptr && std::holds_alternative<CampaignStopped>(event)) {
        return {};  // a record that was cut off
    }
    if (recorded == nullptr ||
        encode_event(without_times(*recorded)) != encode_event(without_times(event))) {
        return failure(ErrorCode::corrupt,
                       "event " + std::to_string(m_next) + " comes out otherwise: recorded is " +
                           (recorded == nullptr ? "none" : event_name(*recorded)) + ", now it is " +
                           event_name(event),
                       "replay", "replay with the program and the task that made the record");
    }
    ++m_next;
    ++m_seen;
    pass_over();
    return {};
}

}  // namespace atl
