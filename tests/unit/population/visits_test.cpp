#include "population/campaign_state.hpp"
#include "tests/unit/population/samples.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <vector>

namespace atl {
namespace {

constexpr std::uint64_t k_bases = 3;

// How a ticket may end, and whether its base keeps the visit.
enum class End { stays_in_flight, right, wrong, wrong_then_right, nothing_to_try, fault };

constexpr bool keeps_its_visit(End end) {
    return end != End::wrong && end != End::fault;
}

void end_ticket(CampaignState& state, std::uint64_t ticket, End end) {
    const auto evaluate = [&](std::uint32_t step, double fitness) {
        const std::string program = std::to_string(ticket) + "." + std::to_string(step);
        samples::require(
            state.apply(Evaluated{samples::individual(ticket, step, 0, fitness, program)}));
    };
    switch (end) {
        case End::stays_in_flight:
            return;
        case End::right:
            evaluate(0, 0.5);
            break;
        case End::wrong:
            evaluate(0, 0);
            break;
        case End::wrong_then_right:
            evaluate(0, 0);
            evaluate(1, 0.5);
            break;
        case End::nothing_to_try:
            samples::require(state.apply(TicketFailed{ticket, "nothing to try", false}));
            return;
        case End::fault:
            samples::require(state.apply(TicketFailed{ticket, "a worker died", true}));
            return;
    }
    samples::require(state.apply(TicketCommitted{ticket, 0, 0, 0, 0}));
}

// AKG: a visit counts from the choice on, and is taken back when nothing right came of it.
RC_GTEST_PROP(Visits, AreTicketsInFlightAndThoseThatWereNotRolledBack, ()) {
    CampaignState state = samples::fold({samples::campaign_started(), SessionOpened{0, 0, "cpu"}});
    for (std::uint64_t ticket = 0; ticket < k_bases; ++ticket) {
        samples::require(state.apply(samples::ticket_issued(ticket, 0, {}, state.commits())));
        end_ticket(state, ticket, End::right);
    }
    // Which base each ticket has, and how it ends; ended in an order of its own.
    const auto bases = *rc::gen::container<std::vector<std::uint64_t>>(
        rc::gen::inRange<std::uint64_t>(0, k_bases));
    std::vector<std::pair<std::uint64_t, End>> ends;
    std::map<std::uint64_t, std::uint64_t> expected;
    for (std::size_t i = 0; i < bases.size(); ++i) {
        const std::uint64_t ticket = k_bases + i;
        samples::require(state.apply(samples::ticket_issued(
            ticket, 0, {{IndividualId::make(bases[i], 0), ParentRole::base, 1}}, k_bases)));
        const End end = *rc::gen::element(End::stays_in_flight, End::right, End::wrong,
                                          End::wrong_then_right, End::nothing_to_try, End::fault);
        ends.insert(ends.begin() + *rc::gen::inRange<std::ptrdiff_t>(
                                       0, static_cast<std::ptrdiff_t>(ends.size()) + 1),
                    {ticket, end});
        expected[bases[i]] += keeps_its_visit(end) ? 1 : 0;
    }
    for (const auto& [ticket, end] : ends) {
        end_ticket(state, ticket, end);
    }
    const auto again = CampaignState::decode(state.encode(), samples::settings());
    RC_ASSERT(again.has_value());
    for (std::uint64_t base = 0; base < k_bases; ++base) {
        RC_ASSERT(state.visits_of(IndividualId::make(base, 0)) == expected[base]);
        RC_ASSERT(again->visits_of(IndividualId::make(base, 0)) == expected[base]);
    }
}

}  // namespace
}  // namespace atl
