#include "population/archives/grid.hpp"

#include "tests/unit/population/samples.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace atl {
namespace {

using samples::entry;
using samples::ids;
using samples::Ids;

const std::vector<GridAxis> k_axes = {{"time", 0, 10, 5}, {"source_bytes", -1, 1, 2}};

// The rule of pyribs' GridArchive: dims * (measure - lower) / (upper - lower), rounded down, cut to
// 0 .. dims - 1. With ten cells over [-1, 1]: -1 -> 0, -0.81 -> 0, -0.79 -> 1, 0 -> 5, 1 -> 9.
TEST(GridAxis, MatchesAWorkedExample) {
    const GridAxis axis{"x", -1, 1, 10};
    for (const auto& [value, bin] : std::map<double, std::int64_t>{
             {-1e300, 0}, {-1, 0}, {-0.81, 0}, {-0.79, 1}, {0, 5}, {0.99, 9}, {1, 9}, {1e300, 9}}) {
        EXPECT_EQ(axis.bin(value), bin) << value;
    }
}

TEST(GridAxis, IsReadFromText) {
    EXPECT_EQ(*parse_axis("tune:TILE -0.5 256 4"), (GridAxis{"tune:TILE", -0.5, 256, 4}));
    for (const char* wrong : {"", "time", "time 0 1", "time 0 1 2 3", "time 1 0 4", "time 0 0 4",
                              "time 0 1 0", "time 0 1 -1", "time 0 1 2.5", "time 0 1e999 2",
                              "time -1e308 1e308 2", "time 0 1 10001", "time a b c"}) {
        const auto axis = parse_axis(wrong);
        ASSERT_FALSE(axis) << wrong;
        EXPECT_EQ(axis.error().code, ErrorCode::invalid_argument);
    }
    EXPECT_EQ(parse_axes({"time 0 1 100", "error 0 1 100"})->size(), 2u);
    EXPECT_FALSE(parse_axes({"time 0 1 100", "error 0 1 101"})) << "too many cells";
    EXPECT_FALSE(parse_axes({}));
}

TEST(GridArchive, SaysNewCellImprovedOrNotAdded) {
    GridArchive archive(k_axes);
    EXPECT_EQ(archive.cells(), 10u);
    EXPECT_EQ(archive.add(entry(1, 1.0, {1, 0.5})), AddResult::added);
    EXPECT_EQ(archive.add(entry(2, 3.0, {9, 0.5})), AddResult::added);
    EXPECT_EQ(archive.add(entry(3, 2.0, {1.9, 0.9})), AddResult::replaced);  // the cell of 1
    EXPECT_EQ(ids(archive.entries()), (Ids{2, 3}));
    EXPECT_EQ(archive.add(entry(4, 1.5, {1, 0.5})), AddResult::not_added);
    EXPECT_EQ(archive.add(entry(5, 0.5, {1, -0.5})), AddResult::added);  // the other half
    EXPECT_EQ(ids(archive.entries()), (Ids{2, 3, 5}));
    ArchiveEntry again = entry(6, 9.0, {5, 0.5});
    again.key = content_id("2");
    EXPECT_FALSE(archive.takes(again));
    EXPECT_EQ(archive.add(again), AddResult::not_added) << "a program that it holds";
    EXPECT_EQ(archive.add(entry(0, 2.0, {1, 0.5})), AddResult::replaced) << "ties: the lower id";
}

TEST(GridArchive, TheLastAxisVariesFastest) {
    const GridArchive archive(k_axes);
    EXPECT_EQ(archive.cell_of(entry(1, 1, {0, -1})), 0u);
    EXPECT_EQ(archive.cell_of(entry(1, 1, {0, 0})), 1u);
    EXPECT_EQ(archive.cell_of(entry(1, 1, {2, 0})), 3u);
    EXPECT_EQ(archive.cell_of(entry(1, 1, {99, 99})), 9u);
}

TEST(GridArchive, RestoresOnlyWhatItCouldHold) {
    GridArchive archive(k_axes);
    EXPECT_TRUE(archive.restore({entry(1, 2.0, {1, 0}), entry(2, 1.0, {9, 0})}));
    EXPECT_EQ(archive.add(entry(3, 1.5, {9, 0})), AddResult::replaced);
    EXPECT_EQ(ids(archive.entries()), (Ids{1, 3}));
    EXPECT_FALSE(archive.restore({entry(1, 2.0, {1, 0}), entry(2, 1.0, {1, 0})})) << "one cell";
    EXPECT_FALSE(archive.restore({entry(1, 1.0, {1, 0}), entry(2, 2.0, {9, 0})})) << "order";
    EXPECT_FALSE(archive.restore({entry(1, 1.0, {1})})) << "a measure is missing";
    EXPECT_EQ(ids(archive.entries()), (Ids{1, 3}));
}

/// Offers with fitness and measures from small sets, so that cells and ties are met often.
rc::Gen<std::vector<ArchiveEntry>> offers() {
    const auto one = rc::gen::map(
        rc::gen::tuple(rc::gen::inRange(1, 9), rc::gen::inRange(-1, 12), rc::gen::inRange(-2, 3)),
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

// The partition holds: a cell has one member at most, the best of all that were offered for it; so
// every cell that was ever entered stays taken, and the best of all is the first member.
RC_GTEST_PROP(GridArchive, KeepsTheBestOfEachCell, ()) {
    const std::vector<ArchiveEntry> all = *offers();
    GridArchive archive(k_axes);
    std::map<std::uint64_t, ArchiveEntry> best;
    for (const ArchiveEntry& offer : all) {
        const std::uint64_t cell = archive.cell_of(offer);
        const auto held = best.find(cell);
        const AddResult wanted = held == best.end()                  ? AddResult::added
                                 : ranks_before(offer, held->second) ? AddResult::replaced
                                                                     : AddResult::not_added;
        RC_ASSERT(archive.takes(offer) == (wanted != AddResult::not_added));
        RC_ASSERT(archive.add(offer) == wanted);
        if (wanted != AddResult::not_added) {
            best.insert_or_assign(cell, offer);
        }
        RC_ASSERT(archive.entries().size() == best.size());
    }
    RC_ASSERT(std::is_sorted(archive.entries().begin(), archive.entries().end(), ranks_before));
    for (const ArchiveEntry& member : archive.entries()) {
        RC_ASSERT(best.at(archive.cell_of(member)).id == member.id);
    }
    if (!all.empty()) {
        const auto fittest = std::min_element(all.begin(), all.end(), ranks_before);
        RC_ASSERT(archive.entries().front().id == fittest->id);
    }
    GridArchive copy(k_axes);
    RC_ASSERT(copy.restore({archive.entries().begin(), archive.entries().end()}));
    RC_ASSERT(ids(copy.entries()) == ids(archive.entries()));
}

RC_GTEST_PROP(GridArchive, TheOrderOfOffersDoesNotMatter, ()) {
    std::vector<ArchiveEntry> all = *offers();
    GridArchive first(k_axes);
    GridArchive second(k_axes);
    for (const ArchiveEntry& offer : all) {
        first.add(offer);
    }
    std::shuffle(all.begin(), all.end(), std::mt19937(*rc::gen::arbitrary<unsigned>()));
    for (const ArchiveEntry& offer : all) {
        second.add(offer);
    }
    RC_ASSERT(ids(first.entries()) == ids(second.entries()));
}

}  // namespace
}  // namespace atl
