#include "tests/adversarial/candidate_batch.hpp"
#include "tests/support/skip_or_fail.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/search/campaign_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace atl {
namespace {

using testing::k_adversarial_folder;

/// Twenty attacks that must not pass, others for each seed. Those that need short limits would
/// take most of the time.
std::vector<std::string> some_tricks(std::uint64_t seed) {
    std::vector<std::string> tricks;
    for (const auto& entry :
         std::filesystem::directory_iterator(k_adversarial_folder / "attacks")) {
        const testing::ListedCandidate attack = testing::load_candidate(entry.path());
        if (attack.limits.empty() && !attack.expected.contains(Outcome::passed)) {
            tricks.push_back(attack.name);
        }
    }
    std::sort(tricks.begin(), tricks.end());
    std::shuffle(tricks.begin(), tricks.end(), std::mt19937_64(seed));
    tricks.resize(20);
    return tricks;
}

/// A starter whose knobs are a script for the tune operator: TRICK 0 is an honest kernel that does
/// EXTRA microseconds more than it must, every other value is an attack.
std::string starter_with_tricks(const std::vector<std::string>& tricks) {
    std::string source = "#ifndef TRICK\n#define TRICK 0  // tune: 0";
    for (std::size_t i = 1; i <= tricks.size(); ++i) {
        source += ", " + std::to_string(i);
    }
    source += "\n#endif\n#ifndef EXTRA\n#define EXTRA 2000  // tune: 0, 500, 1000, 2000\n#endif\n";
    source += "#if TRICK == 0\n" +
              testing::with_headers_inlined("#include \"tests/adversarial/row_mean.hpp\"\n") +
              "extern \"C\" void launch(ROW_MEAN_ARGUMENTS) {\n"
              "    costly_row_mean(ROW_MEAN_VALUES, EXTRA);\n}\n";
    for (std::size_t i = 0; i < tricks.size(); ++i) {
        source +=
            "#elif TRICK == " + std::to_string(i + 1) + "\n" +
            testing::load_candidate(k_adversarial_folder / "attacks" / (tricks[i] + ".cpp")).source;
    }
    return source + "#endif\n";
}

TEST(AdversarialCampaign, NeverConfirmsATrick) {
    if (probe_sandbox().level == SandboxLevel::none) {
        ATOLL_SKIP_OR_FAIL("no jail on this machine, so no attack runs: see atoll doctor");
    }
    const testing::TemporaryFolder folder;
    std::filesystem::copy(k_adversarial_folder / "task", folder.path() / "task");
    std::filesystem::create_directory(folder.path() / "task" / "starters");
    // Other tricks in another order each time; the seed of a failure is in its message.
    const std::uint64_t seed = std::random_device()() % 1'000'000;
    SCOPED_TRACE("seed = " + std::to_string(seed));
    const std::vector<std::string> tricks = some_tricks(seed);
    std::ofstream(folder.path() / "task" / "starters" / "tricks.cpp")
        << starter_with_tricks(tricks);
    const TaskPtr task = value_or_throw(load_task(folder.path() / "task"));

    testing::CandidateBatch real({});
    CampaignConfig config = testing::small_config();
    config.campaign.seed = seed;
    config.campaign.task = "row_mean";
    config.operators.tune_strategy = "random";
    config.engine.ticket_evaluations = 6;
    config.engine.tickets_in_flight = 2;
    config.evaluation.deadline_s = 3600;
    config.stop.max_evaluations = 28;
    testing::Campaign campaign(config, task);
    const auto report = campaign.run_with(real.evaluator());
    ASSERT_TRUE(report) << report.error().message();
    ASSERT_FALSE(report->fault) << report->fault->message();

    std::set<std::string> tried;
    for (const Individual& individual : report->state.individuals()) {
        const TuneValues::Map tune = individual.tune;
        const auto trick = tune.find("TRICK");
        if (trick != tune.end()) {
            tried.insert(trick->second);
        }
    }
    EXPECT_GE(tried.size(), 5U) << "the script did not inject enough";
    int accepted = 0;
    for (const Event& event : campaign.events()) {
        const auto* confirmed = std::get_if<Confirmed>(&event);
        if (confirmed == nullptr || !confirmed->accepted) {
            continue;
        }
        ++accepted;
        const Individual* best = report->state.find(confirmed->individual);
        ASSERT_NE(best, nullptr);
        const TuneValues::Map tune = best->tune;
        EXPECT_FALSE(tune.contains("TRICK")) << tricks.at(std::stoul(tune.at("TRICK")) - 1);
    }
    EXPECT_GT(accepted, 0) << "nothing was confirmed, so nothing was tested";
}

}  // namespace
}  // namespace atl
