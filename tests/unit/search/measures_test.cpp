#include "search/measures.hpp"

#include "search/replay.hpp"
#include "tests/unit/search/campaign_fixture.hpp"

#include <set>

namespace atl {
namespace {

using testing::Campaign;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::small_config;
using testing::small_task;

Verdict measured() {
    Verdict verdict;
    verdict.outcome = Outcome::passed;
    verdict.compile = CompileReport{};
    verdict.compile->binary_bytes = 4096;
    verdict.memory_bytes = 16u << 20;
    const auto launch = [](double error, bool hidden) {
        VerifyCase one;
        one.max_abs_error = error;
        one.hidden = hidden;
        return one;
    };
    verdict.verify = {launch(0.25, false), launch(0.5, false), launch(8, true)};
    const auto timing = [](const char* name, double median, bool hidden) {
        WorkloadTiming one;
        one.workload = name;
        one.median_ns = median;
        one.hidden = hidden;
        return one;
    };
    verdict.measure = MeasureReport{};
    verdict.measure->workloads = {timing("w0", 100, false), timing("w1", 400, false),
                                  timing("secret", 7, true)};
    verdict.scores = {{"ratio", 2.5}, {"odd", std::nan("")}};
    return verdict;
}

TEST(Measures, EachNameMeansWhatIsDocumented) {
    const TaskPtr task = small_task();
    Candidate candidate{"cpu_cpp", task->starters[1].source, {{"TILE", "16"}}, {"-O2", "-ffast"}};
    const std::vector<std::string> names = {
        "source_bytes", "flags",      "starter",     "binary_bytes", "error",
        "time",         "time:w1",    "tune:TILE",   "tune:WIDTH",   "score:ratio",
        "score:odd",    "score:none", "time:secret", "memory_bytes"};
    EXPECT_THAT(measure_candidate(names, *task, candidate, "tiles", measured()),
                ElementsAre(static_cast<double>(candidate.source.size()), 2, 1, 4096, 0.5,
                            ::testing::DoubleNear(200, 1e-9), 400, 16, 8, 2.5, k_not_measured,
                            k_not_measured, k_not_measured, 16 << 20));
    EXPECT_THAT(measure_candidate({"binary_bytes", "time", "memory_bytes", "tune:NONE", "starter"},
                                  *task, candidate, "gone", Verdict()),
                ElementsAre(k_not_measured, k_not_measured, k_not_measured, 0, 0));
    Verdict kernels;
    kernels.compile = CompileReport{};
    kernels.compile->code = {{"tensor", 12}, {"sync_level", 2}};
    kernels.profile = ProfileReport{};
    KernelFootprint first;
    first.launches = 2;
    first.threads_per_block = 128;
    first.registers = 40;
    first.static_shared_bytes = 100;
    first.dynamic_shared_bytes = 28;
    first.spill_bytes = 8;
    first.occupancy = 0.75;
    KernelFootprint second;
    second.launches = 1;
    second.threads_per_block = 256;
    second.registers = 32;
    second.static_shared_bytes = 64;
    second.occupancy = 0.5;
    kernels.profile->kernels = {first, second};
    const std::vector<std::string> of_kernels = {"registers",   "shared_bytes",    "spill_bytes",
                                                 "occupancy",   "block_threads",   "kernels",
                                                 "code:tensor", "code:sync_level", "code:barriers"};
    EXPECT_THAT(measure_candidate(of_kernels, *task, candidate, "", kernels),
                ElementsAre(40, 128, 8, 0.5, 256, 3, 12, 2, k_not_measured));
    EXPECT_THAT(measure_candidate(of_kernels, *task, candidate, "", Verdict()),
                ::testing::Each(k_not_measured));
    for (const std::string& name : of_kernels) {
        EXPECT_TRUE(check_measure(name, nullptr)) << name;
    }
    EXPECT_FALSE(check_measure("code:speed", nullptr));
    EXPECT_FALSE(check_measure("code:", nullptr));
    Verdict frugal;
    frugal.memory_bytes = 0;
    EXPECT_THAT(measure_candidate({"memory_bytes"}, *task, candidate, "", frugal), ElementsAre(0));
}

TEST(Measures, NamesAreCheckedAgainstTheTask) {
    const TaskPtr task = small_task();
    for (const std::string& name : plain_measures()) {
        EXPECT_TRUE(check_measure(name, task.get())) << name;
    }
    for (const char* name : {"tune:TILE", "time:w0", "score:anything"}) {
        EXPECT_TRUE(check_measure(name, task.get())) << name;
    }
    EXPECT_TRUE(check_measure("tune:NONE", nullptr));
    for (const char* name : {"tune:NONE", "time:w9", "tune:", "score:", "", "bytes"}) {
        EXPECT_FALSE(check_measure(name, task.get())) << name;
    }
    EXPECT_THAT(check_measure("source_byte", nullptr).error().what,
                HasSubstr("did you mean \"source_bytes\""));
    EXPECT_THAT(check_measure("time:w9", task.get()).error().message(), HasSubstr("w0"));
}

// ---- in campaigns

CampaignConfig grid_config() {
    CampaignConfig config = small_config();
    config.archive.kind = "grid";
    config.archive.axes = {"tune:TILE 0 128 4", "starter 0 2 2"};
    config.engine.commit_order = "ticket";
    return config;
}

CampaignConfig pareto_config() {
    CampaignConfig config = small_config();
    config.archive.kind = "pareto";
    config.archive.objectives = {"tune:TILE", "time:w0", "source_bytes"};
    config.engine.commit_order = "ticket";
    return config;
}

ReplayReport replayed(const Campaign& campaign) {
    auto reader = JournalReader::open(campaign.path() / "journal");
    EXPECT_TRUE(reader);
    const std::vector<Event> events = campaign.events();
    EXPECT_TRUE((*reader)->for_each(0, [](const auto&) { return Status(); }));
    auto replay = replay_decisions(events, **reader, campaign.config, campaign.task);
    EXPECT_TRUE(replay) << replay.error().message();
    return *replay;
}

double tile_of(const Individual& one) {
    const TuneValues::Map tune = one.tune;
    return tune.contains("TILE") ? std::stod(tune.at("TILE")) : 2;
}

TEST(Measures, AGridIslandKeepsOnePerCellAndTheBest) {
    Campaign campaign(grid_config());
    const auto report = campaign.run();
    ASSERT_TRUE(report) << report.error().message();
    double best = 0;
    for (const IslandState& island : report->state.islands()) {
        std::set<std::pair<int, int>> cells;
        for (const ArchiveEntry& entry : island.archive.entries()) {
            const Individual& one = *report->state.find(entry.id);
            ASSERT_EQ(one.measures.size(), 2u);
            EXPECT_EQ(one.measures[0], tile_of(one));
            const auto bin = [](double value, double width, double most) {
                return static_cast<int>(std::min(std::floor(value / width), most));
            };
            EXPECT_TRUE(
                cells.emplace(bin(one.measures[0], 32, 3), bin(one.measures[1], 1, 1)).second);
        }
        EXPECT_GT(cells.size(), 2u);
        best = std::max(best, island.archive.best()->fitness);
    }
    EXPECT_EQ(best, report->state.best()->fitness);
    EXPECT_THAT(replayed(campaign).differences, ::testing::IsEmpty());
}

// Tiles of 64 are fastest, and need the more memory the larger they are.
TEST(Measures, AParetoIslandKeepsWhatIsSlowerOnLessMemory) {
    CampaignConfig config = pareto_config();
    config.archive.objectives = {"time", "memory_bytes"};
    Campaign campaign(config);
    testing::FakeEvaluatorOptions evaluator;
    evaluator.memory_bytes = [](const Candidate& candidate) {
        const auto tile = candidate.tune.find("TILE");
        return 4096 * (tile == candidate.tune.end() ? 2 : std::stoull(tile->second));
    };
    const auto report = campaign.run(evaluator);
    ASSERT_TRUE(report) << report.error().message();
    std::set<double> kept;
    for (const IslandState& island : report->state.islands()) {
        for (const ArchiveEntry& entry : island.archive.entries()) {
            const Individual& one = *report->state.find(entry.id);
            EXPECT_THAT(one.measures, ElementsAre(one.time_ns, 4096 * tile_of(one)));
            kept.insert(one.measures.at(1));
        }
    }
    EXPECT_GT(kept.size(), 2u);
    EXPECT_LT(*kept.begin(), 4096 * tile_of(*report->state.best()));
    EXPECT_THAT(replayed(campaign).differences, ::testing::IsEmpty());
}

TEST(Measures, ResumedCampaignsWithArchivesOfEachKindEqualUninterruptedOnes) {
    for (const CampaignConfig& config : {grid_config(), pareto_config()}) {
        Campaign whole(config);
        const auto expected = whole.run();
        ASSERT_TRUE(expected) << expected.error().message();
        for (const std::uint64_t events : {40u, 77u, 150u}) {
            Campaign broken(config);
            broken.config.engine.snapshot_every = 20;
            ASSERT_FALSE(broken.run({}, events));
            const auto report = broken.run();
            ASSERT_TRUE(report) << report.error().message();
            for (std::size_t i = 0; i < report->state.islands().size(); ++i) {
                const auto a = report->state.islands()[i].archive.entries();
                const auto b = expected->state.islands()[i].archive.entries();
                ASSERT_EQ(a.size(), b.size());
                for (std::size_t j = 0; j < a.size(); ++j) {
                    EXPECT_EQ(a[j].id, b[j].id);
                    EXPECT_EQ(a[j].measures, b[j].measures);
                }
            }
            EXPECT_THAT(replayed(broken).differences, ::testing::IsEmpty());
        }
    }
}

TEST(Measures, AMeasureThatTheTaskLacksEndsACampaignBeforeItBegins) {
    CampaignConfig config = grid_config();
    config.archive.axes = {"tune:NONE 0 1 2"};
    testing::FakeEvaluator evaluator;
    const Status status = resolve_config(config, *small_task(), evaluator);
    ASSERT_FALSE(status);
    EXPECT_THAT(status.error().message(), HasSubstr("no tune macro \"NONE\""));
}

}  // namespace
}  // namespace atl
