#include "tests/torture/record.hpp"

#include "population/journal/journal.hpp"
#include "population/lineage/lineage_view.hpp"
#include "search/config.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

namespace atl::torture {

namespace {

// What differs from run to run, and what is stored under such a name.
Event timeless(Event event) {
    if (auto* issued = std::get_if<TicketIssued>(&event)) {
        issued->at_ns = 0;
    } else if (auto* committed = std::get_if<TicketCommitted>(&event)) {
        committed->at_ns = 0;
        committed->compile_seconds = 0;
        committed->device_seconds = 0;
    } else if (auto* evaluated = std::get_if<Evaluated>(&event)) {
        evaluated->individual.asked_ns = 0;
        evaluated->individual.done_ns = 0;
        evaluated->individual.verdict = {};  // it holds how long the judge took
    }
    return event;
}

}  // namespace

Record read_record(const std::filesystem::path& run, std::uint64_t most) {
    Record record;
    auto reader = JournalReader::open(run / "journal");
    if (!reader) {
        record.problem = reader.error().message();
        return record;
    }
    const Status status = (*reader)->for_each(0, [&](const JournalReader::Entry& entry) -> Status {
        if (entry.end_position > most) {
            return failure(ErrorCode::interrupted, "enough");
        }
        record.events.push_back(entry.event);
        record.bytes.push_back(encode_event(entry.event));
        record.ends.push_back(entry.end_position);
        return {};
    });
    if (!status && status.error().code != ErrorCode::interrupted) {
        record.problem = status.error().message();
    }
    return record;
}

std::optional<CampaignState> state_of(const Record& record) {
    const auto* started =
        record.events.empty() ? nullptr : std::get_if<CampaignStarted>(&record.events.front());
    if (started == nullptr) {
        return std::nullopt;
    }
    const auto config = parse_config(started->config, "journal");
    if (!config) {
        return std::nullopt;
    }
    CampaignState state(state_settings(*config));
    for (const Event& event : record.events) {
        if (!state.apply(event)) {
            return std::nullopt;
        }
    }
    return state;
}

std::vector<Individual> individuals_in(const std::filesystem::path& run) {
    const std::optional<CampaignState> state = state_of(read_record(run));
    return state ? state->individuals() : std::vector<Individual>();
}

std::vector<std::string> essence(const Record& record) {
    std::vector<std::string> decisions;
    std::vector<std::string> results;
    std::set<std::uint64_t> ended;
    for (const Event& event : record.events) {
        if (const auto* committed = std::get_if<TicketCommitted>(&event)) {
            ended.insert(committed->ticket);
        }
    }
    for (const Event& event : record.events) {
        if (std::holds_alternative<TicketIssued>(event) ||
            std::holds_alternative<TicketCommitted>(event) ||
            std::holds_alternative<TicketFailed>(event) ||
            std::holds_alternative<Migrated>(event)) {
            decisions.push_back(encode_event(timeless(event)));
        } else if (const auto* evaluated = std::get_if<Evaluated>(&event);
                   evaluated != nullptr && ended.contains(evaluated->individual.id.ticket())) {
            // Tickets that work side by side come back in any order; commits do not.
            results.push_back(encode_event(timeless(event)));
        }
    }
    std::sort(results.begin(), results.end());
    decisions.insert(decisions.end(), results.begin(), results.end());
    if (const auto state = state_of(record); state && state->confirmed()) {
        decisions.push_back(fmt::format("confirmed {} {}", state->confirmed()->individual.text(),
                                        state->confirmed()->fitness));
    }
    return decisions;
}

void Promises::take(const Bench& bench, const Session& session) {
    const Record durable = read_record(bench.run(), bench.page().durable_bytes);
    if (durable.bytes.size() > m_events.size()) {
        m_events.insert(m_events.end(),
                        durable.bytes.begin() + static_cast<std::ptrdiff_t>(m_events.size()),
                        durable.bytes.end());
    }
    for (const std::string& line : session.said().lines) {
        const auto said = nlohmann::json::parse(line, nullptr, false);
        if (!said.is_object()) {
            m_best.push_back("a line that is no JSON: " + line);  // never found
            continue;
        }
        ++m_lines;
        const std::string what = said.value("event", "");
        if (what == "best") {
            m_best.push_back(said.at("individual"));
        } else if (what == "confirmed") {
            m_confirmed.push_back(said.at("individual"));
        } else if (what == "progress") {
            m_evaluations = std::max(m_evaluations, said.at("evaluations").get<std::uint64_t>());
        }
    }
}

std::vector<std::string> Promises::broken(const Bench& bench) const {
    std::vector<std::string> problems;
    const Record now = read_record(bench.run());
    for (std::size_t i = 0; i < m_events.size(); ++i) {
        if (i >= now.bytes.size() || now.bytes[i] != m_events[i]) {
            problems.push_back(fmt::format("event {} of {} durable ones is missing or another; {}",
                                           i, m_events.size(), now.problem));
            break;
        }
    }
    const std::optional<CampaignState> state = state_of(now);
    if (!state) {
        if (m_lines > 0) {
            problems.push_back("there is no campaign, but it was spoken of: " + now.problem);
        }
        return problems;
    }
    std::set<std::string> known;
    for (const Individual& one : state->individuals()) {
        known.insert(one.id.text());
    }
    for (const std::string& id : m_best) {
        if (!known.contains(id)) {
            problems.push_back("the best that was announced is missing: " + id);
        }
    }
    for (const std::string& id : m_confirmed) {
        const auto confirmed = parse_individual_id(id);
        if (!confirmed || !state->confirmations().contains(*confirmed)) {
            problems.push_back("the confirmation that was announced is missing: " + id);
        }
    }
    if (state->evaluations() < m_evaluations) {
        problems.push_back(fmt::format("{} evaluations were announced, {} are there", m_evaluations,
                                       state->evaluations()));
    }
    return problems;
}

}  // namespace atl::torture
