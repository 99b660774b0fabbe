// What a child costs must not grow with the campaign: what is derived from all individuals is kept
// up to date, and what was read of a source is not read again.

#include "search/confirm.hpp"
#include "search/decide.hpp"
#include "search/lru_cache.hpp"
#include "search/ticket_run.hpp"
#include "tests/unit/search/campaign_fixture.hpp"

#include <set>

namespace atl {
namespace {

using testing::Campaign;

TEST(LruCache, DropsWhatWasNotUsedForLongest) {
    LruCache<int, std::string> cache(30);
    cache.put(1, "one", 10);
    cache.put(2, "two", 10);
    cache.put(3, "three", 10);
    ASSERT_NE(cache.find(1), nullptr);
    cache.put(4, "four", 10);
    EXPECT_EQ(cache.find(2), nullptr);
    ASSERT_NE(cache.find(1), nullptr);
    EXPECT_EQ(*cache.find(1), "one");
    EXPECT_EQ(cache.put(5, "large", 100), "large");
    EXPECT_EQ(cache.find(4), nullptr);
    EXPECT_NE(cache.find(5), nullptr);
}

class CountingTexts final : public TextSource {
  public:
    explicit CountingTexts(const TextSource& texts) : m_texts(texts) {}
    [[nodiscard]] Expected<std::string> text(const Digest& id) const override {
        ++reads;
        return m_texts.text(id);
    }
    mutable std::size_t reads = 0;

  private:
    const TextSource& m_texts;
};

/// A state after some commits, with the journal that holds its texts.
struct Ended {
    explicit Ended(Campaign& campaign) : report(campaign.run()) {
        auto reader = JournalReader::open(campaign.path() / "journal");
        EXPECT_TRUE(reader);
        EXPECT_TRUE((*reader)->for_each(0, [](const auto&) { return Status(); }));
        texts = std::move(*reader);
    }
    [[nodiscard]] const CampaignState& state() const { return report->state; }

    Expected<EngineReport> report;
    std::unique_ptr<JournalReader> texts;
};

TEST(Growth, ADecisionUnpacksEachSourceOnce) {
    Campaign campaign;
    const Ended ended(campaign);
    ASSERT_TRUE(ended.report) << ended.report.error().message();
    std::set<Digest> sources;
    for (const Individual& individual : ended.state().individuals()) {
        sources.insert(individual.source);
    }
    const CountingTexts texts(*ended.texts);
    CandidateStore candidates(texts, *campaign.task);
    const Strategies strategies(campaign.config);
    for (std::uint64_t ticket = 1000; ticket < 1100; ++ticket) {
        const auto issued =
            decide_ticket(ended.state(), strategies, campaign.task, candidates, ticket);
        ASSERT_TRUE(issued) << issued.error().message();
        ASSERT_TRUE(*issued);
    }
    EXPECT_LE(texts.reads, sources.size());
    EXPECT_GT(texts.reads, 0u);
}

TEST(CandidateStore, GivesTheKeysThatCandidateKeyGives) {
    Campaign campaign;
    const Ended ended(campaign);
    ASSERT_TRUE(ended.report);
    CandidateStore candidates(*ended.texts, *campaign.task);
    for (const Individual& individual : ended.state().individuals()) {
        const auto candidate = candidates.candidate(individual);
        ASSERT_TRUE(candidate);
        EXPECT_EQ(candidates.key(*candidate), individual.key);
        EXPECT_EQ(candidate_key(*candidate), individual.key);
        const auto view = candidates.view(individual);
        ASSERT_TRUE(view);
        EXPECT_EQ((*view)->candidate, *candidate);
        EXPECT_EQ((*view)->setting, setting_of((*view)->parts->knobs, *candidate));
    }
    Candidate other{"external", campaign.task->starters[0].source, {}, {}};
    EXPECT_EQ(candidates.key(other), candidate_key(other));
}

TEST(IndividualsAfter, CountsThoseOfTheFirstCommits) {
    Campaign campaign;
    const Ended ended(campaign);
    ASSERT_TRUE(ended.report);
    const auto& all = ended.state().individuals();
    std::size_t commits = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (i == 0 || all[i].id.ticket() != all[i - 1].id.ticket()) {
            EXPECT_EQ(individuals_after(ended.state(), commits), i);
            ++commits;
        }
    }
    EXPECT_EQ(commits, ended.state().commits());
    EXPECT_GT(all.size(), commits);  // some committed several
    EXPECT_EQ(individuals_after(ended.state(), commits), all.size());
}

TEST(FittestNotRefused, FollowsTheCampaignAndItsConfirmations) {
    CampaignState state(StateSettings{});
    ASSERT_TRUE(state.apply(CampaignStarted{}));
    FittestNotRefused fittest;
    EXPECT_EQ(fittest.of(state), nullptr);
    const auto commit = [&](std::uint64_t ticket, double fitness) {
        TicketIssued issued;
        issued.ticket = ticket;
        issued.operator_name = "starter";
        issued.commits_seen = state.commits();
        EXPECT_TRUE(state.apply(issued));
        Individual individual;
        individual.id = IndividualId::make(ticket, 0);
        individual.key = content_id(std::to_string(ticket));
        individual.outcome = fitness > 0 ? Outcome::passed : Outcome::wrong_result;
        individual.fitness = fitness;
        EXPECT_TRUE(state.apply(Evaluated{individual}));
        EXPECT_TRUE(state.apply(TicketCommitted{ticket, 0, 0, 0, 0}));
        return individual.id;
    };
    commit(0, 0);
    EXPECT_EQ(fittest.of(state), nullptr);
    const IndividualId second = commit(1, 2);
    const IndividualId best = commit(2, 3);
    commit(3, 3);  // as fit, later
    EXPECT_EQ(fittest.of(state)->id, best);
    Confirmed refused;
    refused.individual = best;
    ASSERT_TRUE(state.apply(refused));
    refused.individual = IndividualId::make(3, 0);
    ASSERT_TRUE(state.apply(refused));
    fittest.look_again();
    EXPECT_EQ(fittest.of(state)->id, second);
    const IndividualId later = commit(4, 2.5);
    EXPECT_EQ(fittest.of(state)->id, later);
    refused.accepted = true;
    refused.individual = best;
    ASSERT_TRUE(state.apply(refused));
    fittest.look_again();
    EXPECT_EQ(fittest.of(state)->id, best);
}

}  // namespace
}  // namespace atl
