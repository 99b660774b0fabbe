#include "population/journal/journal.hpp"

#include "population/campaign_state.hpp"
#include "population/journal/journal_format.hpp"
#include "tests/fuzz/look_at_lineage.hpp"
#include "tests/fuzz/memory_file.hpp"
#include "tests/fuzz/record_bytes.hpp"
#include "tests/fuzz/targets.hpp"

namespace atl::fuzz {

namespace {

StateSettings two_islands() {
    return {2, {"ranked", 3, 0.1}, 0.9};
}

void read_whole(std::string_view bytes) {
    const MemoryFile file(bytes);
    auto reader = JournalReader::open(file.path());
    if (!reader) {
        return;
    }
    LineageData data;
    CampaignState state(two_islands());
    const Status status = (*reader)->for_each(0, [&](const JournalReader::Entry& entry) -> Status {
        must(entry.end_position <= bytes.size(), "records lie inside the file");
        (void)state.apply(entry.event);
        data.events.push_back(entry.event);
        return {};
    });
    must(!status || (*reader)->end_position() + (*reader)->torn_bytes() == bytes.size(),
         "every byte is read or torn");
    data.texts = std::move(*reader);
    look_at_lineage(data);
}

/// What can be opened to append to holds what is appended, behind what it held.
void go_on(std::string bytes) {
    auto writer = JournalWriter::create(std::make_unique<MemoryDisk>(bytes));
    if (!writer) {
        return;
    }
    const std::uint64_t before = (*writer)->event_count();
    must((*writer)->append(CampaignStopped{"appended", false, 1}).has_value(), "events are taken");
    must((*writer)->sync().has_value(), "the disk in memory never fails");
    const MemoryFile file(bytes);
    auto reader = JournalReader::open(file.path());
    must(reader.has_value(), "what was written can be opened");
    std::uint64_t events = 0;
    std::string last;
    const Status status = (*reader)->for_each(0, [&](const JournalReader::Entry& entry) -> Status {
        ++events;
        last = encode_event(entry.event);
        return {};
    });
    must(status.has_value() && (*reader)->torn_bytes() == 0, "what was written can be read");
    must(events == before + 1, "nothing is lost by appending");
    must(last == encode_event(CampaignStopped{"appended", false, 1}), "what was appended is last");
}

}  // namespace

void journal(std::string_view bytes) {
    read_whole(bytes);
    go_on(std::string(bytes));
}

void records(std::string_view bytes) {
    std::string file = encode_journal_header(1'700'000'000'000'000'000);
    const auto header = decode_journal_header(file, "journal");
    must(header.has_value(), "a header that was just made is right");
    while (const auto record = take_record(bytes)) {
        // The highest bit of our byte stands for the attest bit, the text type for itself.
        const std::uint32_t type =
            (record->type & 0x7fU) | ((record->type & 0x80U) != 0 ? k_attest_bit : 0U);
        file += frame_record(header->id, file.size(), type, record->payload);
    }
    journal(file);
}

void event(std::string_view bytes) {
    if (bytes.empty()) {
        return;
    }
    const auto decoded = decode_event(static_cast<unsigned char>(bytes[0]), bytes.substr(1));
    if (!decoded) {
        return;
    }
    const std::string encoded = encode_event(*decoded);
    const auto again = decode_event(static_cast<std::uint32_t>(decoded->index()), encoded);
    must(again.has_value(), "an encoded event can be read");
    must(encode_event(*again) == encoded, "encoding an event and reading it changes nothing");
}

void snapshot(std::string_view bytes) {
    const auto state = CampaignState::decode(bytes, two_islands());
    if (!state) {
        return;
    }
    const std::string encoded = state->encode();
    const auto again = CampaignState::decode(encoded, two_islands());
    must(again.has_value(), "an encoded state can be read");
    must(again->encode() == encoded, "equal states have equal bytes");
}

}  // namespace atl::fuzz
