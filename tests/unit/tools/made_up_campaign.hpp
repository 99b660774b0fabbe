#pragma once

#include "population/campaign_state.hpp"
#include "population/journal/text_store.hpp"
#include "reward/task.hpp"
#include "reward/verdict.hpp"
#include "search/confirm.hpp"

#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace atl::testing {

/// Texts that a test puts there.
class MadeUpTexts final : public TextSource {
  public:
    [[nodiscard]] Expected<std::string> text(const Digest& id) const override {
        const auto found = m_texts.find(id);
        if (found == m_texts.end()) {
            return failure(ErrorCode::not_found, "no such text");
        }
        return found->second;
    }
    Digest put(const std::string& text) {
        const Digest id = content_id(text);
        m_texts[id] = text;
        return id;
    }

  private:
    std::map<Digest, std::string> m_texts;
};

/// Timings of one workload whose speed of light is a hundred nanoseconds.
[[nodiscard]] inline std::vector<WorkloadTiming> timed(double median_ns) {
    WorkloadTiming timing;
    timing.workload = "w0";
    timing.median_ns = timing.low_ns = timing.high_ns = median_ns;
    timing.light_ns = 100;
    return {timing};
}

/// What a confirmation measured: the kernel beside its rivals.
[[nodiscard]] inline Verdict confirmation(
    double median_ns, const std::vector<std::pair<std::string, double>>& rivals) {
    Verdict verdict;
    verdict.outcome = Outcome::passed;
    verdict.measure.emplace();
    verdict.measure->workloads = timed(median_ns);
    for (const auto& [name, rival_ns] : rivals) {
        verdict.measure->rivals[name] = timed(rival_ns);
    }
    return verdict;
}

/// The state of a campaign that nobody ran. Times are seconds since it began.
class MadeUpCampaign {
  public:
    explicit MadeUpCampaign(std::uint32_t islands) : m_state({islands, {}, 0.95}) {
        apply(CampaignStarted{});
        apply(SessionOpened{});
    }

    /// A ticket that commits one individual, which `change` may make special.
    template <class Change>
    IndividualId add(std::uint32_t island, double fitness, double done, Change change) {
        const IndividualId id = begin(island, "tune");
        Individual one;
        one.id = id;
        one.island = island;
        one.key = content_id("key " + id.text());
        one.source = content_id("source " + id.text());
        one.starter = "tiled";
        one.operator_name = "tune";
        one.outcome = fitness > 0 ? Outcome::passed : Outcome::wrong_result;
        one.fitness = fitness;
        one.done_ns = nanoseconds(done);
        change(one);
        apply(Evaluated{one});
        apply(TicketCommitted{id.ticket(), fitness > 0 ? 1.0 : 0.0, nanoseconds(done), 0, 0});
        return id;
    }
    IndividualId add(std::uint32_t island, double fitness, double done) {
        return add(island, fitness, done, [](const Individual&) {});
    }

    /// A ticket that is in work.
    IndividualId begin(std::uint32_t island, const std::string& operator_name) {
        TicketIssued issued;
        issued.ticket = m_state.next_ticket();
        issued.island = island;
        issued.operator_name = operator_name;
        issued.commits_seen = m_state.commits();
        apply(issued);
        return IndividualId::make(issued.ticket, 0);
    }

    Confirmed confirm(IndividualId id, bool accepted, double fitness, double at,
                      const Digest& verdict = {}) {
        const Confirmed confirmed{id, accepted,        fitness, {},
                                  0,  Outcome::passed, verdict, nanoseconds(at)};
        apply(confirmed);
        return confirmed;
    }

    void stop(double at) { apply(CampaignStopped{"made up", true, nanoseconds(at)}); }

    void apply(const Event& event) {
        if (const Status status = m_state.apply(event); !status) {
            throw std::runtime_error(status.error().message());
        }
    }

    [[nodiscard]] const CampaignState& state() const { return m_state; }
    [[nodiscard]] static std::int64_t nanoseconds(double seconds) {
        return static_cast<std::int64_t>(seconds * 1e9);
    }

  private:
    CampaignState m_state;
};

[[nodiscard]] inline std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = text.find('\n', begin)) != std::string::npos;) {
        lines.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return lines;
}

}  // namespace atl::testing
