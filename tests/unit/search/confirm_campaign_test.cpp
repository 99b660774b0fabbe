#include "population/lineage/lineage_view.hpp"
#include "search/confirm.hpp"
#include "tests/unit/search/campaign_fixture.hpp"
#include "tests/unit/search/changed_answers.hpp"

#include <algorithm>
#include <map>
#include <optional>

namespace atl {
namespace {

using testing::Campaign;
using testing::ChangedAnswers;
using testing::FakeEvaluator;
using testing::FakeEvaluatorOptions;

FakeEvaluatorOptions fake_options() {
    FakeEvaluatorOptions options;
    options.time_ns = testing::small_time_ns;
    return options;
}

std::vector<Confirmed> confirmations_of(const Campaign& campaign) {
    std::vector<Confirmed> all;
    for (const Event& event : campaign.events()) {
        if (const auto* confirmed = std::get_if<Confirmed>(&event)) {
            all.push_back(*confirmed);
        }
    }
    return all;
}

// Confirmed while the search went on, and found wrong when it was confirmed again at the end.
TEST(ConfirmInACampaign, ARefutedBestIsTheBestNoMore) {
    // A best that was found late is confirmed once only; then another campaign has to show it.
    for (std::int64_t seed = 7; seed < 20; ++seed) {
        Campaign campaign;
        campaign.config.campaign.seed = seed;
        campaign.config.stop.max_evaluations = 400;
        campaign.config.confirm.share = 1;  // whatever a busy machine makes of the time
        FakeEvaluator evaluator(fake_options());
        std::map<Digest, int> confirmed;
        std::optional<Digest> refuted;
        std::vector<Digest> rivals_afterwards;
        ChangedAnswers changed(evaluator, [&](const EvaluationRequest& request, auto& result) {
            if (request.level != Level::confirm) {
                return;
            }
            if (refuted) {
                for (const Rival& rival : request.rivals) {
                    rivals_afterwards.push_back(candidate_key(rival.candidate));
                }
            } else if (const Digest key = candidate_key(request.candidate); ++confirmed[key] == 2) {
                refuted = key;
                result->outcome = Outcome::inconsistent;
            }
        });
        const auto report = campaign.run_with(changed);
        ASSERT_TRUE(report) << report.error().message();
        EXPECT_TRUE(report->finished);
        if (!refuted) {
            continue;
        }
        ASSERT_TRUE(report->state.confirmed());
        const Confirmed& best = *report->state.confirmed();
        EXPECT_NE(report->state.find(best.individual)->key, *refuted);
        EXPECT_TRUE(report->state.confirmations().at(best.individual).accepted);
        EXPECT_FALSE(rivals_afterwards.empty()) << "the next candidate is confirmed";
        EXPECT_THAT(rivals_afterwards, ::testing::Not(::testing::Contains(*refuted)));

        const std::vector<Event> events = campaign.events();
        EXPECT_EQ(lineage_view(events).best()->individual->id, best.individual);
        CampaignState folded(state_settings(campaign.config));
        for (const Event& event : events) {
            ASSERT_TRUE(folded.apply(event));
        }
        EXPECT_EQ(folded.encode(), report->state.encode());
        const auto folder = RunFolder::open(campaign.path());
        ASSERT_TRUE(folder);
        const auto loaded = load_run(*folder, state_settings(campaign.config));
        ASSERT_TRUE(loaded) << loaded.error().message();
        EXPECT_EQ(loaded->replayed_events, 0u) << "this is the snapshot's state";
        EXPECT_EQ(loaded->state.encode(), report->state.encode());
        return;
    }
    FAIL() << "no best was confirmed twice";
}

// It may have been killed from outside. That says nothing about the candidate.
// Without the starter there is no number; without the previous best its earlier number serves.
TEST(ConfirmInACampaign, WithoutARivalItNeedsAConfirmationIsLostAndRefusesNobody) {
    for (const char* rival : {k_rival_starter, k_rival_previous}) {
        Campaign campaign;
        campaign.config.stop.max_evaluations = 400;
        campaign.config.confirm.share = 1;  // some are left to confirm after two lost ones
        FakeEvaluator evaluator(fake_options());
        int lost = 0;
        ChangedAnswers changed(evaluator, [&](const EvaluationRequest& request, auto& result) {
            if (request.level == Level::confirm && lost < 2) {
                lost += static_cast<int>(result->measure->rivals.erase(rival));
            }
        });
        const auto report = campaign.run_with(changed);
        ASSERT_TRUE(report) << report.error().message();
        EXPECT_EQ(lost, 2);
        EXPECT_EQ(std::count(campaign.recorder.remarks.begin(), campaign.recorder.remarks.end(),
                             "confirmation lost: the " + std::string(rival) +
                                 " could not be measured beside it"),
                  std::string(rival) == k_rival_starter ? 2 : 0);
        for (const Confirmed& confirmed : confirmations_of(campaign)) {
            EXPECT_TRUE(confirmed.accepted) << confirmed.individual.text();
        }
        ASSERT_TRUE(report->state.confirmed());
        EXPECT_EQ(report->state.confirmed()->individual, report->state.best()->id);
    }
}

// The best that fails beside its successor is looked at before anything is said of the successor.
TEST(ConfirmInACampaign, APreviousBestThatFailsAsARivalIsConfirmedNext) {
    Campaign campaign;
    FakeEvaluator evaluator(fake_options());
    std::optional<Digest> refuted;
    ChangedAnswers changed(evaluator, [&](const EvaluationRequest& request, auto& result) {
        if (request.level != Level::confirm) {
            return;
        }
        std::map<std::string, Digest> keys;
        for (const Rival& rival : request.rivals) {
            keys[rival.name] = candidate_key(rival.candidate);
        }
        const bool has_previous = keys.count(k_rival_previous) > 0;
        if (!refuted && has_previous && keys[k_rival_previous] != keys[k_rival_starter]) {
            refuted = keys[k_rival_previous];
        }
        if (refuted && has_previous && keys[k_rival_previous] == *refuted) {
            result->measure->rivals.erase(k_rival_previous);
            // Slower than the earlier number of the previous best says.
            for (WorkloadTiming& timing : result->measure->rivals.at(k_rival_starter)) {
                timing.median_ns /= 1000;
            }
        }
        if (refuted && candidate_key(request.candidate) == *refuted) {
            result->outcome = Outcome::wrong_result;
        }
    });
    const auto report = campaign.run_with(changed);
    ASSERT_TRUE(report) << report.error().message();
    ASSERT_TRUE(refuted);
    ASSERT_TRUE(report->state.confirmed());
    EXPECT_NE(report->state.find(report->state.confirmed()->individual)->key, *refuted);
    const auto& all = report->state.confirmations();
    EXPECT_TRUE(std::any_of(all.begin(), all.end(), [&](const auto& one) {
        return !one.second.accepted && report->state.find(one.first)->key == *refuted;
    }));
}

}  // namespace
}  // namespace atl
