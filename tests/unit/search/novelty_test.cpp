#include "search/novelty.hpp"

#include "search/replay.hpp"
#include "tests/unit/search/campaign_fixture.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <map>
#include <numeric>
#include <set>

namespace atl {
namespace {

using testing::Campaign;
using testing::small_config;

/// Tokens w0 to w<count-1>, in the order of their numbers from `first` on, wrapping around.
std::string words(const std::vector<int>& numbers) {
    std::string text;
    for (const int number : numbers) {
        text += "w" + std::to_string(number) + " ";
    }
    return text;
}

std::vector<int> range(int first, int last) {
    std::vector<int> numbers(static_cast<std::size_t>(last - first));
    std::iota(numbers.begin(), numbers.end(), first);
    return numbers;
}

// Broder's example of 1997: of "a rose is a rose is a rose" only few shingles are distinct; those
// of three tokens are (a rose is), (rose is a), (is a rose), which "a rose is a rose" has as well.
TEST(MinHash, MatchesTheExampleOfItsSource) {
    EXPECT_EQ(sketch_of("a rose is a rose is a rose"), sketch_of("a rose is a rose"));
    EXPECT_NE(sketch_of("a rose is a rose is a rose"), sketch_of("a rose is a flower"));
}

TEST(MinHash, LooksAtTokensOnly) {
    EXPECT_EQ(sketch_of("int a = 1; // one\n"), sketch_of("int  a=1;"));
    EXPECT_EQ(similarity(sketch_of("int a = 1;"), sketch_of("int a = 1;")), 1);
    EXPECT_EQ(sketch_of(""), sketch_of("// nothing\n"));
    EXPECT_NE(sketch_of("x"), sketch_of("y"));
}

// Two texts that share s of their n - 2 shingles each have J = s / (2 (n - 2) - s); the estimate
// may be off by five standard deviations.
RC_GTEST_PROP(MinHash, EstimatesTheShareOfCommonShingles, ()) {
    const int length = *rc::gen::inRange(3, 400);
    const int shift = *rc::gen::inRange(0, length);
    const Sketch a = sketch_of(words(range(0, length)));
    const Sketch b = sketch_of(words(range(shift, length + shift)));
    const double shingles = length - 2;
    const double common = std::max(0.0, shingles - shift);
    const double jaccard = common / (2 * shingles - common);
    const double deviation = std::sqrt(jaccard * (1 - jaccard) / k_sketch_values);
    RC_ASSERT(std::abs(similarity(a, b) - jaccard) <= 5 * deviation + 1e-12);
}

class MemoryTexts final : public TextSource {
  public:
    Digest put(const std::string& text) {
        const Digest id = content_id(text);
        m_texts[id] = text;
        return id;
    }
    [[nodiscard]] Expected<std::string> text(const Digest& id) const override {
        ++reads;
        return m_texts.at(id);
    }
    mutable int reads = 0;

  private:
    std::map<Digest, std::string> m_texts;
};

/// A state whose individuals have the given sources.
class Known {
  public:
    Known() : state(StateSettings{4, {}, 0.95}) { EXPECT_TRUE(state.apply(CampaignStarted{})); }

    void add(const std::string& source, std::uint32_t island = 0, double fitness = 1) {
        TicketIssued issued;
        issued.ticket = state.next_ticket();
        issued.island = island;
        issued.operator_name = "starter";
        issued.commits_seen = state.commits();
        Individual individual;
        individual.id = IndividualId::make(issued.ticket, 0);
        individual.island = island;
        individual.key = content_id("key" + issued.operator_name + source);
        individual.source = texts.put(source);
        individual.outcome = fitness > 0 ? Outcome::passed : Outcome::wrong_result;
        individual.fitness = fitness;
        EXPECT_TRUE(state.apply(issued));
        EXPECT_TRUE(state.apply(Evaluated{individual}));
        EXPECT_TRUE(state.apply(TicketCommitted{issued.ticket, 0, 0, 0, 0}));
    }

    std::optional<Novelty::Similar> ask(Novelty& novelty, const std::string& source,
                                        std::uint32_t island = 0, std::size_t known = SIZE_MAX) {
        const auto similar =
            novelty.too_similar(state, std::min(known, state.individuals().size()), island, source);
        EXPECT_TRUE(similar);
        return *similar;
    }

    CampaignState state;
    MemoryTexts texts;
};

NoveltySettings minhash(double max_similarity, const std::string& scope = "campaign") {
    NoveltySettings settings;
    settings.name = "minhash";
    settings.max_similarity = max_similarity;
    settings.scope = scope;
    return settings;
}

const std::string k_old = words(range(0, 300));
const std::string k_near = words(range(1, 301));  // shares 297 of 299 shingles
const std::string k_far = words(range(500, 800));

TEST(Novelty, TurnsDownWhatResemblesTooMuch) {
    Known known;
    known.add(k_old);
    Novelty novelty(minhash(0.9), known.texts);
    const auto similar = known.ask(novelty, k_near);
    ASSERT_TRUE(similar);
    EXPECT_EQ(similar->id, IndividualId::make(0, 0));
    EXPECT_EQ(similar->similarity, similarity(sketch_of(k_old), sketch_of(k_near)));
    EXPECT_FALSE(known.ask(novelty, k_far));
}

TEST(Novelty, NoneAsksForNothing) {
    Known known;
    known.add(k_old);
    Novelty none(NoveltySettings{}, known.texts);
    EXPECT_FALSE(known.ask(none, k_near));
    EXPECT_EQ(known.texts.reads, 0);
    EXPECT_EQ(novelty_names(), (std::vector<std::string>{"none", "exact", "minhash"}));
}

// A known source with other tune values is a step of tuning, not a copy.
TEST(Novelty, AKnownSourcePassesAndWrongOnesAreNotComparedWith) {
    Known known;
    known.add(k_old, 0, 0);
    Novelty novelty(minhash(0.9), known.texts);
    EXPECT_FALSE(known.ask(novelty, k_near)) << "what it resembles is wrong";
    known.add(k_old);
    EXPECT_TRUE(known.ask(novelty, k_near));
    EXPECT_FALSE(known.ask(novelty, k_old));
}

TEST(Novelty, TheScopeSaysWhoCounts) {
    Known known;
    known.add(k_old, 1);
    Novelty island(minhash(0.9, "island"), known.texts);
    Novelty campaign(minhash(0.9, "campaign"), known.texts);
    EXPECT_FALSE(known.ask(island, k_near, 0));
    EXPECT_TRUE(known.ask(island, k_near, 1));
    EXPECT_TRUE(known.ask(campaign, k_near, 0));
}

TEST(Novelty, ATicketIsComparedWithWhatItMayKnow) {
    Known known;
    known.add(k_far);
    known.add(k_old);
    Novelty novelty(minhash(0.9), known.texts);
    EXPECT_TRUE(known.ask(novelty, k_near, 0, 2));
    EXPECT_FALSE(known.ask(novelty, k_near, 0, 1));
    known.add(k_near);
    EXPECT_FALSE(known.ask(novelty, k_near, 0, 3)) << "known by now";
    EXPECT_TRUE(known.ask(novelty, k_near, 0, 2)) << "but not to a ticket from before";
}

// Whatever the threshold, looking in bands finds what comparing with each would.
RC_GTEST_PROP(Novelty, FindsWhatComparingWithAllWouldFind, ()) {
    const double threshold = *rc::gen::element(0.1, 0.5, 0.8, 0.9, 0.95, 0.99, 1.0);
    const bool by_island = *rc::gen::arbitrary<bool>();
    const auto shifts =
        *rc::gen::nonEmpty(rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 60)));
    Known known;
    for (std::size_t i = 0; i < shifts.size(); ++i) {
        known.add(words(range(shifts[i], shifts[i] + 100)), i % 2, i % 5 == 4 ? 0 : 1);
    }
    const std::string source = words(range(100, 200 - *rc::gen::inRange(0, 80)));
    const std::string asked = *rc::gen::element(source, words(range(13, 112)));
    const std::uint32_t island = *rc::gen::inRange(0, 2);
    const std::size_t limit = *rc::gen::inRange<std::size_t>(0, shifts.size() + 1);
    std::optional<Novelty::Similar> wanted;
    for (std::size_t i = 0; i < limit; ++i) {
        const Individual& one = known.state.individuals()[i];
        const Sketch sketch = sketch_of(*known.texts.text(one.source));
        const double value = similarity(sketch, sketch_of(asked));
        const bool counts = one.fitness > 0 && (!by_island || one.island == island);
        if (counts && value >= threshold && (!wanted || value > wanted->similarity)) {
            wanted = Novelty::Similar{one.id, value};
        }
    }
    Novelty novelty(minhash(threshold, by_island ? "island" : "campaign"), known.texts);
    RC_ASSERT(known.ask(novelty, asked, island, limit) == wanted);
}

// ---- in a campaign: the children of crossover resemble their parents by about three quarters

CampaignConfig novel_config(double max_similarity = 0.5) {
    CampaignConfig config = small_config();
    config.novelty = minhash(max_similarity);
    // In this order a seed always turns the same ones down; some by chance turn down none.
    config.engine.commit_order = "ticket";
    config.islands.count = 1;
    config.stop.max_evaluations = 80;
    return config;
}

std::map<std::uint64_t, std::size_t> turned_down_by_ticket(const std::vector<Event>& events) {
    std::map<std::uint64_t, std::size_t> counts;
    for (const Event& event : events) {
        if (const auto* down = std::get_if<TurnedDown>(&event)) {
            ++counts[down->proposal.id.ticket()];
        }
    }
    return counts;
}

std::size_t sources_of(const CampaignState& state) {
    std::set<Digest> sources;
    for (const Individual& individual : state.individuals()) {
        sources.insert(individual.source);
    }
    return sources.size();
}

ReplayReport replayed(const Campaign& campaign, const std::vector<Event>& events,
                      const CampaignConfig& config) {
    auto reader = JournalReader::open(campaign.path() / "journal");
    EXPECT_TRUE(reader);
    EXPECT_TRUE((*reader)->for_each(0, [](const auto&) { return Status(); }));
    auto replay = replay_decisions(events, **reader, config, campaign.task);
    EXPECT_TRUE(replay) << replay.error().message();
    return *replay;
}

TEST(Novelty, InACampaignCopiesAreJournalledAndNotEvaluated) {
    Campaign campaign(novel_config());
    const auto report = campaign.run();
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(sources_of(report->state), 2u) << "the starters";
    EXPECT_GT(report->state.turned_down(), 0u);
    EXPECT_THAT(replayed(campaign, campaign.events(), campaign.config).differences,
                ::testing::IsEmpty());

    Campaign without(novel_config());
    without.config.novelty.name = "none";
    const auto free = without.run();
    ASSERT_TRUE(free);
    EXPECT_GT(sources_of(free->state), 2u);
    EXPECT_EQ(free->state.turned_down(), 0u);
    EXPECT_THAT(replayed(without, without.events(), campaign.config).differences,
                ::testing::Contains(::testing::HasSubstr("should have been turned down")));
}

TEST(Novelty, AnOperatorBeginsAgainAsOftenAsItMay) {
    for (const std::int64_t attempts : {0, 2}) {
        Campaign campaign(novel_config());
        campaign.config.novelty.attempts = attempts;
        ASSERT_TRUE(campaign.run());
        std::size_t most = 0;
        for (const auto& [ticket, count] : turned_down_by_ticket(campaign.events())) {
            most = std::max(most, count);  // crossover proposes once each time
        }
        EXPECT_EQ(most, static_cast<std::size_t>(attempts + 1));
    }
}

TEST(Novelty, AReplayFindsWhatWasTurnedDownOtherwise) {
    Campaign campaign(novel_config());
    ASSERT_TRUE(campaign.run());
    std::vector<Event> events = campaign.events();
    for (Event& event : events) {
        if (auto* down = std::get_if<TurnedDown>(&event)) {
            down->similarity *= 0.5;
            break;
        }
    }
    EXPECT_THAT(replayed(campaign, events, campaign.config).differences,
                ::testing::ElementsAre(::testing::HasSubstr("is turned down otherwise")));
}

// What was turned down before a crash is not asked about again.
TEST(Novelty, AResumedCampaignEqualsAnUninterruptedOne) {
    const auto essence = [](const Campaign& campaign) {
        std::vector<std::string> lines;
        for (const Event& event : campaign.events()) {
            if (const auto* down = std::get_if<TurnedDown>(&event)) {
                lines.push_back(down->proposal.id.text() + " like " + down->similar.text() + " " +
                                std::to_string(down->similarity));
            } else if (const auto* issued = std::get_if<TicketIssued>(&event)) {
                TicketIssued timeless = *issued;
                timeless.at_ns = 0;
                lines.push_back(encode_event(timeless));
            }
        }
        return std::set<std::string>(lines.begin(), lines.end());
    };
    CampaignConfig config = novel_config();
    config.engine.commit_order = "ticket";
    Campaign whole(config);
    ASSERT_TRUE(whole.run());
    for (const std::uint64_t events : {20u, 33u, 47u, 60u, 61u, 62u, 63u, 64u, 80u, 100u}) {
        Campaign broken(config);
        ASSERT_FALSE(broken.run({}, events));
        const auto report = broken.run();
        ASSERT_TRUE(report) << report.error().message();
        ASSERT_EQ(essence(broken), essence(whole)) << "killed after " << events << " events";
    }
}

}  // namespace
}  // namespace atl
