// Which wrong individuals wait for a repair.

#include "population/campaign_state.hpp"
#include "tests/unit/population/samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atl {
namespace {

using samples::require;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr IndividualId k_base{0};

/// One right individual, 0.0, which is everybody's base.
CampaignState begun() {
    CampaignState state(samples::settings());
    require(state.apply(samples::campaign_started()));
    require(state.apply(SessionOpened{0, 1, "cpu"}));
    require(state.apply(samples::ticket_issued(0, 0)));
    require(state.apply(Evaluated{samples::individual(0, 0, 0, 1, "base")}));
    require(state.apply(TicketCommitted{0, 0, 0, 0, 0}));
    return state;
}

struct Child {
    double fitness = 0;
    std::string program;  ///< "": a duplicate of the base's source, with other tune values
    Outcome outcome = Outcome::wrong_result;
    bool duplicate = false;
};

/// Issues the next ticket, evaluates those and commits it.
void commit(CampaignState& state, const std::vector<Child>& children, IndividualId base = k_base) {
    const std::uint64_t ticket = state.next_ticket();
    require(state.apply(
        samples::ticket_issued(ticket, 0, {{base, ParentRole::base, 1}}, state.commits())));
    std::uint32_t step = 0;
    for (const Child& child : children) {
        Individual one = samples::individual(ticket, step++, 0, child.fitness, child.program);
        one.outcome = child.fitness > 0 ? Outcome::passed : child.outcome;
        one.duplicate = child.duplicate;
        if (child.program.empty()) {
            one.source = state.find(base)->source;
        }
        require(state.apply(Evaluated{one}));
    }
    require(state.apply(TicketCommitted{ticket, 0, 0, 0, 0}));
}

std::vector<std::string> waiting(const CampaignState& state, std::size_t island = 0) {
    std::vector<std::string> names;
    for (const IndividualId id : state.islands()[island].wrong) {
        names.push_back(id.text());
    }
    return names;
}

TEST(WrongOnes, WaitWhereNothingRightCameOfTheirTicket) {
    CampaignState state = begun();
    commit(state, {{0, "a"}, {0, "b"}});
    commit(state, {{0, "c"}, {2, "d"}});
    commit(state, {{0, "e"}});
    EXPECT_THAT(waiting(state), ElementsAre("1.1", "3.0")) << "the last of each";
    EXPECT_THAT(waiting(state, 1), IsEmpty());
}

TEST(WrongOnes, AreProgramsOfTheirOwnThatWereMeasured) {
    CampaignState state = begun();
    commit(state, {{0, ""}});
    commit(state, {{0, "a", Outcome::wrong_result, true}});
    commit(state, {{0, "b", Outcome::slower_than_cutoff}});
    commit(state, {{0, "c", Outcome::evaluator_failed}});
    EXPECT_THAT(waiting(state), IsEmpty());
    commit(state, {{0, "d", Outcome::compile_error}, {0, ""}});
    EXPECT_THAT(waiting(state), ElementsAre("5.0"));
}

TEST(WrongOnes, WaitUntilOneIsTriedOnWhateverComesOfIt) {
    CampaignState state = begun();
    commit(state, {{0, "a"}});
    commit(state, {{0, "b"}});
    const IndividualId first = state.islands()[0].wrong.at(0);
    require(state.apply(samples::ticket_issued(3, 0, {{first, ParentRole::base, 1}}, 3)));
    EXPECT_THAT(waiting(state), ElementsAre("2.0"));
    require(state.apply(TicketFailed{3, "a worker died", true}));
    EXPECT_THAT(waiting(state), ElementsAre("2.0"));
    // What is still wrong may be tried on in its turn.
    commit(state, {{0, "c"}}, state.islands()[0].wrong.at(0));
    EXPECT_THAT(waiting(state), ElementsAre("4.0"));
}

TEST(WrongOnes, AreTheLatestFew) {
    CampaignState state = begun();
    for (std::size_t i = 0; i < k_kept_wrong + 3; ++i) {
        commit(state, {{0, "p" + std::to_string(i)}});
    }
    EXPECT_EQ(waiting(state).size(), k_kept_wrong);
    EXPECT_EQ(waiting(state).front(), "4.0");
}

TEST(WrongOnes, GoWithAReset) {
    CampaignState state = begun();
    require(state.apply(samples::ticket_issued(1, 1, {}, 1)));
    require(state.apply(Evaluated{samples::individual(1, 0, 1, 1, "other")}));
    require(state.apply(TicketCommitted{1, 0, 0, 0, 0}));
    commit(state, {{0, "a"}});
    require(state.apply(IslandsReset{3, {{0, 1, IndividualId::make(1, 0), 1}}}));
    EXPECT_THAT(waiting(state), IsEmpty());
}

TEST(WrongOnes, AreInSnapshots) {
    CampaignState state = begun();
    commit(state, {{0, "a"}});
    commit(state, {{0, "b"}});
    const auto again = CampaignState::decode(state.encode(), samples::settings());
    ASSERT_TRUE(again) << again.error().message();
    EXPECT_THAT(waiting(*again), ElementsAre("1.0", "2.0"));
    // One that is right, or unknown, is refused.
    for (const std::uint64_t other : {k_base.value, IndividualId::make(9, 0).value}) {
        std::string bytes = state.encode();
        ByteWriter two;
        two.u32(2);
        two.u64(IndividualId::make(1, 0).value);
        two.u64(IndividualId::make(2, 0).value);
        ByteWriter changed;
        changed.u32(2);
        changed.u64(IndividualId::make(1, 0).value);
        changed.u64(other);
        const std::size_t at = bytes.rfind(two.bytes());
        ASSERT_NE(at, std::string::npos);
        bytes.replace(at, two.bytes().size(), changed.bytes());
        EXPECT_FALSE(CampaignState::decode(bytes, samples::settings()));
    }
}

}  // namespace
}  // namespace atl
