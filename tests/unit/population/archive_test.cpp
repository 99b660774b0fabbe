#include "population/archive.hpp"

#include "population/archives/ranked.hpp"
#include "tests/unit/population/samples.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace atl {
namespace {

ArchiveEntry entry(std::uint64_t id, double fitness, std::vector<std::uint32_t> features = {}) {
    if (features.empty()) {
        features = {static_cast<std::uint32_t>(id + 1000)};  // far from everything else
    }
    return {{id}, content_id(std::to_string(id)), fitness, "tiled", std::move(features)};
}

std::vector<std::uint64_t> ids(std::span<const ArchiveEntry> entries) {
    std::vector<std::uint64_t> all;
    for (const ArchiveEntry& e : entries) {
        all.push_back(e.id.value);
    }
    return all;
}

using Ids = std::vector<std::uint64_t>;

TEST(FeatureDistance, IsOneMinusTheSharedPart) {
    EXPECT_EQ(feature_distance(entry(1, 1, {1, 2, 3}), entry(2, 1, {1, 2, 3})), 0);
    EXPECT_EQ(feature_distance(entry(1, 1, {1, 2}), entry(2, 1, {3, 4})), 1);
    EXPECT_DOUBLE_EQ(feature_distance(entry(1, 1, {1, 2, 3}), entry(2, 1, {2, 3, 4})), 0.5);
    ArchiveEntry none;
    EXPECT_EQ(feature_distance(none, none), 0);
    EXPECT_EQ(feature_distance(none, entry(1, 1, {5})), 1);
}

TEST(FeatureDistance, ComesFromStarterSourceTuneAndFlags) {
    const Individual base = samples::individual(1, 0, 0, 1, "a");
    const auto distance = [&base](const auto& change) {
        Individual other = base;
        change(other);
        return feature_distance(archive_entry(base), archive_entry(other));
    };
    EXPECT_EQ(distance([](Individual&) {}), 0);
    EXPECT_EQ(distance([](Individual& i) { i.description = "else"; }), 0);
    // Six features each: starter, source, two tune choices, two flags.
    EXPECT_DOUBLE_EQ(distance([](Individual& i) {
                         i.tune = {{"BLOCK", "128"}, {"UNROLL", "a"}};
                     }),
                     1 - 5.0 / 7);
    EXPECT_DOUBLE_EQ(distance([](Individual& i) { i.starter = "naive"; }), 1 - 5.0 / 7);
    EXPECT_DOUBLE_EQ(distance([](Individual& i) { i.source = content_id("else"); }), 1 - 5.0 / 7);
    EXPECT_DOUBLE_EQ(distance([](Individual& i) { i.flags.pop_back(); }), 1 - 5.0 / 6);
}

TEST(RankedArchive, KeepsTheBestInOrder) {
    RankedArchive archive(3, 0.2);
    EXPECT_EQ(archive.add(entry(1, 1.0)), AddResult::added);
    EXPECT_EQ(archive.add(entry(2, 3.0)), AddResult::added);
    EXPECT_EQ(archive.add(entry(3, 2.0)), AddResult::added);
    EXPECT_EQ(ids(archive.entries()), (Ids{2, 3, 1}));
    EXPECT_EQ(archive.add(entry(4, 0.5)), AddResult::not_added);
    EXPECT_EQ(archive.add(entry(5, 2.5)), AddResult::replaced);
    EXPECT_EQ(ids(archive.entries()), (Ids{2, 5, 3}));
}

TEST(RankedArchive, BreaksTiesByTheLowerId) {
    RankedArchive archive(2, 0.2);
    archive.add(entry(7, 1.0));
    archive.add(entry(3, 1.0));
    EXPECT_EQ(ids(archive.entries()), (Ids{3, 7}));
    EXPECT_EQ(archive.add(entry(9, 1.0)), AddResult::not_added);
    EXPECT_EQ(archive.add(entry(5, 1.0)), AddResult::replaced);
    EXPECT_EQ(ids(archive.entries()), (Ids{3, 5}));
}

TEST(RankedArchive, NearOnesCompeteWithTheirNearestOnly) {
    RankedArchive archive(4, 0.5);
    archive.add(entry(1, 3.0, {1, 2, 3, 4}));
    archive.add(entry(2, 1.0, {11, 12, 13, 14}));
    // Near 2, worse than it, though there is room.
    EXPECT_EQ(archive.add(entry(3, 0.5, {11, 12, 13, 15})), AddResult::not_added);
    // Near 2 and fitter: takes its place; 1 stays.
    EXPECT_EQ(archive.add(entry(4, 2.0, {11, 12, 13, 15})), AddResult::replaced);
    EXPECT_EQ(ids(archive.entries()), (Ids{1, 4}));
    // Just at the distance is not near.
    EXPECT_EQ(archive.add(entry(5, 0.1, {1, 2, 3, 21, 22})), AddResult::added);
}

TEST(RankedArchive, DoesNotTakeAProgramTwice) {
    RankedArchive archive(4, 0.0);
    archive.add(entry(1, 1.0));
    ArchiveEntry again = entry(2, 5.0);
    again.key = content_id("1");
    EXPECT_EQ(archive.add(again), AddResult::not_added);
    EXPECT_EQ(ids(archive.entries()), (Ids{1}));
}

TEST(RankedArchive, RestoresOnlyWhatItCouldHold) {
    RankedArchive archive(2, 0.0);
    EXPECT_TRUE(archive.restore({entry(1, 2.0), entry(2, 1.0)}));
    EXPECT_EQ(ids(archive.entries()), (Ids{1, 2}));
    EXPECT_FALSE(archive.restore({entry(1, 1.0), entry(2, 2.0)}));
    EXPECT_FALSE(archive.restore({entry(1, 2.0), entry(1, 2.0)}));
    EXPECT_FALSE(archive.restore({entry(1, 3.0), entry(2, 2.0), entry(3, 1.0)}));
    EXPECT_EQ(ids(archive.entries()), (Ids{1, 2}));
}

/// A thousand random histories of offers of random programs.
class RankedArchiveProperties : public ::testing::TestWithParam<double> {};

TEST_P(RankedArchiveProperties, HoldWhateverIsOffered) {
    std::mt19937 random(21);
    for (int round = 0; round < 1000; ++round) {
        const std::size_t capacity = 1 + random() % 8;
        RankedArchive archive(capacity, GetParam());
        double best = 0;
        for (std::uint64_t id = 0; id < 60; ++id) {
            std::vector<std::uint32_t> features;
            for (unsigned i = 0; i < 1 + random() % 5; ++i) {
                features.push_back(random() % 8);
            }
            std::sort(features.begin(), features.end());
            features.erase(std::unique(features.begin(), features.end()), features.end());
            const double fitness = 1 + random() % 20;
            best = std::max(best, fitness);
            const std::size_t before = archive.entries().size();
            const bool takes = archive.takes(entry(id, fitness, features));
            const AddResult result = archive.add(entry(id, fitness, features));
            ASSERT_EQ(takes, result != AddResult::not_added);
            const auto entries = archive.entries();
            ASSERT_EQ(entries.front().fitness, best) << "the best was lost";
            ASSERT_LE(entries.size(), capacity);
            ASSERT_EQ(entries.size(), before + (result == AddResult::added ? 1 : 0));
            ASSERT_TRUE(std::is_sorted(entries.begin(), entries.end(), ranks_before));
            const auto all = ids(entries);
            const bool present = std::find(all.begin(), all.end(), id) != all.end();
            ASSERT_EQ(present, result != AddResult::not_added);
        }
        RankedArchive copy(capacity, GetParam());
        ASSERT_TRUE(copy.restore({archive.entries().begin(), archive.entries().end()}));
        ASSERT_EQ(ids(copy.entries()), ids(archive.entries()));
    }
}

INSTANTIATE_TEST_SUITE_P(CrowdingDistances, RankedArchiveProperties,
                         ::testing::Values(0.0, 0.15, 0.5, 1.0));

TEST(RankedArchive, WithoutCrowdingTheOrderOfOffersDoesNotMatter) {
    std::mt19937 random(22);
    for (int round = 0; round < 300; ++round) {
        std::vector<ArchiveEntry> offers;
        for (std::uint64_t id = 0; id < 20; ++id) {
            offers.push_back(entry(id, 1 + random() % 6));
        }
        RankedArchive first(5, 0.0);
        for (const ArchiveEntry& offer : offers) {
            first.add(offer);
        }
        std::shuffle(offers.begin(), offers.end(), random);
        RankedArchive second(5, 0.0);
        for (const ArchiveEntry& offer : offers) {
            second.add(offer);
        }
        ASSERT_EQ(ids(first.entries()), ids(second.entries()));
    }
}

TEST(Archive, IsAValueMadeByName) {
    for (const std::string& name : archive_names()) {
        ArchiveSettings settings{name, 2, 0.1};
        settings.axes = {"time 0 4 2"};
        settings.objectives = {"time"};
        EXPECT_EQ(archive_measures(settings).size(), name == "ranked" ? 0u : 1u);
        Archive archive = make_archive(settings);
        EXPECT_EQ(archive.best(), nullptr);
        ArchiveEntry first = entry(1, 1.0);
        first.measures = {0};
        archive.add(first);
        const Archive copy = archive;
        ArchiveEntry second = entry(2, 2.0);
        second.measures = {3};
        EXPECT_TRUE(archive.takes(second));
        archive.add(second);
        EXPECT_EQ(copy.entries().size(), 1u);
        EXPECT_EQ(archive.best()->id.value, 2u);
    }
}

}  // namespace
}  // namespace atl
