#include "population/lineage/lineage_agreement.hpp"

#include "population/event.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <variant>

namespace atl::lineage {

namespace {

using Times = std::vector<std::int64_t>;

class Agreement {
  public:
    Agreement(const LineageFile& file, std::string where)
        : m_file(file), m_where(std::move(where)) {}

    [[nodiscard]] Status check() {
        ATOLL_TRY_ASSIGN(const auto events, m_file.rows<EventRow>());
        for (const EventRow& event : events) {
            if (event.type >= m_times.size()) {
                return differs("events");
            }
            m_times[event.type].push_back(event.time_ns);
        }
        ATOLL_TRY(check_campaign());
        ATOLL_TRY(check_tickets());
        ATOLL_TRY(check_individuals());
        ATOLL_TRY(check_confirmations());
        ATOLL_TRY(check_turned_down());
        ATOLL_TRY(check_resets());
        ATOLL_TRY(check_counts());
        ATOLL_TRY(check_rollouts());
        ATOLL_TRY(check_exchanges());
        ATOLL_TRY(check_insights());
        return check_texts();
    }

  private:
    template <class Alternative>
    [[nodiscard]] const Times& times() const {
        return m_times[Event(Alternative()).index()];
    }
    [[nodiscard]] tl::unexpected<Error> differs(const std::string& table) const {
        return failure(ErrorCode::corrupt, "table " + table + " is not what the events say",
                       m_where);
    }
    /// Of every row, where it says which text is used last.
    void uses(std::initializer_list<std::int32_t> texts) {
        m_last_text = std::max(m_last_text, std::max(texts));
    }

    [[nodiscard]] Status check_campaign() {
        ATOLL_TRY_ASSIGN(const auto campaign, m_file.rows<CampaignRow>());
        for (const CampaignRow& row : campaign) {
            uses({row.task, row.config, row.device, row.fingerprint, row.atoll_version});
        }
        ATOLL_TRY_ASSIGN(const auto sessions, m_file.rows<SessionRow>());
        for (const SessionRow& row : sessions) {
            uses({row.device});
        }
        Times stopped;
        ATOLL_TRY_ASSIGN(const auto stops, m_file.rows<StopRow>());
        for (const StopRow& row : stops) {
            uses({row.reason});
            stopped.push_back(row.at_ns);
        }
        ATOLL_TRY_ASSIGN(const auto migrations, m_file.rows<MigrationRow>());
        if (campaign.size() != times<CampaignStarted>().size() ||
            sessions.size() != times<SessionOpened>().size() ||
            migrations.size() != times<Migrated>().size() || stopped != times<CampaignStopped>()) {
            return differs("campaign, sessions, migrations or stops");
        }
        return {};
    }

    [[nodiscard]] Status check_tickets() {
        Times issued;
        std::size_t committed = 0;
        std::size_t failed = 0;
        ATOLL_TRY_ASSIGN(const auto tickets, m_file.rows<TicketRow>());
        for (const TicketRow& row : tickets) {
            uses({row.reason, row.memory});
            issued.push_back(row.issued_ns);
            committed += row.state == TicketState::committed ? 1 : 0;
            failed += row.state == TicketState::failed ? 1 : 0;
        }
        const bool agree = issued == times<TicketIssued>() &&
                           committed == times<TicketCommitted>().size() &&
                           failed == times<TicketFailed>().size();
        return agree ? Status() : differs("tickets");
    }

    [[nodiscard]] Status check_individuals() {
        Times done;
        ATOLL_TRY_ASSIGN(const auto individuals, m_file.rows<IndividualRow>());
        for (const IndividualRow& row : individuals) {
            uses({row.source, row.tune, row.flags, row.description, row.prompt, row.reply,
                  row.verdict});
            done.push_back(row.done_ns);
        }
        return done == times<Evaluated>() ? Status() : differs("individuals");
    }

    [[nodiscard]] Status check_confirmations() {
        Times at;
        ATOLL_TRY_ASSIGN(const auto confirmations, m_file.rows<ConfirmationRow>());
        for (const ConfirmationRow& row : confirmations) {
            uses({row.verdict});
            at.push_back(row.at_ns);
        }
        return at == times<Confirmed>() ? Status() : differs("confirmations");
    }

    [[nodiscard]] Status check_turned_down() {
        ATOLL_TRY_ASSIGN(const auto turned_down, m_file.rows<TurnedDownRow>());
        for (const TurnedDownRow& row : turned_down) {
            uses({row.source, row.tune, row.flags, row.description, row.prompt, row.reply});
        }
        const bool agree = turned_down.size() == times<TurnedDown>().size();
        return agree ? Status() : differs("turned_down");
    }

    /// One event founds several islands, after the same commit.
    [[nodiscard]] Status check_resets() const {
        ATOLL_TRY_ASSIGN(const auto resets, m_file.rows<ResetRow>());
        std::set<std::uint64_t> after;
        for (const ResetRow& row : resets) {
            after.insert(row.after_commit);
        }
        return after.size() == times<IslandsReset>().size() ? Status() : differs("resets");
    }

    [[nodiscard]] Status check_counts() const {
        ATOLL_TRY_ASSIGN(const auto spawns, m_file.rows<SpawnRow>());
        ATOLL_TRY_ASSIGN(const auto watches, m_file.rows<WatchRow>());
        if (spawns.size() != times<IslandSpawned>().size()) {
            return differs("spawns");
        }
        return watches.size() == times<ProgressWatched>().size() ? Status() : differs("watches");
    }

    [[nodiscard]] Status check_rollouts() {
        ATOLL_TRY_ASSIGN(const auto servers, m_file.rows<ServerRow>());
        for (const ServerRow& row : servers) {
            uses({row.devices, row.atoll_version});
        }
        ATOLL_TRY_ASSIGN(const auto rollouts, m_file.rows<RolloutRow>());
        for (const RolloutRow& row : rollouts) {
            uses({row.task, row.kind, row.device, row.level, row.group, row.trajectory,
                  row.policy_version, row.source, row.tune, row.flags, row.reply, row.token_ids,
                  row.log_probabilities, row.verdict, row.baseline, row.reason});
        }
        const bool agree = servers.size() == times<LogOpened>().size() &&
                           rollouts.size() == times<RolloutRecorded>().size();
        return agree ? Status() : differs("servers or rollouts");
    }

    [[nodiscard]] Status check_exchanges() {
        ATOLL_TRY_ASSIGN(const auto exchanges, m_file.rows<ExchangeRow>());
        Times at;
        for (const ExchangeRow& row : exchanges) {
            uses({row.model, row.request, row.reply, row.error_code, row.error});
            at.push_back(row.at_ns);
        }
        return at == times<ModelExchanged>() ? Status() : differs("exchanges");
    }

    [[nodiscard]] Status check_insights() {
        ATOLL_TRY_ASSIGN(const auto insights, m_file.rows<InsightRow>());
        Times at;
        for (const InsightRow& row : insights) {
            uses({row.model, row.prompt, row.reply, row.items});
            at.push_back(row.at_ns);
        }
        return at == times<InsightNoted>() ? Status() : differs("insights");
    }

    /// A verdict's timings are written with its text: one text too many may be a verdict without.
    [[nodiscard]] Status check_texts() const {
        ATOLL_TRY_ASSIGN(const auto texts, m_file.rows<TextRow>());
        const auto used = static_cast<std::size_t>(m_last_text + 1);
        return texts.size() == used ? Status() : differs("texts/index");
    }

    const LineageFile& m_file;
    std::string m_where;
    std::array<Times, std::variant_size_v<Event>> m_times;
    std::int32_t m_last_text = k_no_text;
};

}  // namespace

Status check_agreement(const LineageFile& file, const std::string& where) {
    return Agreement(file, where).check();
}

}  // namespace atl::lineage
