// clang-format off
// The bytes on disk, spelled out and grouped by field: whoever changes them must change a version
// and FORMATS.md too.

#include "population/event_codec.hpp"
#include "population/journal/journal_format.hpp"
#include "population/snapshot.hpp"
#include "tests/unit/population/samples.hpp"

#include <gtest/gtest.h>

#include <iomanip>
#include <sstream>

namespace atl {
namespace {

std::string hex(std::string_view bytes) {
    std::ostringstream out;
    for (const char byte : bytes) {
        out << std::hex << std::setw(2) << std::setfill('0')
            << static_cast<int>(static_cast<unsigned char>(byte));
    }
    return out.str();
}

std::uint64_t u64_at(const std::string& bytes, std::size_t at) {
    return ByteReader(std::string_view(bytes).substr(at)).u64();
}

TEST(Formats, EventsAreLaidOutAsDocumented) {
    EXPECT_EQ(hex(encode_event(SessionOpened{3, 258, "ab", {5, 0.5}})),
              "02" "03000000" "0201000000000000" "02000000" "6162" "0500000000000000"
              "000000000000e03f");
    EXPECT_EQ(hex(encode_event(TicketFailed{0x0102030405060708, "no", true})),
              "02" "0807060504030201" "02000000" "6e6f" "01");
    EXPECT_EQ(hex(encode_event(TicketCommitted{1, 1.0, -1, 0.5, 0.25})),
              "01" "0100000000000000" "000000000000f03f" "ffffffffffffffff" "000000000000e03f"
              "000000000000d03f");
    EXPECT_EQ(hex(encode_event(Migrated{IndividualId::make(1, 2), 3, 4, 1.0, 5})),
              "01" "0200010000000000" "03000000" "04000000" "000000000000f03f" "0500000000000000");
    EXPECT_EQ(hex(encode_event(CampaignStopped{"x", true, 9})),
              "01" "01000000" "78" "01" "0900000000000000");
    Individual measured = samples::individual(1, 2, 0, 1, "x");
    measured.measures = {1.0, 0.5};
    measured.predicted_gain = 2;
    EXPECT_TRUE(hex(encode_event(Evaluated{measured})).starts_with("03"));
    EXPECT_TRUE(hex(encode_event(Evaluated{measured}))
                    .ends_with("02000000" "000000000000f03f" "000000000000e03f" "0000000000000040" +
                               std::string(64, '0') + "00" "0000000000000000" "00000000"
                               "00000000"));
    Individual copy = measured;
    copy.measures.clear();
    copy.binary = content_id("b");
    copy.duplicate = true;
    copy.same_by = SameBy::binary;
    copy.same_as = {9};
    copy.added_lines = 5;
    copy.returned_lines = 3;
    EXPECT_TRUE(hex(encode_event(Evaluated{copy}))
                    .ends_with("00000000" "0000000000000040" + content_id("b").hex() + "02" "0900000000000000"
                               "05000000" "03000000"));
    ByteWriter proposal;
    write_fields(proposal, samples::proposal(1, 2, 0, "x"));
    std::string bytes = proposal.take();
    bytes.resize(bytes.size() - 61);  // neither measures nor what layout 3 added
    TurnedDown down{samples::proposal(1, 2, 0, "x"), {7}, 0.5, TurnedDownFor::returning};
    down.proposal.added_lines = 4;
    down.proposal.returned_lines = 2;
    EXPECT_EQ(hex(encode_event(down)),
              "02" + hex(bytes) + "0700000000000000" "000000000000e03f" "01" "04000000" "02000000");
    EXPECT_EQ(hex(encode_event(IslandSpawned{9, 2, {7}, 0.5})),
              "01" "0900000000000000" "02000000" "0700000000000000" "000000000000e03f");
    EXPECT_EQ(hex(encode_event(ProgressWatched{9, 1.0, 0.5, 3, 1.0})),
              "01" "0900000000000000" "000000000000f03f" "000000000000e03f" "03000000"
              "000000000000f03f");
    EXPECT_EQ(hex(encode_event(IslandsReset{9, {{1, 2, {7}, 0.5}}})),
              "01" "0900000000000000" "01000000" "01000000" "02000000" "0700000000000000"
              "000000000000e03f");
    EXPECT_EQ(hex(encode_event(LogOpened{"v", "d", 3})),
              "01" "01000000" "76" "01000000" "64" "0300000000000000");
    const std::string none(64, '0');
    Rollout rollout;
    rollout.number = 5;
    rollout.task = "t";
    rollout.kind = "k";
    rollout.device = "d";
    rollout.level = "l";
    rollout.group = "g";
    rollout.turn = 2;
    rollout.outcome = Outcome::passed;
    rollout.scores = {{"s", 0.5}};
    rollout.cached = true;
    rollout.wall_ns = 9;
    rollout.seconds = 1;
    EXPECT_EQ(hex(encode_event(RolloutRecorded{rollout})),
              "01" "0500000000000000" "01000000" "74" + none + "01000000" "6b" "01000000" "64"
              "01000000" "6c" "00000000" "00000000" + none + none + "00000000" "01000000" "67"
              "00000000" "0200000000000000" + none + none + "00" "00000000" "00" + none + none +
              "01000000" "01000000" "73" "000000000000e03f" "01" "0900000000000000"
              "000000000000f03f");
    ModelExchanged exchanged{1, 2, "m", content_id("q"), {}, "io", "x", 3, -1, 5, 6, 7, 8, 1.0};
    EXPECT_EQ(hex(encode_event(exchanged)),
              "01" "0100000000000000" "0200000000000000" "01000000" "6d" + content_id("q").hex() +
              none + "02000000" "696f" "01000000" "78" "0300000000000000" "ffffffffffffffff"
              "0500000000000000" "0600000000000000" "0700000000000000" "0800000000000000"
              "000000000000f03f");
    TicketIssued issued{1, 2, 1.0, "t", 1.0, {{{7}, ParentRole::partner, 1.0}}, 6, 8};
    issued.model = "m";
    issued.model_probability = 0.5;
    issued.strategy = "s";
    issued.strategy_probability = 0.25;
    issued.step = StepSize::large;
    issued.step_probability = 0.125;
    issued.memory = content_id("m");
    EXPECT_EQ(hex(encode_event(issued)),
              "03" "0100000000000000" "02000000" "000000000000f03f" "01000000" "74"
              "000000000000f03f" "01000000" "0700000000000000" "01" "000000000000f03f"
              "0600000000000000" "0800000000000000" "01000000" "6d" "000000000000e03f"
              "01000000" "73" "000000000000d03f" "02" "000000000000c03f" +
                  content_id("m").hex());
    const InsightNoted insight{1, "m", content_id("p"), content_id("r"), {"x"}, 2};
    EXPECT_EQ(hex(encode_event(insight)),
              "01" "0100000000000000" "01000000" "6d" + content_id("p").hex() +
              content_id("r").hex() + "01000000" "01000000" "78" "0200000000000000");
}

TEST(Formats, TypesAreTheDocumentedNumbers) {
    const std::vector<std::string> names = {
        "CampaignStarted", "SessionOpened", "TicketIssued", "Evaluated",      "TicketFailed",
        "TicketCommitted", "Migrated",      "Confirmed",    "CampaignStopped",
        "TurnedDown", "IslandsReset", "LogOpened", "RolloutRecorded",
        "ModelExchanged", "InsightNoted", "IslandSpawned", "ProgressWatched"};
    const std::vector<Event> events = {CampaignStarted{}, SessionOpened{},   TicketIssued{},
                                       Evaluated{},       TicketFailed{},    TicketCommitted{},
                                       Migrated{},        Confirmed{},       CampaignStopped{},
                                       TurnedDown{}, IslandsReset{}, LogOpened{},
                                       RolloutRecorded{}, ModelExchanged{}, InsightNoted{},
                                       IslandSpawned{}, ProgressWatched{}};
    ASSERT_EQ(names.size(), k_event_types);
    for (std::size_t i = 0; i < names.size(); ++i) {
        EXPECT_EQ(events[i].index(), i);
        EXPECT_EQ(event_name(events[i]), names[i]);
    }
}

TEST(Formats, AJournalIsLaidOutAsDocumented) {
    const samples::TemporaryFolder folder;
    samples::write_bytes(folder.path() / "journal", "");
    {
        auto writer = value_or_throw(JournalWriter::open(folder.path() / "journal"));
        value_or_throw(writer->put_text("abc"));
        samples::require(writer->append(TicketFailed{1, ""}));
        samples::require(writer->sync());
        samples::require(writer->append(TicketFailed{2, ""}));
        samples::require(writer->sync());
    }
    const std::string bytes = samples::read_bytes(folder.path() / "journal");
    EXPECT_EQ(bytes.substr(0, 8), "ATOLLJNL");
    EXPECT_EQ(hex(bytes.substr(8, 8)), "01000000" "20000000");
    const std::uint64_t id = u64_at(bytes, 24);
    EXPECT_EQ(id, checksum64(bytes.data(), 24));

    // A text of three bytes is smaller as it is; the first record of a batch attests.
    const std::size_t text = 32;
    EXPECT_EQ(hex(bytes.substr(text + 8, 8)), "28000000" "7f000080");
    EXPECT_EQ(hex(bytes.substr(text + 16, 5)), "00" "03000000");
    EXPECT_EQ(hex(bytes.substr(text + 21, 32)), content_id("abc").hex());
    EXPECT_EQ(bytes.substr(text + 53, 3), "abc");

    const std::size_t first = text + 56;
    EXPECT_EQ(hex(bytes.substr(first + 8, 22)),
              "0e000000" "04000000" "02" "0100000000000000" "00000000" "00");
    EXPECT_EQ(u64_at(bytes, first), checksum64(bytes.data() + first + 8, 22,
                                               id ^ first * 0x9E3779B97F4A7C15ull));
    const std::size_t second = first + 30;
    EXPECT_EQ(hex(bytes.substr(second + 8, 8)), "0e000000" "04000080");
    EXPECT_EQ(bytes.size(), second + 30);
}

TEST(Formats, ASnapshotIsLaidOutAsDocumented) {
    const samples::TemporaryFolder folder;
    const RunFolder run = value_or_throw(RunFolder::create(folder.path() / "run"));
    samples::write_journal(run.journal(), samples::campaign(), 100);
    const CampaignState state = samples::fold(samples::campaign());
    samples::require(write_snapshot(run, state, 1234));
    const std::string bytes = samples::read_bytes(run.snapshots() / "0000000029.snap");
    ASSERT_EQ(state.events_applied(), 29u);
    EXPECT_EQ(bytes.substr(0, 8), "ATOLLSNP");
    EXPECT_EQ(hex(bytes.substr(8, 4)), "01000000");
    EXPECT_EQ(u64_at(bytes, 12), u64_at(samples::read_bytes(run.journal()), 24));
    EXPECT_EQ(u64_at(bytes, 20), 1234u);
    EXPECT_EQ(u64_at(bytes, 28), 29u);
    EXPECT_EQ(u64_at(bytes, 36), state.encode().size());
    EXPECT_EQ(hex(bytes.substr(44, 4)), "28b52ffd");  // zstd
    EXPECT_EQ(u64_at(bytes, bytes.size() - 8), checksum64(bytes.data(), bytes.size() - 8));
}

}  // namespace
}  // namespace atl
