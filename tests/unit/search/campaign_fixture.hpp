#pragma once

#include "population/run_folder.hpp"
#include "population/snapshot.hpp"
#include "search/engine.hpp"
#include "search/recorded_run.hpp"
#include "tests/support/fake_evaluator.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace atl::testing {

/// Two starters of different structure that share one marked region.
[[nodiscard]] inline TaskPtr small_task() {
    const std::string knobs =
        "#ifndef TILE\n#define TILE 2  // tune: 1, 2, 4, 8, 16, 32, 64, 128\n#endif\n"
        "#ifndef UNROLL\n#define UNROLL 1  // tune: 1, 2, 4, 8, 16, 32, 64, 128\n#endif\n"
        "#ifndef WIDTH\n#define WIDTH 8  // tune: 1, 2, 4, 8, 16, 32, 64, 128\n#endif\n";
    auto task = std::make_shared<Task>();
    task->name = "small";
    task->folder = "/tmp/small";
    task->starters = {
        {"loops", knobs + "// region: body\nint a = TILE;\n// endregion: body\nint x;\n"},
        {"tiles", knobs + "// region: body\nint b = UNROLL;\n// endregion: body\nint y = 12;\n"}};
    task->allowed_flags = {"-ffast", "-O2"};
    Workload workload;
    workload.id = "w0";
    task->workloads = {workload};
    return task;
}

/// Each knob costs (log2(value) - 6)^2; the region "int b" is a little better than "int a".
[[nodiscard]] inline double small_time_ns(const Candidate& candidate) {
    double time = candidate.source.find("int b") == std::string::npos ? 1100 : 1000;
    for (const auto& [name, standard] :
         {std::pair{"TILE", "2"}, std::pair{"UNROLL", "1"}, std::pair{"WIDTH", "8"}}) {
        const auto chosen = candidate.tune.find(name);
        const std::string text = chosen == candidate.tune.end() ? standard : chosen->second;
        const double distance = std::log2(std::stod(text)) - 6;
        time += 100 * distance * distance;
    }
    return time;
}

[[nodiscard]] inline CampaignConfig small_config() {
    CampaignConfig config;
    config.campaign.task = "small";
    config.campaign.seed = 7;
    config.islands.count = 2;
    config.archive.size = 8;
    config.migration.policy.every_commits = 5;
    config.engine.ticket_evaluations = 4;
    config.engine.tickets_in_flight = 3;
    config.engine.sync_interval_ms = 5;
    config.evaluation.retries = 1;
    config.stop.max_evaluations = 120;
    return config;
}

/// Keeps everything that it is shown.
class Recorder final : public EngineObserver {
  public:
    void on_event(const Event& event, const CampaignState& state) override {
        events.push_back(event);
        if (look) {
            look(event, state);
        }
    }
    void on_sync(const CampaignState& state) override {
        synced_events = state.events_applied();
        ++syncs;
    }
    void on_tick(const CampaignState&, std::int64_t) override {}
    void on_remark(std::string_view text) override { remarks.emplace_back(text); }

    std::vector<Event> events;
    std::vector<std::string> remarks;
    std::uint64_t synced_events = 0;  ///< acknowledged
    std::size_t syncs = 0;
    std::function<void(const Event&, const CampaignState&)> look;
};

/// A journal whose process "dies": after `limit` events (0: never) every call fails, so that what
/// was not synced before is lost like after a power cut. `look` is told of each event's number.
class WatchedJournal final : public JournalWriter {
  public:
    WatchedJournal(JournalWriter& journal, std::uint64_t limit,
                   std::function<void(std::uint64_t)> look)
        : m_journal(journal), m_limit(limit), m_look(std::move(look)) {}

    Expected<std::string> text(const Digest& id) const override { return m_journal.text(id); }
    Expected<Digest> put_text(std::string_view text, const Digest& similar) override {
        return m_journal.put_text(text, similar);
    }
    Status append(const Event& event) override {
        ATOLL_TRY(alive());
        ++m_count;
        if (m_look) {
            m_look(m_count);
        }
        return m_journal.append(event);
    }
    Status sync() override {
        ATOLL_TRY(alive());
        return m_journal.sync();
    }
    std::uint64_t event_count() const override { return m_journal.event_count(); }
    std::uint64_t position() const override { return m_journal.position(); }

  private:
    [[nodiscard]] Status alive() const {
        if (m_limit > 0 && m_count >= m_limit) {
            return failure(ErrorCode::no_space, "the disk is full", "journal");
        }
        return {};
    }

    JournalWriter& m_journal;
    std::uint64_t m_limit;
    std::function<void(std::uint64_t)> m_look;
    std::uint64_t m_count = 0;
};

/// One campaign in a folder of its own, run and resumed as often as a test likes.
class Campaign {
  public:
    explicit Campaign(CampaignConfig c = small_config(), TaskPtr t = small_task())
        : config(std::move(c)), task(std::move(t)) {}

    [[nodiscard]] std::filesystem::path path() const { return m_folder.path() / "run"; }

    /// Starts, or goes on with, the run. Dies after that many events when `events` is given.
    Expected<EngineReport> run(FakeEvaluatorOptions options = {}, std::uint64_t events = 0) {
        options.time_ns = options.time_ns ? options.time_ns : small_time_ns;
        FakeEvaluator evaluator(std::move(options));
        return run_with(evaluator, events);
    }

    Expected<EngineReport> run_with(Evaluator& evaluator, std::uint64_t events = 0) {
        auto folder = RunFolder::open(path());
        const bool exists = folder.has_value();
        if (!exists) {  // not begun, or died before anything was recorded
            folder = RunFolder::create(path());
        }
        if (!folder) {
            return tl::unexpected<Error>(folder.error());
        }
        CampaignState state(state_settings(config));
        if (exists) {
            auto loaded = load_run(*folder, state_settings(config));
            if (!loaded) {
                return tl::unexpected<Error>(loaded.error());
            }
            state = std::move(loaded->state);
        }
        auto journal = JournalWriter::open(folder->journal());
        EXPECT_TRUE(journal) << journal.error().message();
        WatchedJournal watched(**journal, events, at_append);
        StopSignal unused;
        Ledger::Options ledger;
        ledger.observer = &recorder;
        ledger.snapshot_every = static_cast<std::uint64_t>(config.engine.snapshot_every);
        ledger.snapshot = [&](const CampaignState& s, std::uint64_t position) {
            return write_snapshot(*folder, s, position);
        };
        CampaignConfig resolved = config;
        const Status fits = resolve_config(resolved, *task, evaluator);
        EXPECT_TRUE(fits) << fits.error().message();
        return run_engine({resolved, task, evaluator, watched, std::move(state), clock,
                           stop == nullptr ? unused : *stop, std::move(ledger), version, operators,
                           model, record, prompts});
    }

    /// Everything in the journal.
    [[nodiscard]] std::vector<Event> events() const {
        auto reader = JournalReader::open(path() / "journal");
        EXPECT_TRUE(reader);
        std::vector<Event> all;
        const Status status = (*reader)->for_each(0, [&](const JournalReader::Entry& entry) {
            all.push_back(entry.event);
            return Status();
        });
        EXPECT_TRUE(status);
        return all;
    }

    CampaignConfig config;
    TaskPtr task;
    std::string version = "test";
    OperatorRegistry operators = shipped_operators();
    ChatModel* model = nullptr;
    RecordedRun* record = nullptr;
    std::shared_ptr<Prompts> prompts;
    Recorder recorder;
    StopSignal* stop = nullptr;
    std::unique_ptr<StopSignal> own_stop;          ///< for tests that have no other place for it
    std::function<void(std::uint64_t)> at_append;  ///< see WatchedJournal
    SystemClock clock;

  private:
    TemporaryFolder m_folder;
};

}  // namespace atl::testing
