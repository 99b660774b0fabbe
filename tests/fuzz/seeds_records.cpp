#include "population/journal/journal.hpp"
#include "population/journal/journal_format.hpp"
#include "population/journal/record_scanner.hpp"
#include "tests/fuzz/memory_file.hpp"
#include "tests/fuzz/record_bytes.hpp"
#include "tests/fuzz/seeds.hpp"
#include "tests/unit/population/lineage_fixture.hpp"
#include "tests/unit/population/samples.hpp"

namespace atl::fuzz {

namespace {

using lineage_test::Campaign;

std::string journal_of(const Campaign& campaign) {
    constexpr std::size_t k_events_per_sync = 5;
    std::string bytes;
    const auto writer = value_or_throw(JournalWriter::create(std::make_unique<MemoryDisk>(bytes)));
    for (const auto& [id, text] : campaign.texts.all()) {
        (void)value_or_throw(writer->put_text(text));
    }
    for (std::size_t i = 0; i < campaign.events.size(); ++i) {
        samples::require(writer->append(campaign.events[i]));
        if (i % k_events_per_sync == 0) {
            samples::require(writer->sync());
        }
    }
    samples::require(writer->sync());
    return bytes;
}

/// The journal's records in the form of the target `records`.
std::string loose_records(std::string journal) {
    const MemoryDisk disk(journal);
    const auto header = value_or_throw(decode_journal_header(journal, "journal"));
    RecordScanner scanner(disk, "journal", header.id, k_journal_header_bytes);
    std::string bytes;
    while (const auto record = value_or_throw(scanner.next())) {
        put_record(bytes, static_cast<std::uint8_t>(record->type), record->payload);
    }
    return bytes;
}

std::string lineage_file(const Campaign& campaign, LineageMode mode) {
    const lineage_test::TemporaryFolder folder;
    samples::require(lineage_test::write_lineage(campaign, folder.path() / "lineage.h5", mode));
    return value_or_throw(read_file(folder.path() / "lineage.h5", std::uint64_t{64} << 20));
}

/// What a reward server's log holds, and no campaign.
std::vector<Event> log_events() {
    Rollout one;
    one.task = "softmax";
    one.group = "g";
    one.turn = 1;
    one.tune = {{"TILE", "4"}};
    one.flags = {"-O3"};
    one.scores = {{"kevin", 2.3}, {"speedup", 2}};
    ModelExchanged exchanged;
    exchanged.model = "coder";
    exchanged.request = content_id("{}");
    exchanged.error_code = "timeout";
    const InsightNoted insight{2, "coder", content_id("prompt"), content_id("reply"), {"item"}, 3};
    return {LogOpened{"0.1", "cpu", 1}, RolloutRecorded{one}, exchanged, insight};
}

SeedsOfTarget event_seeds(const Campaign& campaign) {
    SeedsOfTarget seeds{"event", {}};
    std::vector<Event> events = log_events();
    events.insert(events.end(), campaign.events.begin(), campaign.events.end());
    for (const Event& event : events) {
        seeds.seeds[event_name(event)] =
            std::string(1, static_cast<char>(event.index())) + encode_event(event);
    }
    return seeds;
}

}  // namespace

std::vector<SeedsOfTarget> record_seeds() {
    const Campaign campaign = lineage_test::small_campaign();
    const std::string whole = journal_of(campaign);
    SeedsOfTarget journals{"journal", {{"campaign", whole}, {"fresh", journal_of(Campaign{})}}};
    SeedsOfTarget records{"records", {{"campaign", loose_records(whole)}}};
    SeedsOfTarget snapshots{"snapshot",
                            {{"whole", samples::fold(samples::campaign()).encode()},
                             {"in_flight", samples::fold(samples::campaign(), 11).encode()},
                             {"fresh", samples::fold({}).encode()}}};
    SeedsOfTarget files{"lineage",
                        {{"live", lineage_file(campaign, LineageMode::live)},
                         {"batch", lineage_file(campaign, LineageMode::batch)}}};
    SeedsOfTarget rows{"rows", {}};
    for (std::uint16_t place = 0; place < 16; ++place) {
        std::string& edit = rows.seeds["place" + std::to_string(place)];
        put_number(edit, place);
        put_number(edit, static_cast<std::uint16_t>(8 * place));
        put_number(edit, std::uint32_t{0xffffffff});
    }
    return {std::move(journals),  std::move(records), event_seeds(campaign),
            std::move(snapshots), std::move(files),   std::move(rows)};
}

}  // namespace atl::fuzz
