#include "population/lineage/lineage.hpp"
#include "population/lineage/lineage_agreement.hpp"
#include "population/lineage/lineage_file.hpp"
#include "population/lineage/lineage_texts.hpp"
#include "reward/verdict.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

namespace atl {

namespace {

using namespace lineage;

// A ticket that has not been committed yet, and where its rows are.
struct OpenTicket {
    std::optional<std::uint64_t> position;  // none for starters written without a ticket
    TicketRow row;
    std::vector<std::pair<std::uint64_t, IndividualRow>> individuals;
};

class Hdf5LineageWriter final : public LineageWriter {
  public:
    explicit Hdf5LineageWriter(std::filesystem::path path)
        : m_where(path.string()), m_path(std::move(path)) {}
    ~Hdf5LineageWriter() override {
        if (m_failed) {
            m_file.abandon();
        }
    }
    Hdf5LineageWriter(const Hdf5LineageWriter&) = delete;
    Hdf5LineageWriter& operator=(const Hdf5LineageWriter&) = delete;

    [[nodiscard]] Status create(LineageMode mode);
    [[nodiscard]] Status go_on();
    [[nodiscard]] Status add(const Event& event, std::uint64_t index,
                             const TextSource& texts) override {
        return noted(add_event(event, index, texts));
    }
    [[nodiscard]] Status flush() override { return noted(m_file.flush()); }
    [[nodiscard]] Status close() override { return noted(m_file.close()); }
    [[nodiscard]] LineageMode mode() const override { return m_file.mode(); }

  private:
    /// What is written after a failure, or was before it, may not be there.
    [[nodiscard]] Status noted(Status status) {
        m_failed = m_failed || !status;
        return status;
    }
    [[nodiscard]] Status add_event(const Event& event, std::uint64_t index,
                                   const TextSource& texts);
    [[nodiscard]] Status restore_tickets();

    [[nodiscard]] Expected<std::int64_t> rows_of(const CampaignStarted& event);
    [[nodiscard]] Expected<std::int64_t> rows_of(const SessionOpened& event);
    [[nodiscard]] Expected<std::int64_t> rows_of(const TicketIssued& event);
    [[nodiscard]] Expected<std::int64_t> rows_of(const Evaluated& event);
    [[nodiscard]] Expected<std::int64_t> rows_of(const TicketFailed& event);
    [[nodiscard]] Expected<std::int64_t> rows_of(const TicketCommitted& event);
    [[nodiscard]] Expected<std::int64_t> rows_of(const Migrated& event);
    [[nodiscard]] Expected<std::int64_t> rows_of(const Confirmed& event);
    [[nodiscard]] Expected<std::int64_t> rows_of(const CampaignStopped& event);
    [[nodiscard]] Expected<std::int64_t> rows_of(const TurnedDown& event);
    [[nodiscard]] Expected<std::int64_t> rows_of(const IslandsReset& event);
    [[nodiscard]] Expected<std::int64_t> rows_of(const IslandSpawned& event);
    [[nodiscard]] Expected<std::int64_t> rows_of(const ProgressWatched& event);
    [[nodiscard]] Expected<std::int64_t> rows_of(const LogOpened& event);
    [[nodiscard]] Expected<std::int64_t> rows_of(const RolloutRecorded& event);
    [[nodiscard]] Expected<std::int64_t> rows_of(const ModelExchanged& event);
    [[nodiscard]] Expected<std::int64_t> rows_of(const InsightNoted& event);

    template <class Row>
    [[nodiscard]] Expected<std::uint64_t> append(const Row& row) {
        return m_file.append(row);
    }
    template <class Row>
    [[nodiscard]] Status rewrite(std::uint64_t position, const Row& row) {
        return m_file.rewrite(position, row);
    }
    [[nodiscard]] Expected<std::int32_t> put(std::string_view text) { return m_stored.put(text); }
    [[nodiscard]] Expected<StoredText> put(const Digest& id) { return m_stored.put(id, *m_texts); }
    [[nodiscard]] Expected<std::uint32_t> name(NameKind kind, const std::string& text) {
        return m_stored.name(kind, text);
    }
    [[nodiscard]] Expected<std::int32_t> put_verdict(const Digest& id, IndividualId individual,
                                                     bool confirmation);
    [[nodiscard]] Status put_timing(TimingRow row, const WorkloadTiming& timing);
    /// Whatever was proposed: the columns that individuals and TurnedDown share.
    template <class Row>
    [[nodiscard]] Status describe(Row& row, const Individual& one);
    [[nodiscard]] Status put_id(std::int32_t& column, const Digest& id);
    template <class Row>
    [[nodiscard]] Status put_options(Row& row, const TuneValues& tune,
                                     const std::vector<std::string>& flags);
    [[nodiscard]] Status close_ticket(OpenTicket& ticket);

    std::string m_where;
    std::filesystem::path m_path;
    LineageFile m_file;
    LineageTexts m_stored{m_file, m_where};
    bool m_failed = false;

    const TextSource* m_texts = nullptr;  // only during add()
    std::map<std::uint64_t, OpenTicket> m_open_tickets;
    std::int64_t m_commits = 0;
    std::uint64_t m_events = 0;
    std::int64_t m_started_wall_ns = 0;
};

Status Hdf5LineageWriter::create(LineageMode mode) {
    ATOLL_TRY_ASSIGN(m_file, LineageFile::create(m_path, mode));
    return {};
}

Status Hdf5LineageWriter::go_on() {
    ATOLL_TRY_ASSIGN(m_file, LineageFile::open(m_path));
    ATOLL_TRY(check_agreement(m_file, m_where));
    ATOLL_TRY(m_stored.restore());
    ATOLL_TRY(restore_tickets());
    ATOLL_TRY_ASSIGN(const std::vector<CampaignRow> campaign, m_file.rows<CampaignRow>());
    ATOLL_TRY_ASSIGN(const std::vector<EventRow> events, m_file.rows<EventRow>());
    ATOLL_TRY_ASSIGN(const std::vector<ServerRow> servers, m_file.rows<ServerRow>());
    if (campaign.size() != (servers.empty() ? 1 : 0)) {
        return failure(ErrorCode::corrupt, "holds no campaign", m_where);
    }
    m_started_wall_ns =
        servers.empty() ? campaign.front().started_wall_ns : servers.front().wall_ns;
    m_events = events.size();
    return {};
}

Status Hdf5LineageWriter::restore_tickets() {
    ATOLL_TRY_ASSIGN(const std::vector<TicketRow> tickets, m_file.rows<TicketRow>());
    for (std::size_t i = 0; i < tickets.size(); ++i) {
        m_commits += tickets[i].state == TicketState::committed ? 1 : 0;
        if (tickets[i].state == TicketState::in_flight) {
            m_open_tickets[tickets[i].ticket] = OpenTicket{i, tickets[i], {}};
        }
    }
    ATOLL_TRY_ASSIGN(const std::vector<IndividualRow> individuals, m_file.rows<IndividualRow>());
    for (std::size_t i = 0; i < individuals.size(); ++i) {
        const auto open = m_open_tickets.find(individuals[i].ticket);
        if (open != m_open_tickets.end()) {
            open->second.individuals.emplace_back(i, individuals[i]);
        }
    }
    return {};
}

Status Hdf5LineageWriter::add_event(const Event& event, std::uint64_t index,
                                    const TextSource& texts) {
    if (index != m_events) {
        return failure(
            ErrorCode::invalid_argument,
            "event " + std::to_string(index) + " does not follow event " + std::to_string(m_events),
            m_where);
    }
    m_texts = &texts;
    ATOLL_TRY_ASSIGN(const std::int64_t time_ns,
                     std::visit([this](const auto& e) { return rows_of(e); }, event));
    const std::string payload = encode_event(event);
    EventRow row;
    row.index = index;
    row.time_ns = time_ns;
    row.type = static_cast<std::uint8_t>(event.index());
    row.payload_length = static_cast<std::uint32_t>(payload.size());
    ATOLL_TRY_ASSIGN(row.payload_offset, m_file.payload().append(payload.data(), payload.size()));
    ATOLL_TRY(append(row));
    ++m_events;
    return {};
}

// ---- verdicts ----

Expected<std::int32_t> Hdf5LineageWriter::put_verdict(const Digest& id, IndividualId individual,
                                                      bool confirmation) {
    ATOLL_TRY_ASSIGN(const StoredText stored, put(id));
    if (stored.text.empty()) {
        return stored.row;  // none, lost, or its timings are in the table already
    }
    const auto verdict = parse_verdict(stored.text);
    if (!verdict || !verdict->measure) {
        return stored.row;
    }
    TimingRow row;
    row.individual = individual.value;
    row.verdict = stored.row;
    row.confirmation = confirmation ? 1 : 0;
    for (const WorkloadTiming& timing : verdict->measure->workloads) {
        ATOLL_TRY(put_timing(row, timing));
    }
    for (const auto& [rival, timings] : verdict->measure->rivals) {
        ATOLL_TRY_ASSIGN(const std::uint32_t number, name(NameKind::rival, rival));
        row.rival = static_cast<std::int32_t>(number);
        for (const WorkloadTiming& timing : timings) {
            ATOLL_TRY(put_timing(row, timing));
        }
    }
    return stored.row;
}

Status Hdf5LineageWriter::put_timing(TimingRow row, const WorkloadTiming& timing) {
    ATOLL_TRY_ASSIGN(row.workload, name(NameKind::workload, timing.workload));
    row.median_ns = timing.median_ns;
    row.low_ns = timing.low_ns;
    row.high_ns = timing.high_ns;
    row.light_ns = timing.light_ns;
    row.anchor_ratio = timing.anchor_ratio;
    row.clock_ratio = timing.clock_ratio;
    row.hidden = timing.hidden ? 1 : 0;
    row.noisy = timing.noisy ? 1 : 0;
    row.reverified = static_cast<std::uint32_t>(std::max(0, timing.reverified));
    row.samples_count = static_cast<std::uint32_t>(timing.samples_ns.size());
    ATOLL_TRY_ASSIGN(row.samples_offset,
                     m_file.samples().append(timing.samples_ns.data(), timing.samples_ns.size()));
    ATOLL_TRY(append(row));
    return {};
}

// ---- rows of each event; returns the event's time since the campaign's start, -1 if it has none
// --

Expected<std::int64_t> Hdf5LineageWriter::rows_of(const CampaignStarted& event) {
    CampaignRow row;
    row.seed = event.seed;
    row.started_wall_ns = event.started_wall_ns;
    row.task_digest = event.task_digest.bytes;
    ATOLL_TRY_ASSIGN(row.task, put(event.task_name));
    ATOLL_TRY_ASSIGN(row.config, put(event.config));
    ATOLL_TRY_ASSIGN(row.device, put(event.device));
    ATOLL_TRY_ASSIGN(row.fingerprint, put(event.fingerprint));
    ATOLL_TRY_ASSIGN(row.atoll_version, put(event.atoll_version));
    ATOLL_TRY(append(row));
    m_started_wall_ns = event.started_wall_ns;
    return 0;
}

Expected<std::int64_t> Hdf5LineageWriter::rows_of(const SessionOpened& event) {
    SessionRow row;
    row.session = event.session;
    row.wall_ns = event.wall_ns;
    ATOLL_TRY_ASSIGN(row.device, put(event.device));
    row.max_evaluations = event.limits.max_evaluations;
    row.seconds = event.limits.seconds;
    ATOLL_TRY(append(row));
    return event.wall_ns - m_started_wall_ns;
}

Expected<std::int64_t> Hdf5LineageWriter::rows_of(const TicketIssued& event) {
    OpenTicket ticket;
    ticket.row.ticket = event.ticket;
    ticket.row.island = event.island;
    ticket.row.island_probability = event.island_probability;
    ATOLL_TRY_ASSIGN(ticket.row.operator_name, name(NameKind::operator_name, event.operator_name));
    ticket.row.operator_probability = event.operator_probability;
    ticket.row.commits_seen = event.commits_seen;
    ticket.row.issued_ns = event.at_ns;
    ATOLL_TRY_ASSIGN(ticket.row.model, put(event.model));
    ticket.row.model_probability = event.model_probability;
    ATOLL_TRY_ASSIGN(ticket.row.strategy, put(event.strategy));
    ticket.row.strategy_probability = event.strategy_probability;
    ticket.row.step = static_cast<std::uint32_t>(event.step);
    ticket.row.step_probability = event.step_probability;
    ATOLL_TRY(put_id(ticket.row.memory, event.memory));
    ATOLL_TRY_ASSIGN(ticket.position, append(ticket.row));
    for (const Parent& parent : event.parents) {
        SelectionRow row;
        row.ticket = event.ticket;
        row.parent = parent.id.value;
        row.role = static_cast<std::uint8_t>(parent.role);
        row.probability = parent.probability;
        ATOLL_TRY(append(row));
    }
    m_open_tickets.insert_or_assign(event.ticket, std::move(ticket));
    return event.at_ns;
}

Status Hdf5LineageWriter::put_id(std::int32_t& column, const Digest& id) {
    ATOLL_TRY_ASSIGN(const StoredText stored, put(id));
    column = stored.row;
    return {};
}

template <class Row>
Status Hdf5LineageWriter::put_options(Row& row, const TuneValues& tune,
                                      const std::vector<std::string>& flags) {
    using Json = nlohmann::json;
    constexpr auto k_replace = Json::error_handler_t::replace;
    if (!tune.empty()) {
        ATOLL_TRY_ASSIGN(row.tune, put(Json(tune.values()).dump(-1, ' ', false, k_replace)));
    }
    if (!flags.empty()) {
        ATOLL_TRY_ASSIGN(row.flags, put(Json(flags).dump(-1, ' ', false, k_replace)));
    }
    return {};
}

template <class Row>
Status Hdf5LineageWriter::describe(Row& row, const Individual& one) {
    row.id = one.id.value;
    row.ticket = one.id.ticket();
    row.step = one.id.step();
    row.island = one.island;
    row.key = one.key.bytes;
    ATOLL_TRY_ASSIGN(row.operator_name, name(NameKind::operator_name, one.operator_name));
    ATOLL_TRY(put_id(row.source, one.source));
    ATOLL_TRY(put_id(row.prompt, one.prompt));
    ATOLL_TRY(put_id(row.reply, one.reply));
    ATOLL_TRY(put_options(row, one.tune, one.flags));
    ATOLL_TRY_ASSIGN(row.description, put(one.description));
    return {};
}

Expected<std::int64_t> Hdf5LineageWriter::rows_of(const Evaluated& event) {
    const Individual& one = event.individual;
    IndividualRow row;
    ATOLL_TRY(describe(row, one));
    ATOLL_TRY_ASSIGN(row.starter, name(NameKind::starter, one.starter));
    row.outcome = static_cast<std::uint8_t>(one.outcome);
    row.fitness = one.fitness;
    row.time_ns = one.time_ns;
    row.predicted_gain = one.predicted_gain;
    row.duplicate = one.duplicate ? 1 : 0;
    row.binary = one.binary.bytes;
    row.same_by = static_cast<std::uint8_t>(one.same_by);
    row.same_as = one.same_as.value;
    row.added_lines = one.added_lines;
    row.returned_lines = one.returned_lines;
    row.staleness = one.staleness;
    row.asked_ns = one.asked_ns;
    row.done_ns = one.done_ns;
    ATOLL_TRY_ASSIGN(row.verdict, put_verdict(one.verdict, one.id, false));
    ATOLL_TRY_ASSIGN(const std::uint64_t position, append(row));
    m_open_tickets[row.ticket].individuals.emplace_back(position, row);
    for (const Parent& parent : one.parents) {
        EdgeRow edge;
        edge.child = row.id;
        edge.parent = parent.id.value;
        edge.role = static_cast<std::uint8_t>(parent.role);
        edge.probability = parent.probability;
        ATOLL_TRY(append(edge));
    }
    for (std::size_t place = 0; place < one.measures.size(); ++place) {
        ATOLL_TRY(
            append(MeasureRow{row.id, one.measures[place], static_cast<std::uint32_t>(place)}));
    }
    return one.done_ns;
}

Status Hdf5LineageWriter::close_ticket(OpenTicket& ticket) {
    if (ticket.position) {
        ATOLL_TRY(rewrite(*ticket.position, ticket.row));
    }
    for (auto& [position, row] : ticket.individuals) {
        if (ticket.row.state == TicketState::committed) {
            row.committed = 1;
            row.commit = ticket.row.commit;
            if (ticket.position) {
                const auto seen = static_cast<std::int64_t>(ticket.row.commits_seen);
                row.staleness =
                    static_cast<std::uint64_t>(std::max<std::int64_t>(0, ticket.row.commit - seen));
            }
            ATOLL_TRY(rewrite(position, row));
        }
    }
    return {};
}

Expected<std::int64_t> Hdf5LineageWriter::rows_of(const TicketFailed& event) {
    OpenTicket& ticket = m_open_tickets[event.ticket];
    ticket.row.state = TicketState::failed;
    ticket.row.fault = event.fault ? 1 : 0;
    ATOLL_TRY_ASSIGN(ticket.row.reason, put(event.reason));
    ATOLL_TRY(close_ticket(ticket));
    m_open_tickets.erase(event.ticket);
    return -1;
}

Expected<std::int64_t> Hdf5LineageWriter::rows_of(const TicketCommitted& event) {
    OpenTicket& ticket = m_open_tickets[event.ticket];
    ticket.row.state = TicketState::committed;
    ticket.row.commit = m_commits++;
    ticket.row.closed_ns = event.at_ns;
    ticket.row.reward = event.reward;
    ticket.row.compile_seconds = event.compile_seconds;
    ticket.row.device_seconds = event.device_seconds;
    ATOLL_TRY(close_ticket(ticket));
    m_open_tickets.erase(event.ticket);
    return event.at_ns;
}

Expected<std::int64_t> Hdf5LineageWriter::rows_of(const Migrated& event) {
    MigrationRow row;
    row.individual = event.individual.value;
    row.from = event.from;
    row.to = event.to;
    row.probability = event.probability;
    row.after_commit = event.after_commit;
    ATOLL_TRY(append(row));
    return -1;
}

Expected<std::int64_t> Hdf5LineageWriter::rows_of(const IslandsReset& event) {
    for (const IslandsReset::Founding& founding : event.foundings) {
        ATOLL_TRY(append(ResetRow{founding.founder.value, event.after_commit, founding.probability,
                                  founding.island, founding.from}));
    }
    return -1;
}

Expected<std::int64_t> Hdf5LineageWriter::rows_of(const IslandSpawned& event) {
    ATOLL_TRY(
        append(SpawnRow{event.founder.value, event.after_commit, event.probability, event.island}));
    return -1;
}

Expected<std::int64_t> Hdf5LineageWriter::rows_of(const ProgressWatched& event) {
    ATOLL_TRY(append(
        WatchRow{event.after_commit, event.fitness, event.diversity, event.heat, event.still}));
    return -1;
}

Expected<std::int64_t> Hdf5LineageWriter::rows_of(const Confirmed& event) {
    ConfirmationRow row;
    row.individual = event.individual.value;
    row.rival = event.rival.value;
    row.accepted = event.accepted ? 1 : 0;
    row.outcome = static_cast<std::uint8_t>(event.outcome);
    row.fitness = event.fitness;
    row.rival_fitness = event.rival_fitness;
    row.at_ns = event.at_ns;
    ATOLL_TRY_ASSIGN(row.verdict, put_verdict(event.verdict, event.individual, true));
    ATOLL_TRY(append(row));
    return event.at_ns;
}

Expected<std::int64_t> Hdf5LineageWriter::rows_of(const CampaignStopped& event) {
    StopRow row;
    row.at_ns = event.at_ns;
    row.finished = event.finished ? 1 : 0;
    ATOLL_TRY_ASSIGN(row.reason, put(event.reason));
    ATOLL_TRY(append(row));
    return event.at_ns;
}

Expected<std::int64_t> Hdf5LineageWriter::rows_of(const TurnedDown& event) {
    TurnedDownRow row;
    ATOLL_TRY(describe(row, event.proposal));
    row.similar = event.similar.value;
    row.similarity = event.similarity;
    row.why = static_cast<std::uint8_t>(event.why);
    row.at_ns = event.proposal.done_ns;
    ATOLL_TRY(append(row));
    return event.proposal.done_ns;
}

Expected<std::int64_t> Hdf5LineageWriter::rows_of(const LogOpened& event) {
    ServerRow row;
    row.wall_ns = event.wall_ns;
    ATOLL_TRY_ASSIGN(row.devices, put(event.devices));
    ATOLL_TRY_ASSIGN(row.atoll_version, put(event.atoll_version));
    ATOLL_TRY(append(row));
    m_started_wall_ns = m_events == 0 ? event.wall_ns : m_started_wall_ns;
    return event.wall_ns - m_started_wall_ns;
}

Expected<std::int64_t> Hdf5LineageWriter::rows_of(const ModelExchanged& event) {
    ExchangeRow row;
    row.ticket = event.ticket;
    row.occurrence = event.occurrence;
    row.prompt_tokens = event.prompt_tokens;
    row.cached_tokens = event.cached_tokens;
    row.completion_tokens = event.completion_tokens;
    row.reasoning_tokens = event.reasoning_tokens;
    row.nano_dollars = event.nano_dollars;
    row.at_ns = event.at_ns;
    row.seconds = event.seconds;
    ATOLL_TRY_ASSIGN(row.model, put(event.model));
    ATOLL_TRY(put_id(row.request, event.request));
    ATOLL_TRY(put_id(row.reply, event.reply));
    ATOLL_TRY_ASSIGN(row.error_code, put(event.error_code));
    ATOLL_TRY_ASSIGN(row.error, put(event.error));
    ATOLL_TRY(append(row));
    return event.at_ns;
}

Expected<std::int64_t> Hdf5LineageWriter::rows_of(const InsightNoted& event) {
    using Json = nlohmann::json;
    InsightRow row;
    row.after_commit = event.after_commit;
    row.at_ns = event.at_ns;
    ATOLL_TRY_ASSIGN(row.model, put(event.model));
    ATOLL_TRY(put_id(row.prompt, event.prompt));
    ATOLL_TRY(put_id(row.reply, event.reply));
    if (!event.items.empty()) {
        ATOLL_TRY_ASSIGN(
            row.items, put(Json(event.items).dump(-1, ' ', false, Json::error_handler_t::replace)));
    }
    ATOLL_TRY(append(row));
    return event.at_ns;
}

Expected<std::int64_t> Hdf5LineageWriter::rows_of(const RolloutRecorded& event) {
    const Rollout& one = event.rollout;
    RolloutRow row;
    row.rollout = one.number;
    row.wall_ns = one.wall_ns;
    row.turn = one.turn;
    row.seconds = one.seconds;
    row.task_digest = one.task_digest.bytes;
    row.outcome = static_cast<std::uint8_t>(one.outcome);
    row.fault = one.fault ? 1 : 0;
    row.cached = one.cached ? 1 : 0;
    const std::pair<std::int32_t*, const std::string*> words[] = {
        {&row.task, &one.task},
        {&row.kind, &one.kind},
        {&row.device, &one.device},
        {&row.level, &one.level},
        {&row.group, &one.group},
        {&row.trajectory, &one.trajectory},
        {&row.policy_version, &one.policy_version},
        {&row.reason, &one.reason}};
    for (const auto& [column, text] : words) {
        ATOLL_TRY_ASSIGN(*column, put(*text));
    }
    ATOLL_TRY(put_options(row, one.tune, one.flags));
    ATOLL_TRY(put_id(row.source, one.source));
    ATOLL_TRY(put_id(row.reply, one.reply));
    ATOLL_TRY(put_id(row.token_ids, one.token_ids));
    ATOLL_TRY(put_id(row.log_probabilities, one.log_probabilities));
    ATOLL_TRY(put_id(row.baseline, one.baseline));
    ATOLL_TRY_ASSIGN(row.verdict, put_verdict(one.verdict, {one.number}, false));
    ATOLL_TRY(append(row));
    for (const auto& [preset, value] : one.scores) {
        ScoreRow score;
        score.rollout = one.number;
        score.value = value;
        ATOLL_TRY_ASSIGN(score.preset, name(NameKind::preset, preset));
        ATOLL_TRY(append(score));
    }
    return one.wall_ns - m_started_wall_ns;
}

}  // namespace

Expected<std::unique_ptr<LineageWriter>> LineageWriter::create(const std::filesystem::path& path,
                                                               LineageMode mode) {
    auto writer = std::make_unique<Hdf5LineageWriter>(path);
    ATOLL_TRY(writer->create(mode));
    return writer;
}

Expected<std::unique_ptr<LineageWriter>> LineageWriter::go_on(const std::filesystem::path& path) {
    auto writer = std::make_unique<Hdf5LineageWriter>(path);
    ATOLL_TRY(writer->go_on());
    return writer;
}

}  // namespace atl
