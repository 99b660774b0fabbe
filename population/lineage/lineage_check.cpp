#include "population/lineage/lineage_check.hpp"

#include "population/lineage/hdf5_handle.hpp"
#include "population/lineage/lineage_table.hpp"
#include "reward/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>

namespace atl {

namespace {

using namespace lineage;

class Checker {
  public:
    Checker(const LineageData& data, const LineageView& view, LineageCheck& check)
        : m_data(data), m_view(view), m_check(check) {}

    void run(const StateSettings& settings) {
        m_check.events = m_data.events.size();
        m_check.individuals = m_view.nodes.size();
        if (m_data.torn_bytes > 0) {
            m_check.notes.push_back(fmt::format(
                "{} bytes at the end of the journal are no whole record, which is what a crash "
                "leaves of events that were not acknowledged yet",
                m_data.torn_bytes));
        }
        check_fold(settings);
        check_ids();
        for (const LineageView::Node& node : m_view.nodes) {
            check_individual(*node.individual);
        }
        for (const Migrated* migration : m_view.migrations) {
            if (m_view.find(migration->individual) == nullptr) {
                m_check.problem("a migration of " + migration->individual.text() +
                                ", which does not exist");
            }
        }
        for (const Confirmed* confirmed : m_view.confirmations) {
            check_confirmation(*confirmed);
        }
        for (const IslandsReset* reset : m_view.resets) {
            for (const IslandsReset::Founding& founding : reset->foundings) {
                if (m_view.find(founding.founder) == nullptr) {
                    m_check.problem("a founder " + founding.founder.text() +
                                    ", which does not exist");
                }
            }
        }
        for (const IslandSpawned* spawned : m_view.spawns) {
            if (m_view.find(spawned->founder) == nullptr) {
                m_check.problem("a founder " + spawned->founder.text() + ", which does not exist");
            }
        }
        for (const TurnedDown* turned_down : m_view.turned_down) {
            check_turned_down(*turned_down);
        }
    }

  private:
    void check_fold(const StateSettings& settings) {
        CampaignState state(settings);
        for (std::size_t i = 0; i < m_data.events.size(); ++i) {
            if (const Status status = state.apply(m_data.events[i]); !status) {
                m_check.problem(fmt::format("event {} ({}): {}", i, event_name(m_data.events[i]),
                                            status.error().what));
            }
        }
        const auto committed = static_cast<std::size_t>(
            std::count_if(m_view.nodes.begin(), m_view.nodes.end(),
                          [](const LineageView::Node& node) { return node.committed(); }));
        if (m_check.problems.empty() && committed != state.individuals().size()) {
            m_check.problem(fmt::format("{} individuals are committed, but the state holds {}",
                                        committed, state.individuals().size()));
        }
    }

    void check_ids() {
        std::unordered_set<std::uint64_t> seen;
        for (const LineageView::Node& node : m_view.nodes) {
            if (!seen.insert(node.individual->id.value).second) {
                m_check.problem("individual " + node.individual->id.text() + " exists twice");
            }
        }
        std::unordered_set<std::uint64_t> issued;
        for (const Event& event : m_data.events) {
            const auto* ticket = std::get_if<TicketIssued>(&event);
            if (ticket != nullptr && !issued.insert(ticket->ticket).second) {
                m_check.problem(fmt::format("ticket {} is issued twice", ticket->ticket));
            }
        }
        for (const auto& [number, ticket] : m_view.tickets) {
            if (ticket.issued == nullptr) {
                m_check.problem(fmt::format("ticket {} was never issued", number));
            }
            if (ticket.committed != nullptr && ticket.failed != nullptr) {
                m_check.problem(fmt::format("ticket {} is both committed and failed", number));
            }
        }
    }

    void check_individual(const Individual& one) {
        const std::string name = "individual " + one.id.text();
        for (const Parent& parent : one.parents) {
            if (!m_known.contains(parent.id.value)) {
                m_check.problem(
                    name + ": parent " + parent.id.text() +
                    (m_view.find(parent.id) == nullptr ? " does not exist" : " came after it"));
            }
            if (!(parent.probability > 0 && parent.probability <= 1)) {
                m_check.problem(fmt::format("{}: parent {} was chosen with probability {}", name,
                                            parent.id.text(), parent.probability));
            }
        }
        const bool known = one.same_by == SameBy::key ? m_keys.contains(one.key)
                                                      : m_known.contains(one.same_as.value);
        if (one.duplicate && !known) {
            m_check.problem(name + " is a duplicate of nothing that came before it");
        }
        m_known.insert(one.id.value);
        m_keys.insert(one.key);
        check_text(one.source, name + ": source");
        check_text(one.prompt, name + ": prompt");
        check_text(one.reply, name + ": reply");
        check_verdict(one.verdict, one.outcome, name);
    }

    void check_confirmation(const Confirmed& confirmed) {
        const std::string name = "confirmation of " + confirmed.individual.text();
        if (m_view.find(confirmed.individual) == nullptr) {
            m_check.problem(name + ": no such individual");
        }
        check_verdict(confirmed.verdict, confirmed.outcome, name);
    }

    void check_turned_down(const TurnedDown& event) {
        const std::string name = "proposal " + event.proposal.id.text();
        if (m_view.find(event.proposal.id) != nullptr) {
            m_check.problem(name + " was turned down and evaluated");
        }
        if (m_view.find(event.similar) == nullptr) {
            m_check.problem(name + " resembles " + event.similar.text() + ", which does not exist");
        }
        check_text(event.proposal.source, name + ": source");
        check_text(event.proposal.prompt, name + ": prompt");
        check_text(event.proposal.reply, name + ": reply");
    }

    void check_text(const Digest& id, const std::string& what) {
        if (id.is_zero() || !m_texts.insert(id).second) {
            return;
        }
        if (const auto text = m_data.texts->text(id)) {
            ++m_check.texts;
        } else {
            m_check.problem(what + " " + id.short_hex() + ": " + text.error().what);
        }
    }

    void check_verdict(const Digest& id, Outcome outcome, const std::string& name) {
        if (id.is_zero()) {
            return;
        }
        auto found = m_verdicts.find(id);
        if (found == m_verdicts.end()) {
            std::optional<Outcome> said;
            const auto text = m_data.texts->text(id);
            if (!text) {
                m_check.problem(name + ": verdict " + id.short_hex() + ": " + text.error().what);
            } else if (const auto verdict = parse_verdict(*text); !verdict) {
                m_check.problem(name + ": verdict " + id.short_hex() + ": " +
                                verdict.error().message());
            } else {
                said = verdict->outcome;
            }
            m_check.texts += text ? 1 : 0;
            found = m_verdicts.emplace(id, said).first;
        }
        if (found->second && *found->second != outcome) {
            m_check.problem(fmt::format("{}: recorded as {}, but its verdict says {}", name,
                                        to_string(outcome), to_string(*found->second)));
        }
    }

    const LineageData& m_data;
    const LineageView& m_view;
    LineageCheck& m_check;
    std::unordered_set<std::uint64_t> m_known;
    std::unordered_set<Digest> m_keys;
    std::unordered_set<Digest> m_texts;
    std::unordered_map<Digest, std::optional<Outcome>> m_verdicts;
};

class TableChecker {
  public:
    TableChecker(hid_t file, const LineageView& view, LineageCheck& check)
        : m_file(file), m_view(view), m_check(check) {}

    [[nodiscard]] Status run() {
        ATOLL_TRY(check_individuals());
        ATOLL_TRY(check_tickets());
        ATOLL_TRY(check_edges());
        ATOLL_TRY(check_count<MigrationRow>(m_view.migrations.size()));
        ATOLL_TRY(check_count<ConfirmationRow>(m_view.confirmations.size()));
        ATOLL_TRY(check_count<SessionRow>(m_view.sessions.size()));
        ATOLL_TRY(check_count<TurnedDownRow>(m_view.turned_down.size()));
        std::size_t foundings = 0;
        for (const IslandsReset* reset : m_view.resets) {
            foundings += reset->foundings.size();
        }
        ATOLL_TRY(check_count<ResetRow>(foundings));
        ATOLL_TRY(check_count<SpawnRow>(m_view.spawns.size()));
        ATOLL_TRY(check_count<WatchRow>(m_view.watches.size()));
        std::size_t measures = 0;
        for (const LineageView::Node& node : m_view.nodes) {
            measures += node.individual->measures.size();
        }
        ATOLL_TRY(check_count<MeasureRow>(measures));
        return check_count<StopRow>(m_view.stops.size());
    }

  private:
    void count(TableId table, std::size_t rows, std::size_t events) {
        if (rows != events) {
            m_check.problem(fmt::format("table {} has {} rows, the events {}",
                                        table_spec(table).path, rows, events));
        }
    }

    template <class Row>
    [[nodiscard]] Status check_count(std::size_t events) {
        const char* path = table_spec(Row::k_table).path;
        // Files of older versions lack the tables of events that they did not have.
        std::uint64_t rows = 0;
        if (H5Lexists(m_file, path, H5P_DEFAULT) > 0) {
            ATOLL_TRY_ASSIGN(rows, series_size(m_file, path));
        }
        count(Row::k_table, rows, events);
        return {};
    }

    [[nodiscard]] Status check_individuals() {
        ATOLL_TRY_ASSIGN(const auto rows, read_table<IndividualRow>(m_file));
        count(TableId::individuals, rows.size(), m_view.nodes.size());
        for (std::size_t i = 0; i < std::min(rows.size(), m_view.nodes.size()); ++i) {
            const LineageView::Node& node = m_view.nodes[i];
            const Individual& one = *node.individual;
            const IndividualRow& row = rows[i];
            if (row.id != one.id.value || row.fitness != one.fitness || row.island != one.island ||
                row.outcome != static_cast<std::uint8_t>(one.outcome) || row.key != one.key.bytes ||
                row.commit != node.commit) {
                m_check.problem("table individuals disagrees with the events about " +
                                one.id.text());
            }
        }
        return {};
    }

    [[nodiscard]] Status check_tickets() {
        ATOLL_TRY_ASSIGN(const auto rows, read_table<TicketRow>(m_file));
        count(TableId::tickets, rows.size(), m_view.tickets.size());
        for (const TicketRow& row : rows) {
            const LineageView::Ticket* ticket = m_view.find_ticket(row.ticket);
            if (ticket == nullptr || row.commit != ticket->commit ||
                static_cast<int>(row.state) != static_cast<int>(ticket->end())) {
                m_check.problem(fmt::format(
                    "table tickets disagrees with the events about ticket {}", row.ticket));
            }
        }
        return {};
    }

    [[nodiscard]] Status check_edges() {
        ATOLL_TRY_ASSIGN(const auto rows, read_table<EdgeRow>(m_file));
        std::size_t at = 0;
        for (const LineageView::Node& node : m_view.nodes) {
            for (const Parent& parent : node.individual->parents) {
                if (at < rows.size() && (rows[at].child != node.individual->id.value ||
                                         rows[at].parent != parent.id.value ||
                                         rows[at].role != static_cast<std::uint8_t>(parent.role))) {
                    m_check.problem("table edges disagrees with the events about the parents of " +
                                    node.individual->id.text());
                }
                ++at;
            }
        }
        count(TableId::edges, rows.size(), at);
        return {};
    }

    hid_t m_file;
    const LineageView& m_view;
    LineageCheck& m_check;
};

}  // namespace

void LineageCheck::problem(std::string text) {
    if (problems.size() < k_max_problems) {
        problems.push_back(std::move(text));
    } else if (problems.size() == k_max_problems) {
        problems.emplace_back("... and more");
    }
}

LineageCheck check_lineage(const LineageData& data, const LineageView& view,
                           const StateSettings& settings) {
    LineageCheck check;
    Checker(data, view, check).run(settings);
    return check;
}

Status check_lineage_tables(const std::filesystem::path& h5, std::uint64_t events,
                            LineageCheck& check) {
    const std::string name = h5.filename().string();
    const auto file = hdf5::open_file(h5, hdf5::LeftOpen::refuse);
    if (!file) {
        // Without live mode (network file systems) nobody can read what was not closed.
        if (file.error().code == ErrorCode::unavailable || hdf5::open_file(h5)) {
            check.notes.push_back(name +
                                  " is being written, or its writer was killed: not checked");
            return {};
        }
        return tl::unexpected<Error>(file.error());
    }
    ATOLL_TRY_ASSIGN(const LineageData data, read_lineage(h5));
    if (data.events.size() < events) {
        check.notes.push_back(fmt::format("{} holds {} of {} events: `atoll lineage RUN rebuild`",
                                          name, data.events.size(), events));
        // Its writer gave up somewhere in a batch (a full disk): the tables may be ahead of the
        // events, and the journal has it all.
        return {};
    }
    const LineageView view = lineage_view(data.events);
    return TableChecker(file->get(), view, check).run();
}

}  // namespace atl
