#include "mutators/memory/exemplars.hpp"
#include "mutators/memory/inspirations.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

namespace atl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

IndividualId id(std::uint64_t ticket) {
    return IndividualId::make(ticket, 0);
}

ArchiveEntry entry(std::uint64_t ticket, double fitness, std::vector<std::uint32_t> features = {}) {
    ArchiveEntry made;
    made.id = id(ticket);
    made.fitness = fitness;
    made.features = std::move(features);
    return made;
}

CounterRng rng(std::uint64_t ticket = 1) {
    return CounterRng(5, RngPurpose::shown_programs, ticket);
}

std::vector<std::size_t> places(const std::vector<ShownChoice>& choices) {
    std::vector<std::size_t> all;
    for (const ShownChoice& choice : choices) {
        all.push_back(choice.index);
    }
    return all;
}

/// Buckets of doubled scores: {2}, {1.9, 1}, {0.5}.
const std::vector<ArchiveEntry>& four() {
    static const std::vector<ArchiveEntry> entries = {entry(4, 2), entry(3, 1.9), entry(2, 1),
                                                      entry(1, 0.5)};
    return entries;
}

MemorySettings contrastive(std::int64_t count, double temperature = 0.5) {
    MemorySettings settings;
    settings.exemplars = "contrastive";
    settings.exemplar_count = count;
    settings.bucket_width = 1;
    settings.temperature = temperature;
    return settings;
}

// By hand: the buckets' mean scores are 1, (0.95 + 0.5) / 2 = 0.725 and 0.25 of the best; at
// temperature 0.5 their weights are e^2 = 7.3891, e^1.45 = 4.2631, e^0.5 = 1.6487, in all 13.3009.
TEST(ContrastiveExemplars, AreDrawnByTheSoftmaxOfTheirBucketsMeanScores) {
    const std::vector<double> by_hand = {0.55553, 0.32051 / 2, 0.32051 / 2, 0.12396};
    std::vector<int> drawn(4);
    constexpr int k_draws = 20'000;
    for (int ticket = 0; ticket < k_draws; ++ticket) {
        CounterRng random = rng(static_cast<std::uint64_t>(ticket));
        const auto choices = choose_exemplars(contrastive(1), four(), {}, random);
        ASSERT_EQ(choices.size(), 1u);
        EXPECT_NEAR(choices[0].probability, by_hand[choices[0].index], 1e-5);
        ++drawn[choices[0].index];
    }
    for (std::size_t i = 0; i < drawn.size(); ++i) {
        EXPECT_NEAR(drawn[i] / double{k_draws}, by_hand[i], 0.015) << i;
    }
}

TEST(ContrastiveExemplars, AreNeverOfOneBucket) {
    for (std::uint64_t ticket = 0; ticket < 200; ++ticket) {
        CounterRng random = rng(ticket);
        const auto choices = choose_exemplars(contrastive(4), four(), {}, random);
        ASSERT_EQ(choices.size(), 3u) << "there are three buckets";
        EXPECT_NE((places(choices)[0] == 1 || places(choices)[0] == 2) +
                      (places(choices)[1] == 1 || places(choices)[1] == 2) +
                      (places(choices)[2] == 1 || places(choices)[2] == 2),
                  2);
    }
}

// By hand: after {2}, the weights of the other two are 4.2631 and 1.6487.
TEST(ContrastiveExemplars, TheSecondHasItsProbabilityGivenTheFirst) {
    std::map<std::size_t, double> second;
    for (std::uint64_t ticket = 0; ticket < 200; ++ticket) {
        CounterRng random = rng(ticket);
        const auto choices = choose_exemplars(contrastive(2), four(), {}, random);
        if (choices.at(0).index == 0) {
            second[choices.at(1).index] = choices.at(1).probability;
        }
    }
    ASSERT_EQ(second.size(), 3u);
    EXPECT_NEAR(second[1], 0.72112 / 2, 1e-5);
    EXPECT_NEAR(second[2], 0.72112 / 2, 1e-5);
    EXPECT_NEAR(second[3], 0.27888, 1e-5);
}

TEST(ContrastiveExemplars, SlowOnesAreShownTheMoreTheHigherTheTemperature) {
    const auto share_of_the_slowest = [](double temperature) {
        int slowest = 0;
        for (std::uint64_t ticket = 0; ticket < 2000; ++ticket) {
            CounterRng random = rng(ticket);
            const auto choices = choose_exemplars(contrastive(1, temperature), four(), {}, random);
            slowest += choices.at(0).index == 3 ? 1 : 0;
        }
        return slowest / 2000.0;
    };
    EXPECT_LT(share_of_the_slowest(0.01), 0.001);
    EXPECT_NEAR(share_of_the_slowest(100), 1.0 / 3, 0.04);
}

TEST(Exemplars, WhatIsShownAlreadyIsNotChosen) {
    MemorySettings settings = contrastive(4);
    const std::vector<IndividualId> taken = {id(4), id(1)};
    CounterRng random = rng();
    EXPECT_EQ(choose_exemplars(settings, four(), taken, random).size(), 1u);
    settings.exemplars = "top_k";
    EXPECT_THAT(places(choose_exemplars(settings, four(), taken, random)), ElementsAre(1, 2));
}

TEST(Exemplars, TopKAreTheFittestAndNoneAreNone) {
    MemorySettings settings = contrastive(2);
    settings.exemplars = "top_k";
    CounterRng random = rng();
    const auto best = choose_exemplars(settings, four(), {}, random);
    EXPECT_THAT(places(best), ElementsAre(0, 1));
    EXPECT_EQ(best.at(1).probability, 1);
    settings.exemplars = "none";
    EXPECT_THAT(choose_exemplars(settings, four(), {}, random), IsEmpty());
    settings.exemplars = "contrastive";
    EXPECT_THAT(choose_exemplars(settings, {}, {}, random), IsEmpty());
}

MemorySettings inspired(std::vector<std::string> names) {
    MemorySettings settings;
    settings.inspirations = std::move(names);
    return settings;
}

// By hand, distances are 1 - Jaccard: to the base {1, 2, 3} the second has 1 - 2/4 = 0.5, the third
// 1 - 1/5 = 0.8, the fourth 1 - 0 = 1.
TEST(Inspirations, DiverseIsTheOneFarthestFromAllThatAreShown) {
    const std::vector<ArchiveEntry> entries = {entry(4, 4, {1, 2, 3}), entry(3, 3, {1, 2, 4}),
                                               entry(2, 2, {1, 4, 5}), entry(1, 1, {6, 7, 8})};
    CounterRng random = rng();
    const auto chosen =
        choose_inspirations(inspired({"diverse", "diverse"}), entries, {id(4)}, random);
    EXPECT_THAT(places(chosen), ElementsAre(3, 2));
    // Beside the third, the second is 0.5 from its nearest, and so it is beside the fourth alone.
    EXPECT_THAT(places(choose_inspirations(inspired({"top", "diverse"}), entries, {id(4)}, random)),
                ElementsAre(1, 3));
}

TEST(Inspirations, StrataAreTheUpperMiddleAndLowerPart) {
    std::vector<ArchiveEntry> ten;
    for (std::uint64_t i = 10; i > 0; --i) {
        ten.push_back(entry(i, static_cast<double>(i)));
    }
    std::map<std::size_t, int> seen;
    for (std::uint64_t ticket = 0; ticket < 300; ++ticket) {
        CounterRng random = rng(ticket);
        const auto chosen =
            choose_inspirations(inspired({"good", "medium", "poor"}), ten, {id(10)}, random);
        ASSERT_EQ(chosen.size(), 3u);
        EXPECT_TRUE(chosen[0].index == 1 || chosen[0].index == 2);  // of ranks 0 to 2
        EXPECT_EQ(chosen[0].probability, 0.5);
        EXPECT_TRUE(chosen[1].index >= 3 && chosen[1].index < 7);
        EXPECT_EQ(chosen[1].probability, 0.25);
        EXPECT_TRUE(chosen[2].index >= 7);
        EXPECT_DOUBLE_EQ(chosen[2].probability, 1.0 / 3);
        for (const ShownChoice& one : chosen) {
            ++seen[one.index];
        }
    }
    EXPECT_EQ(seen.size(), 9u) << "all but the base";
    const std::vector<ArchiveEntry> one = {entry(1, 1)};
    CounterRng random = rng();
    EXPECT_THAT(choose_inspirations(inspired({"medium"}), one, {}, random), IsEmpty());
}

TEST(Inspirations, RandomIsAnyWithEqualProbability) {
    std::map<std::size_t, int> seen;
    for (std::uint64_t ticket = 0; ticket < 3000; ++ticket) {
        CounterRng random = rng(ticket);
        const auto chosen = choose_inspirations(inspired({"random"}), four(), {id(4)}, random);
        EXPECT_DOUBLE_EQ(chosen.at(0).probability, 1.0 / 3);
        ++seen[chosen[0].index];
    }
    for (const std::size_t place : {1u, 2u, 3u}) {
        EXPECT_NEAR(seen[place] / 3000.0, 1.0 / 3, 0.04);
    }
}

TEST(Inspirations, NoneIsShownTwiceAndFewerWhereThereAreNoMore) {
    CounterRng random = rng();
    EXPECT_THAT(places(choose_inspirations(inspired({"top", "random", "diverse", "top", "top"}),
                                           four(), {id(3)}, random))
                    .size(),
                3u);
    EXPECT_THAT(choose_inspirations(inspired({}), four(), {}, random), IsEmpty());
}

TEST(MemorySettings, UnknownInspirationsAreRefusedWithTheNamesThereAre) {
    const Status status = check_memory(inspired({"top", "best"}), "c.toml");
    ASSERT_FALSE(status);
    EXPECT_THAT(status.error().message(), HasSubstr("there is no 'best'"));
    EXPECT_THAT(status.error().message(), HasSubstr("top, diverse, random, good, medium, poor"));
    EXPECT_FALSE(check_memory(inspired(std::vector<std::string>(9, "top")), "c.toml"));
    EXPECT_TRUE(check_memory(inspired(std::vector<std::string>(8, "top")), "c.toml"));
}

}  // namespace
}  // namespace atl
