#include "population/archives/pareto.hpp"

#include "tests/unit/population/samples.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <limits>

namespace atl {
namespace {

using samples::entry;
using samples::ids;
using samples::Ids;
constexpr double k_infinity = std::numeric_limits<double>::infinity();

TEST(ParetoArchive, KeepsWhatNoOtherBeatsInEverything) {
    ParetoArchive archive(8);
    EXPECT_EQ(archive.add(entry(1, 1.0, {5, 5})), AddResult::added);
    EXPECT_EQ(archive.add(entry(2, 1.0, {4, 6})), AddResult::added) << "better in one objective";
    EXPECT_EQ(archive.add(entry(3, 0.5, {5, 6})), AddResult::not_added) << "beaten by both";
    EXPECT_EQ(archive.add(entry(4, 0.5, {9, 1})), AddResult::added);
    EXPECT_EQ(archive.add(entry(5, 2.0, {9, 9})), AddResult::added) << "fittest, else the worst";
    EXPECT_EQ(archive.add(entry(6, 1.0, {4, 5})), AddResult::replaced) << "beats 1 and 2";
    EXPECT_EQ(ids(archive.entries()), (Ids{5, 6, 4}));
}

TEST(ParetoArchive, OfEqualsTheLowerIdStays) {
    ParetoArchive archive(8);
    EXPECT_EQ(archive.add(entry(5, 1.0, {1, 1})), AddResult::added);
    EXPECT_EQ(archive.add(entry(6, 1.0, {1, 1})), AddResult::not_added);
    EXPECT_EQ(archive.add(entry(4, 1.0, {1, 1})), AddResult::replaced);
    ArchiveEntry again = entry(7, 2.0, {0, 0});
    again.key = content_id("4");
    EXPECT_EQ(archive.add(again), AddResult::not_added) << "a program that it holds";
    EXPECT_EQ(ids(archive.entries()), (Ids{4}));
}

// By hand, as crowding-distance-assignment of NSGA-II says: fitness 4, 3, 2, 0 and objective 8, 6,
// 2, 0. The ends are infinite; inside (4 - 2) / 4 + (8 - 2) / 8 = 1.25 and (3 - 0) / 4 +
// (6 - 0) / 8 = 1.5.
TEST(ParetoArchive, CrowdingDistancesMatchAWorkedExample) {
    const std::vector<ArchiveEntry> entries = {entry(1, 4, {8}), entry(2, 3, {6}), entry(3, 2, {2}),
                                               entry(4, 0, {0})};
    EXPECT_EQ(crowding_distances(entries),
              (std::vector<double>{k_infinity, 1.25, 1.5, k_infinity}));
    EXPECT_TRUE(crowding_distances({}).empty());
}

TEST(ParetoArchive, WhenItIsFullTheDensestGoes) {
    ParetoArchive archive(3);
    archive.add(entry(1, 4, {8}));
    archive.add(entry(3, 2, {2}));
    archive.add(entry(4, 1, {0}));
    EXPECT_FALSE(archive.takes(entry(5, 1.9, {1.5}))) << "it would be the densest itself";
    EXPECT_EQ(archive.add(entry(5, 1.9, {1.5})), AddResult::not_added);
    EXPECT_EQ(archive.add(entry(2, 2.1, {2.2})), AddResult::replaced) << "now 3 is the densest";
    EXPECT_EQ(ids(archive.entries()), (Ids{1, 2, 4}));
    EXPECT_EQ(archive.add(entry(6, 5, {9})), AddResult::replaced);
    EXPECT_EQ(archive.entries().front().id.value, 6u) << "the best is never the one that goes";
    EXPECT_EQ(archive.entries().size(), 3u);
}

TEST(ParetoArchive, RestoresOnlyWhatItCouldHold) {
    ParetoArchive archive(2);
    EXPECT_TRUE(archive.restore({entry(1, 2, {2}), entry(2, 1, {1})}));
    EXPECT_EQ(ids(archive.entries()), (Ids{1, 2}));
    EXPECT_FALSE(archive.restore({entry(1, 2, {1}), entry(2, 1, {1})})) << "2 is beaten";
    EXPECT_FALSE(archive.restore({entry(2, 1, {1}), entry(1, 2, {2})})) << "order";
    EXPECT_FALSE(archive.restore({entry(1, 3, {3}), entry(2, 2, {2}), entry(3, 1, {1})}));
    EXPECT_FALSE(archive.restore({entry(1, 2, {2}), entry(1, 1, {1})})) << "one program twice";
    EXPECT_EQ(ids(archive.entries()), (Ids{1, 2}));
}

rc::Gen<std::vector<ArchiveEntry>> offers() {
    const auto one = rc::gen::map(
        rc::gen::tuple(rc::gen::inRange(1, 8), rc::gen::inRange(0, 8), rc::gen::inRange(0, 8)),
        [](const auto& t) {
            return entry(0, std::get<0>(t),
                         {static_cast<double>(std::get<1>(t)), std::get<2>(t) / 2.0});
        });
    return rc::gen::map(rc::gen::container<std::vector<ArchiveEntry>>(one), [](auto all) {
        for (std::size_t i = 0; i < all.size(); ++i) {
            all[i].id.value = i;
            all[i].key = content_id(std::to_string(i));
        }
        return all;
    });
}

RC_GTEST_PROP(ParetoArchive, HoldsNothingBeatenAndNeverLosesTheBest, ()) {
    const std::size_t capacity = *rc::gen::inRange<std::size_t>(1, 12);
    ParetoArchive archive(capacity);
    double best = 0;
    for (const ArchiveEntry& offer : *offers()) {
        const bool takes = archive.takes(offer);
        const AddResult result = archive.add(offer);
        RC_ASSERT(takes == (result != AddResult::not_added));
        best = std::max(best, offer.fitness);
        const auto entries = archive.entries();
        RC_ASSERT(entries.front().fitness == best);
        RC_ASSERT(entries.size() <= capacity);
        RC_ASSERT(std::is_sorted(entries.begin(), entries.end(), ranks_before));
        const auto all = ids(entries);
        RC_ASSERT((std::find(all.begin(), all.end(), offer.id.value) != all.end()) == takes);
        for (const ArchiveEntry& a : entries) {
            for (const ArchiveEntry& b : entries) {
                RC_ASSERT(a.id == b.id || !covers(a, b));
            }
        }
    }
    ParetoArchive copy(capacity);
    RC_ASSERT(copy.restore({archive.entries().begin(), archive.entries().end()}));
    RC_ASSERT(ids(copy.entries()) == ids(archive.entries()));
}

// With room for all, the members are exactly those that no offer beats, in any order of offers.
RC_GTEST_PROP(ParetoArchive, WithRoomForAllItIsTheFront, ()) {
    const std::vector<ArchiveEntry> all = *offers();
    ParetoArchive archive(all.size());
    for (const ArchiveEntry& offer : all) {
        archive.add(offer);
    }
    Ids front;
    for (const ArchiveEntry& a : all) {
        const bool beaten = std::any_of(all.begin(), all.end(), [&a](const ArchiveEntry& b) {
            return a.id != b.id && covers(b, a);
        });
        if (!beaten) {
            front.push_back(a.id.value);
        }
    }
    Ids members = ids(archive.entries());
    std::sort(members.begin(), members.end());
    RC_ASSERT(members == front);
}

}  // namespace
}  // namespace atl
