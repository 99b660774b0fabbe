#pragma once

#include "population/event.hpp"
#include "population/lineage/lineage.hpp"
#include "reward/verdict.hpp"
#include "tests/support/temporary_folder.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace atl::lineage_test {

class MemoryTexts final : public TextSource {
  public:
    Digest put(std::string_view text) {
        const Digest id = content_id(text);
        m_texts[id] = std::string(text);
        return id;
    }
    void lose(const Digest& id) { m_texts.erase(id); }
    [[nodiscard]] Expected<std::string> text(const Digest& id) const override {
        const auto found = m_texts.find(id);
        if (found == m_texts.end()) {
            return failure(ErrorCode::not_found, "no such text");
        }
        return found->second;
    }
    [[nodiscard]] const std::map<Digest, std::string>& all() const { return m_texts; }

  private:
    std::map<Digest, std::string> m_texts;
};

using testing::TemporaryFolder;

struct Campaign {
    std::vector<Event> events;
    MemoryTexts texts;
};

inline Verdict measured_verdict(double time_ns) {
    Verdict verdict;
    verdict.outcome = Outcome::passed;
    verdict.stage = Stage::measure;
    verdict.kind = "cpu_cpp";
    verdict.device = "cpu:1 test";
    MeasureReport measure;
    measure.protocol = "cpu-cold-v5";
    for (const bool hidden : {false, true}) {
        WorkloadTiming timing;
        timing.workload = hidden ? "awkward" : "square";
        timing.hidden = hidden;
        timing.samples_ns = {time_ns, time_ns + 1, time_ns + 2};
        timing.median_ns = time_ns + 1;
        timing.low_ns = time_ns;
        timing.high_ns = time_ns + 2;
        timing.light_ns = time_ns / 10;
        timing.reverified = 1;
        measure.workloads.push_back(std::move(timing));
    }
    verdict.measure = std::move(measure);
    return verdict;
}

inline Verdict failed_verdict(Outcome outcome, const std::string& reason) {
    Verdict verdict;
    verdict.outcome = outcome;
    verdict.stage = Stage::compile;
    verdict.reason = reason;
    verdict.kind = "cpu_cpp";
    return verdict;
}

/// Two islands; what happens, in order:
///   0.0 naive (island 0, 1.0), 1.0 tiled (island 1, 1.5)      starters
///   2.0 tune of 0.0 (1.3); 2.1 does not compile               island 0
///   3.0 tune of 1.0 (2.0)                                     island 1; migrates to island 0
///   4.0 crossover of 3.0 and 2.0 (2.6), confirmed at 2.5      island 0
///   5.0 duplicate of 4.0                                      island 0
///   6   failed for want of a worker                           island 1
///   7.0 tune of 3.0, wrong result                             island 1
///   8.0 tune of 4.0 (2.7), evaluated but not committed        island 0, in flight when stopped
class CampaignBuilder {
  public:
    Campaign build() {
        start();
        ticket(0, 0, "starter", {});
        evaluated({0, 0}, 0, "naive", "starter", {}, 1.0, "naive source\nline two\n", {});
        committed(0, 0);
        ticket(1, 1, "starter", {});
        evaluated({1, 0}, 1, "tiled", "starter", {}, 1.5, "tiled source\nline two\n", {});
        committed(1, 0);
        ticket(2, 0, "tune", {{id(0, 0), ParentRole::base, 0.5}});
        evaluated({2, 0}, 0, "naive", "tune", {{id(0, 0), ParentRole::base, 0.5}}, 1.3,
                  "naive source\nline two\n", {{"BLOCK", "32"}});
        failed({2, 1}, 0, "naive", {{id(0, 0), ParentRole::base, 0.5}}, Outcome::compile_error);
        committed(2, 0.3);
        ticket(3, 1, "tune", {{id(1, 0), ParentRole::base, 1}});
        evaluated({3, 0}, 1, "tiled", "tune", {{id(1, 0), ParentRole::base, 1}}, 2.0,
                  "tiled source\nline two\n", {{"BLOCK", "64"}});
        committed(3, 0.5);
        add(Migrated{id(3, 0), 1, 0, 0.25, 4});
        const std::vector<Parent> both = {{id(3, 0), ParentRole::base, 0.7},
                                          {id(2, 0), ParentRole::partner, 0.2}};
        ticket(4, 0, "crossover", both);
        evaluated({4, 0}, 0, "tiled", "crossover", both, 2.6, "tiled source\nline 2 changed\n",
                  {{"BLOCK", "32"}});
        committed(4, 0.3);
        ticket(5, 0, "tune", {{id(4, 0), ParentRole::base, 0.9}});
        duplicate_of_crossover();
        committed(5, 0);
        ticket(6, 1, "tune", {{id(3, 0), ParentRole::base, 0.4}});
        turned_down({6, 0}, 1, {{id(3, 0), ParentRole::base, 0.4}}, id(3, 0));
        add(TicketFailed{6, "no worker answered"});
        ticket(7, 1, "tune", {{id(3, 0), ParentRole::base, 0.4}});
        failed({7, 0}, 1, "tiled", {{id(3, 0), ParentRole::base, 0.4}}, Outcome::wrong_result);
        committed(7, 0);
        add(Confirmed{id(4, 0), true, 2.5, id(3, 0), 1.9, Outcome::passed,
                      m_campaign.texts.put(to_json(measured_verdict(410))), tick()});
        ticket(8, 0, "tune", {{id(4, 0), ParentRole::base, 0.9}});
        evaluated({8, 0}, 0, "tiled", "tune", {{id(4, 0), ParentRole::base, 0.9}}, 2.7,
                  "tiled source\nline 2 changed\n", {{"BLOCK", "128"}});
        add(CampaignStopped{"signal SIGINT", false, tick()});
        return std::move(m_campaign);
    }

  private:
    struct Name {
        std::uint64_t ticket;
        std::uint32_t step;
    };
    static IndividualId id(std::uint64_t ticket, std::uint32_t step) {
        return IndividualId::make(ticket, step);
    }
    std::int64_t tick() { return m_now += 1'000'000; }
    void add(Event event) { m_campaign.events.push_back(std::move(event)); }

    void start() {
        CampaignStarted started;
        started.atoll_version = "0.1.0";
        started.config = "task = \"matmul\"\n";
        started.task_name = "matmul";
        started.task_digest = content_id("matmul");
        started.device = "cpu:1 test";
        started.fingerprint = "test fingerprint";
        started.seed = 42;
        started.started_wall_ns = 1'700'000'000'000'000'000;
        add(started);
        add(SessionOpened{0, started.started_wall_ns + 5, "cpu:1 test"});
    }

    void ticket(std::uint64_t number, std::uint32_t island, const std::string& operator_name,
                std::vector<Parent> parents) {
        TicketIssued issued;
        issued.ticket = number;
        issued.island = island;
        issued.island_probability = 0.5;
        issued.operator_name = operator_name;
        issued.operator_probability = 0.6;
        issued.parents = std::move(parents);
        issued.commits_seen = m_commits;
        issued.at_ns = tick();
        add(issued);
    }

    void committed(std::uint64_t number, double reward) {
        add(TicketCommitted{number, reward, tick(), 0.25, 0.125});
        ++m_commits;
    }

    Individual individual(Name name, std::uint32_t island, const std::string& starter,
                          const std::string& operator_name, std::vector<Parent> parents) {
        Individual one;
        one.id = id(name.ticket, name.step);
        one.island = island;
        one.starter = starter;
        one.operator_name = operator_name;
        one.parents = std::move(parents);
        one.asked_ns = tick();
        one.done_ns = tick();
        return one;
    }

    void evaluated(Name name, std::uint32_t island, const std::string& starter,
                   const std::string& operator_name, std::vector<Parent> parents, double fitness,
                   const std::string& source, std::map<std::string, std::string> tune) {
        Individual one = individual(name, island, starter, operator_name, std::move(parents));
        one.source = m_campaign.texts.put(source);
        one.tune = std::move(tune);
        one.flags = {"-funroll-loops"};
        one.description = operator_name + " made " + one.id.text();
        one.outcome = Outcome::passed;
        one.fitness = fitness;
        one.time_ns = 1000 / fitness;
        one.key = content_id("key " + one.id.text());
        one.verdict = m_campaign.texts.put(to_json(measured_verdict(one.time_ns)));
        if (operator_name == "crossover") {
            one.prompt = m_campaign.texts.put("the prompt");
            one.reply = m_campaign.texts.put("the reply");
            one.predicted_gain = 1.25;
        }
        if (operator_name == "crossover") {
            m_crossover = one;
        }
        add(Evaluated{std::move(one)});
    }

    void failed(Name name, std::uint32_t island, const std::string& starter,
                std::vector<Parent> parents, Outcome outcome) {
        Individual one = individual(name, island, starter, "tune", std::move(parents));
        one.source = m_campaign.texts.put("broken source " + one.id.text() + "\n");
        one.description = "tune made something broken";
        one.outcome = outcome;
        one.key = content_id("key " + one.id.text());
        one.verdict = m_campaign.texts.put(to_json(failed_verdict(outcome, "it is broken")));
        add(Evaluated{std::move(one)});
    }

    void turned_down(Name name, std::uint32_t island, std::vector<Parent> parents,
                     IndividualId similar) {
        Individual one;
        one.id = id(name.ticket, name.step);
        one.island = island;
        one.starter = "tiled";
        one.operator_name = "tune";
        one.parents = std::move(parents);
        one.source = m_campaign.texts.put("tiled source\nline three\n");
        one.description = "a near copy";
        one.key = content_id("key " + one.id.text());
        one.done_ns = m_now;
        add(TurnedDown{std::move(one), similar, 0.96875});
    }

    void duplicate_of_crossover() {
        Individual one =
            individual({5, 0}, 0, "tiled", "tune", {{id(4, 0), ParentRole::base, 0.9}});
        one.source = m_crossover.source;
        one.tune = m_crossover.tune;
        one.flags = m_crossover.flags;
        one.description = "tune made 4.0 again";
        one.outcome = m_crossover.outcome;
        one.fitness = m_crossover.fitness;
        one.time_ns = m_crossover.time_ns;
        one.key = m_crossover.key;
        one.verdict = m_crossover.verdict;
        one.duplicate = true;
        add(Evaluated{std::move(one)});
    }

    Campaign m_campaign;
    Individual m_crossover;
    std::uint64_t m_commits = 0;
    std::int64_t m_now = 0;
};

inline Campaign small_campaign() {
    return CampaignBuilder().build();
}

/// Writes all events of a campaign and closes the file.
inline Status write_lineage(const Campaign& campaign, const std::filesystem::path& path,
                            LineageMode mode) {
    ATOLL_TRY_ASSIGN(const auto writer, LineageWriter::create(path, mode));
    std::uint64_t index = 0;
    for (const Event& event : campaign.events) {
        ATOLL_TRY(writer->add(event, index++, campaign.texts));
    }
    return writer->close();
}

inline std::vector<std::string> encoded(const std::vector<Event>& events) {
    std::vector<std::string> result;
    for (const Event& event : events) {
        result.push_back(std::to_string(event.index()) + encode_event(event));
    }
    return result;
}

}  // namespace atl::lineage_test
