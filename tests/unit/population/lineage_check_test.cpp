#include "population/lineage/lineage_check.hpp"

#include "population/lineage/hdf5_handle.hpp"
#include "population/lineage/lineage_table.hpp"
#include "tests/unit/population/lineage_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace atl {
namespace {

using namespace lineage_test;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

LineageCheck check(const Campaign& campaign) {
    LineageData data;
    data.events = campaign.events;
    data.texts = std::make_unique<MemoryTexts>(campaign.texts);
    const LineageView view = lineage_view(data.events);
    StateSettings settings;
    settings.islands = 2;
    return check_lineage(data, view, settings);
}

Individual& individual(Campaign& campaign, std::uint64_t ticket, std::uint32_t step = 0) {
    for (Event& event : campaign.events) {
        if (auto* evaluated = std::get_if<Evaluated>(&event);
            evaluated != nullptr && evaluated->individual.id == IndividualId::make(ticket, step)) {
            return evaluated->individual;
        }
    }
    throw std::logic_error("no such individual");
}

template <class T>
T& event_of(Campaign& campaign) {
    for (Event& event : campaign.events) {
        if (auto* found = std::get_if<T>(&event)) {
            return *found;
        }
    }
    throw std::logic_error("no such event");
}

TEST(LineageCheck, ASoundCampaignHasNoProblems) {
    const LineageCheck result = check(small_campaign());
    EXPECT_THAT(result.problems, IsEmpty());
    EXPECT_EQ(result.events, small_campaign().events.size());
    EXPECT_EQ(result.individuals, 9u);
    EXPECT_EQ(result.texts, small_campaign().texts.all().size());
}

struct Damage {
    const char* name;
    std::function<void(Campaign&)> apply;
    const char* expected;
};

class LineageDamage : public ::testing::TestWithParam<Damage> {};

TEST_P(LineageDamage, IsFound) {
    Campaign campaign = small_campaign();
    GetParam().apply(campaign);
    EXPECT_THAT(check(campaign).problems, Contains(HasSubstr(GetParam().expected)));
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, LineageDamage,
    ::testing::Values(
        Damage{"MissingParent",
               [](Campaign& c) { individual(c, 4).parents[0].id = IndividualId::make(70, 0); },
               "individual 4.0: parent 70.0 does not exist"},
        Damage{"LaterParent",
               [](Campaign& c) { individual(c, 2).parents[0].id = IndividualId::make(8, 0); },
               "individual 2.0: parent 8.0 came after it"},
        Damage{"ImpossibleProbability",
               [](Campaign& c) { individual(c, 4).parents[0].probability = 1.5; },
               "chosen with probability 1.5"},
        Damage{"TwinIndividual",
               [](Campaign& c) { individual(c, 2, 1).id = IndividualId::make(2, 0); },
               "individual 2.0 exists twice"},
        Damage{"TwinTicket", [](Campaign& c) { c.events.push_back(event_of<TicketIssued>(c)); },
               "ticket 0 is issued twice"},
        Damage{"UnknownTicket",
               [](Campaign& c) {
                   c.events.push_back(TicketCommitted{50, 0, 0, 0, 0});
               },
               "ticket 50 was never issued"},
        Damage{"LostSource", [](Campaign& c) { c.texts.lose(individual(c, 4).source); },
               "individual 4.0: source"},
        Damage{"LostVerdict", [](Campaign& c) { c.texts.lose(individual(c, 4).verdict); },
               "individual 4.0: verdict"},
        Damage{"ContradictingVerdict",
               [](Campaign& c) { individual(c, 7).outcome = Outcome::crash; },
               "recorded as crash, but its verdict says wrong_result"},
        Damage{"UnreadableVerdict",
               [](Campaign& c) { individual(c, 7).verdict = c.texts.put("not JSON"); },
               "individual 7.0: verdict"},
        Damage{"DuplicateOfNothing",
               [](Campaign& c) { individual(c, 5).key = content_id("unheard of"); },
               "individual 5.0 is a duplicate of nothing"},
        Damage{"MigrationOfNobody",
               [](Campaign& c) { event_of<Migrated>(c).individual = IndividualId::make(60, 0); },
               "a migration of 60.0, which does not exist"},
        Damage{"ConfirmationOfNobody",
               [](Campaign& c) { event_of<Confirmed>(c).individual = IndividualId::make(61, 0); },
               "confirmation of 61.0: no such individual"},
        Damage{"ResemblesNobody",
               [](Campaign& c) { event_of<TurnedDown>(c).similar = IndividualId::make(62, 0); },
               "proposal 6.0 resembles 62.0, which does not exist"},
        Damage{"TurnedDownAndEvaluated",
               [](Campaign& c) { event_of<TurnedDown>(c).proposal.id = IndividualId::make(4, 0); },
               "proposal 4.0 was turned down and evaluated"},
        Damage{"LostProposal",
               [](Campaign& c) { c.texts.lose(event_of<TurnedDown>(c).proposal.source); },
               "proposal 6.0: source"},
        Damage{"RefusedByTheFold", [](Campaign& c) { event_of<Migrated>(c).to = 9; }, "event "},
        Damage{"MissingStart", [](Campaign& c) { c.events.erase(c.events.begin()); }, "event 0"}),
    [](const auto& test) { return test.param.name; });

/// What a writer leaves that gave up half-way: rows that its events do not account for.
void change_a_row(const std::filesystem::path& path) {
    hdf5::silence();
    const hdf5::Handle file(H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT), H5Fclose);
    const hdf5::Handle dataset(H5Dopen2(file.get(), "individuals", H5P_DEFAULT), H5Dclose);
    auto rows = lineage::read_table<lineage::IndividualRow>(file.get());
    ASSERT_TRUE(rows);
    (*rows)[5].fitness = 1000;
    const auto type = lineage::row_type(lineage::TableId::individuals, lineage::Layout::memory);
    ASSERT_GE(H5Dwrite(dataset.get(), type->get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, rows->data()), 0);
}

TEST(LineageCheckTables, TablesOfAWholeFileAgreeWithItsEvents) {
    const TemporaryFolder folder;
    const auto path = folder.path() / "lineage.h5";
    for (const LineageMode mode : {LineageMode::live, LineageMode::batch}) {
        ASSERT_TRUE(write_lineage(small_campaign(), path, mode));
        LineageCheck result;
        ASSERT_TRUE(check_lineage_tables(path, small_campaign().events.size(), result));
        EXPECT_THAT(result.problems, IsEmpty());
        EXPECT_THAT(result.notes, IsEmpty());
    }
}

TEST(LineageCheckTables, AFileThatIsBehindTheJournalIsNoted) {
    const TemporaryFolder folder;
    const auto path = folder.path() / "lineage.h5";
    ASSERT_TRUE(write_lineage(small_campaign(), path, LineageMode::batch));
    change_a_row(path);
    LineageCheck result;
    ASSERT_TRUE(check_lineage_tables(path, small_campaign().events.size() + 1, result));
    EXPECT_THAT(result.problems, IsEmpty());
    EXPECT_THAT(result.notes, Contains(HasSubstr("rebuild")));
}

TEST(LineageCheckTables, AChangedRowIsFound) {
    const TemporaryFolder folder;
    const auto path = folder.path() / "lineage.h5";
    ASSERT_TRUE(write_lineage(small_campaign(), path, LineageMode::batch));
    change_a_row(path);
    LineageCheck result;
    ASSERT_TRUE(check_lineage_tables(path, small_campaign().events.size(), result));
    EXPECT_THAT(result.problems,
                Contains(HasSubstr("individuals disagrees with the events about 4.0")));
}

TEST(LineageCheckTables, AFileThatIsBeingWrittenIsNotJudged) {
    const TemporaryFolder folder;
    const Campaign campaign = small_campaign();
    for (const LineageMode mode : {LineageMode::live, LineageMode::batch}) {
        const auto path = folder.path() / "lineage.h5";
        auto writer = LineageWriter::create(path, mode);
        ASSERT_TRUE(writer);
        // Left open for good: what kill -9 leaves, seen from another process.
        const auto copy = folder.path() / "copy.h5";
        ASSERT_TRUE((*writer)->add(campaign.events[0], 0, campaign.texts));
        ASSERT_TRUE((*writer)->flush());
        std::filesystem::copy_file(path, copy, std::filesystem::copy_options::overwrite_existing);
        LineageCheck result;
        ASSERT_TRUE(check_lineage_tables(copy, 1, result));
        EXPECT_THAT(result.problems, IsEmpty());
        EXPECT_THAT(result.notes, Contains(HasSubstr("not checked")));
    }
}

}  // namespace
}  // namespace atl
