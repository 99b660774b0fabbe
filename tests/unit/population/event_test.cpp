#include "population/event.hpp"

#include "population/event_codec.hpp"
#include "tests/unit/population/samples.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace atl {
namespace {

TEST(EventCodec, GivesBackEveryEventExactly) {
    for (const Event& event : samples::campaign()) {
        const std::string bytes = encode_event(event);
        const Expected<Event> decoded =
            decode_event(static_cast<std::uint32_t>(event.index()), bytes);
        ASSERT_TRUE(decoded) << event_name(event) << ": " << decoded.error().message();
        EXPECT_EQ(decoded->index(), event.index());
        EXPECT_EQ(encode_event(*decoded), bytes) << event_name(event);
    }
}

TEST(EventCodec, KeepsEveryFieldOfAnIndividual) {
    Individual made = samples::individual(300, 7, 1, 2.5, "x");
    made.parents = {{IndividualId::make(1, 2), ParentRole::partner, 0.125},
                    {IndividualId::make(3, 4), ParentRole::migrant, 0.5}};
    made.prompt = content_id("p");
    made.reply = content_id("r");
    made.duplicate = true;
    made.staleness = 11;
    made.measures = {0.5, -3};
    made.predicted_gain = 1.25;
    made.binary = content_id("b");
    made.same_by = SameBy::names;
    made.same_as = IndividualId::make(5, 1);
    made.added_lines = 8;
    made.returned_lines = 6;
    const Expected<Event> decoded = decode_event(3, encode_event(Evaluated{made}));
    ASSERT_TRUE(decoded);
    const Individual& got = std::get<Evaluated>(*decoded).individual;
    EXPECT_EQ(got.id, made.id);
    EXPECT_EQ(got.island, 1u);
    EXPECT_EQ(got.key, made.key);
    EXPECT_EQ(got.source, made.source);
    EXPECT_EQ(got.tune, made.tune);
    EXPECT_EQ(got.flags, made.flags);
    EXPECT_EQ(got.starter, "tiled");
    EXPECT_EQ(got.parents, made.parents);
    EXPECT_EQ(got.operator_name, "tune");
    EXPECT_EQ(got.description, made.description);
    EXPECT_EQ(got.prompt, made.prompt);
    EXPECT_EQ(got.reply, made.reply);
    EXPECT_EQ(got.outcome, Outcome::passed);
    EXPECT_EQ(got.fitness, 2.5);
    EXPECT_EQ(got.time_ns, made.time_ns);
    EXPECT_EQ(got.verdict, made.verdict);
    EXPECT_TRUE(got.duplicate);
    EXPECT_EQ(got.staleness, 11u);
    EXPECT_EQ(got.measures, made.measures);
    EXPECT_EQ(got.predicted_gain, 1.25);
    EXPECT_EQ(got.binary, made.binary);
    EXPECT_EQ(got.same_by, SameBy::names);
    EXPECT_EQ(got.same_as, made.same_as);
    EXPECT_EQ(got.added_lines, 8u);
    EXPECT_EQ(got.returned_lines, 6u);
    EXPECT_EQ(got.asked_ns, made.asked_ns);
    EXPECT_EQ(got.done_ns, made.done_ns);
}

TEST(EventCodec, ReadsFieldsInOrder) {
    const CampaignStarted started = samples::campaign_started();
    const auto again = std::get<CampaignStarted>(*decode_event(0, encode_event(started)));
    EXPECT_EQ(again.atoll_version, started.atoll_version);
    EXPECT_EQ(again.config, started.config);
    EXPECT_EQ(again.task_name, started.task_name);
    EXPECT_EQ(again.device, started.device);
    EXPECT_EQ(again.fingerprint, started.fingerprint);
    EXPECT_EQ(again.seed, started.seed);
    const Migrated migrated{IndividualId::make(9, 1), 1, 2, 0.25, 77};
    const auto moved = std::get<Migrated>(*decode_event(6, encode_event(migrated)));
    EXPECT_EQ(moved.from, 1u);
    EXPECT_EQ(moved.to, 2u);
    EXPECT_EQ(moved.probability, 0.25);
    EXPECT_EQ(moved.after_commit, 77u);
}

TEST(EventCodec, TheLeastIndividualTakesTheStatedBytes) {
    ByteWriter out;
    write_fields(out, Individual{});
    EXPECT_EQ(out.bytes().size(), k_least_individual_bytes);
}

TEST(EventCodec, RefusesEveryTruncationAndEveryAddition) {
    for (const Event& event : samples::campaign()) {
        const std::string bytes = encode_event(event);
        const auto type = static_cast<std::uint32_t>(event.index());
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            const Expected<Event> decoded = decode_event(type, bytes.substr(0, size));
            ASSERT_FALSE(decoded) << event_name(event) << " cut to " << size;
            EXPECT_EQ(decoded.error().code, ErrorCode::corrupt);
        }
        EXPECT_FALSE(decode_event(type, bytes + '\0'));
    }
}

// What journals hold that were written before sessions had limits and failures a flag.
TEST(EventCodec, ReadsOlderLayouts) {
    ByteWriter session;
    session.u8(1);
    session.u32(3);
    session.i64(258);
    session.string("cpu");
    const auto opened = std::get<SessionOpened>(*decode_event(1, session.bytes()));
    EXPECT_EQ(opened.session, 3u);
    EXPECT_EQ(opened.device, "cpu");
    EXPECT_EQ(opened.limits, (SessionLimits{-1, -1}));
    for (const bool fault : {true, false}) {
        ByteWriter ticket;
        ticket.u8(1);
        ticket.u64(9);
        ticket.string(fault ? "fault: worker: died" : "the operator had nothing new to propose");
        const auto failed = std::get<TicketFailed>(*decode_event(4, ticket.bytes()));
        EXPECT_EQ(failed.ticket, 9u);
        EXPECT_EQ(failed.fault, fault);
    }
}

// Tickets had neither models nor strategies nor steps at first.
TEST(EventCodec, ReadsTicketsWithoutModels) {
    const TicketIssued issued = samples::ticket_issued(3, 1, {{{7}, ParentRole::base, 0.5}}, 2);
    std::string bytes = encode_event(issued);
    bytes[0] = 1;
    bytes.resize(bytes.size() - 65);
    const auto got = std::get<TicketIssued>(*decode_event(2, bytes));
    EXPECT_EQ(got.at_ns, issued.at_ns);
    EXPECT_EQ(got.model, "");
    EXPECT_EQ(got.model_probability, 1);
    EXPECT_EQ(got.step, StepSize::none);
    EXPECT_EQ(got.step_probability, 1);
}

TEST(EventCodec, RefusesAStepSizeThatThereIsNot) {
    TicketIssued issued;
    issued.step = static_cast<StepSize>(3);
    EXPECT_EQ(decode_event(2, encode_event(issued)).error().code, ErrorCode::corrupt);
}

// Individuals had neither measures nor predictions at first; what is turned down still has none.
TEST(EventCodec, ReadsIndividualsOfOlderLayouts) {
    Individual made = samples::individual(3, 1, 0, 2.5, "x");
    made.predicted_gain = 2;
    std::string bytes = encode_event(Evaluated{made});
    for (const auto& [layout, dropped] : {std::pair{2, 8 + 49}, std::pair{1, 4}}) {
        bytes[0] = static_cast<char>(layout);
        bytes.resize(bytes.size() - static_cast<std::size_t>(dropped));
        const auto got = std::get<Evaluated>(*decode_event(3, bytes)).individual;
        EXPECT_EQ(got.done_ns, made.done_ns);
        EXPECT_TRUE(got.measures.empty());
        EXPECT_EQ(got.predicted_gain, 0);
    }
}

// Proposals were turned down for one reason only at first.
TEST(EventCodec, ReadsWhatWasTurnedDownWithoutAReason) {
    const TurnedDown down{samples::proposal(5, 1, 0, "f"), {7}, 0.5, TurnedDownFor::returning};
    std::string bytes = encode_event(down);
    bytes[0] = 1;
    bytes.resize(bytes.size() - 9);
    const auto got = std::get<TurnedDown>(*decode_event(9, bytes));
    EXPECT_EQ(got.similar.value, 7u);
    EXPECT_EQ(got.why, TurnedDownFor::similarity);
}

TEST(EventCodec, RefusesReasonsThatThereAreNot) {
    std::string down = encode_event(TurnedDown{samples::proposal(5, 1, 0, "f"), {7}, 0.5});
    down[down.size() - 9] = 2;
    EXPECT_EQ(decode_event(9, down).error().code, ErrorCode::corrupt);
    std::string made = encode_event(Evaluated{samples::individual(3, 1, 0, 2.5, "x")});
    made[made.size() - 17] = 3;
    EXPECT_EQ(decode_event(3, made).error().code, ErrorCode::corrupt);
}

TEST(EventCodec, RefusesWhatANewerVersionWrote) {
    std::string bytes = encode_event(SessionOpened{});
    bytes[0] = 3;
    EXPECT_EQ(decode_event(1, bytes).error().code, ErrorCode::too_new);
    EXPECT_EQ(decode_event(k_event_types, bytes).error().code, ErrorCode::too_new);
}

TEST(EventCodec, RefusesNumbersThatAreNotFiniteAndTextsThatAreTooLong) {
    TicketCommitted committed;
    committed.reward = std::numeric_limits<double>::quiet_NaN();
    EXPECT_EQ(decode_event(5, encode_event(committed)).error().code, ErrorCode::corrupt);
    TicketFailed failed{1, std::string((1u << 20) + 1, 'x')};
    EXPECT_FALSE(decode_event(4, encode_event(failed)));
    failed.reason.pop_back();
    EXPECT_TRUE(decode_event(4, encode_event(failed)));
    TicketIssued issued;
    issued.parents.resize(4097);
    EXPECT_FALSE(decode_event(2, encode_event(issued)));
    issued.parents.resize(4096);
    EXPECT_TRUE(decode_event(2, encode_event(issued)));
}

// Whatever decodes has exactly one encoding, so bytes that were changed never pass unnoticed as
// the same event; and no byte string may do worse than give an error.
TEST(EventCodec, SurvivesRandomMutations) {
    std::mt19937 random(1);
    const std::vector<Event> events = samples::campaign();
    for (int round = 0; round < 20'000; ++round) {
        const Event& event = events[random() % events.size()];
        std::string bytes = encode_event(event);
        auto type = static_cast<std::uint32_t>(event.index());
        for (unsigned i = 0; i < 1 + random() % 4; ++i) {
            switch (random() % 4) {
                case 0:
                    bytes[random() % bytes.size()] = static_cast<char>(random());
                    break;
                case 1:
                    bytes[random() % bytes.size()] ^= static_cast<char>(1u << random() % 8);
                    break;
                case 2:
                    bytes.insert(random() % bytes.size(), 1 + random() % 8,
                                 random() % 2 == 0 ? '\xff' : '\0');
                    break;
                default:
                    bytes.resize(1 + random() % bytes.size());
            }
        }
        if (random() % 8 == 0) {
            type = random() % k_event_types;
        }
        const Expected<Event> decoded = decode_event(type, bytes);
        // An older layout is written again in the newest one.
        if (decoded && static_cast<std::uint8_t>(bytes[0]) == k_event_layouts[type]) {
            EXPECT_EQ(encode_event(*decoded), bytes);
        }
    }
}

}  // namespace
}  // namespace atl
