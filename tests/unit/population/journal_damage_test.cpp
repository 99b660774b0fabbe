#include "population/journal/journal.hpp"
#include "population/journal/journal_format.hpp"
#include "population/journal/record_scanner.hpp"
#include "tests/unit/population/faulty_file.hpp"
#include "tests/unit/population/samples.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace atl {
namespace {

using samples::FaultyDisk;
using samples::FaultyFile;
using samples::TemporaryFolder;

/// A small journal with a sync after every third event, and where its records lie.
struct Sample {
    std::vector<Event> events = samples::campaign();
    std::string bytes;
    std::vector<std::uint64_t> event_ends;
    std::uint64_t last_batch = 0;  ///< where the records after the last but one sync begin

    explicit Sample(const std::filesystem::path& folder) {
        const auto path = folder / "sample";
        last_batch = samples::write_journal(path, events, 3);
        bytes = samples::read_bytes(path);
        auto reader = JournalReader::open(path);
        (void)(*reader)->for_each(0, [this](const JournalReader::Entry& entry) {
            event_ends.push_back(entry.end_position);
            return Status();
        });
    }
    [[nodiscard]] std::size_t events_before(std::uint64_t offset) const {
        return static_cast<std::size_t>(
            std::upper_bound(event_ends.begin(), event_ends.end(), offset) - event_ends.begin());
    }
};

TEST(JournalDamage, AJournalCutAtAnyByteGivesTheEventsBeforeTheCut) {
    const TemporaryFolder folder;
    const Sample sample(folder.path());
    ASSERT_EQ(sample.event_ends.size(), sample.events.size());
    std::vector<std::string> states;
    for (std::size_t i = 0; i <= sample.events.size(); ++i) {
        states.push_back(samples::fingerprint(samples::fold(sample.events, i)));
    }
    const auto path = folder.path() / "cut";
    samples::write_bytes(path, sample.bytes);
    for (std::size_t cut = sample.bytes.size() + 1; cut-- > 0;) {
        std::filesystem::resize_file(path, cut);
        const std::size_t expected = sample.events_before(cut);
        const Expected<std::vector<Event>> read = samples::read_events(path);
        ASSERT_TRUE(read) << "cut at " << cut << ": " << read.error().message();
        ASSERT_EQ(read->size(), expected) << "cut at " << cut;
        ASSERT_EQ(samples::fingerprint(samples::fold(*read)), states[expected]) << "cut at " << cut;
    }
}

TEST(JournalDamage, ACutJournalCanBeContinued) {
    const TemporaryFolder folder;
    const Sample sample(folder.path());
    const auto path = folder.path() / "cut";
    const std::string truth = samples::fingerprint(samples::fold(sample.events));
    for (std::size_t cut = 0; cut <= sample.bytes.size(); ++cut) {
        const auto disk = std::make_shared<FaultyDisk>();
        disk->durable = disk->volatile_bytes = sample.bytes.substr(0, cut);
        auto writer = JournalWriter::create(std::make_unique<FaultyFile>(disk));
        ASSERT_TRUE(writer) << "cut at " << cut << ": " << writer.error().message();
        const std::size_t kept = sample.events_before(cut);
        ASSERT_EQ((*writer)->event_count(), kept) << "cut at " << cut;
        samples::put_texts(**writer);
        for (std::size_t i = kept; i < sample.events.size(); ++i) {
            ASSERT_TRUE((*writer)->append(sample.events[i]));
        }
        ASSERT_TRUE((*writer)->sync());
        samples::write_bytes(path, disk->durable);
        const Expected<std::vector<Event>> read = samples::read_events(path);
        ASSERT_TRUE(read) << "cut at " << cut << ": " << read.error().message();
        ASSERT_EQ(samples::fingerprint(samples::fold(*read)), truth) << "cut at " << cut;
    }
}

// Every byte, in one of three ways: what is read is an unchanged beginning of the truth, or an
// error; and only the bytes after the last attested sync may go missing without an error.
TEST(JournalDamage, AFlippedByteIsNeverWrongData) {
    const TemporaryFolder folder;
    const Sample sample(folder.path());
    const auto path = folder.path() / "flipped";
    constexpr int masks[] = {0x01, 0x80, 0xff};
    samples::write_bytes(path, sample.bytes);
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    const auto put = [&file](std::size_t at, int byte) {
        file.seekp(static_cast<std::streamoff>(at));
        file.put(static_cast<char>(byte));
        file.flush();
    };
    for (std::size_t at = 0; at < sample.bytes.size(); ++at) {
        put(at, sample.bytes[at] ^ masks[at % 3]);
        const Expected<std::vector<Event>> read = samples::read_events(path);
        put(at, sample.bytes[at]);
        if (!read) {
            ASSERT_TRUE(read.error().code == ErrorCode::corrupt ||
                        (read.error().code == ErrorCode::too_new && at < 12))
                << at << ": " << read.error().message();
            continue;
        }
        ASSERT_GE(at, sample.last_batch) << "durable events went missing without an error";
        ASSERT_EQ(read->size(), sample.events_before(at)) << at;
        for (std::size_t i = 0; i < read->size(); ++i) {
            ASSERT_EQ(encode_event((*read)[i]), encode_event(sample.events[i]));
        }
    }
}

TEST(JournalDamage, DamageToDurableRecordsSaysWhereAndStopsTheWriterToo) {
    const TemporaryFolder folder;
    const Sample sample(folder.path());
    const auto path = folder.path() / "damaged";
    std::string bytes = sample.bytes;
    bytes[sample.event_ends[2] + 20] ^= 4;
    samples::write_bytes(path, bytes);
    const auto writer = JournalWriter::open(path);
    ASSERT_FALSE(writer);
    EXPECT_EQ(writer.error().code, ErrorCode::corrupt);
    EXPECT_NE(writer.error().message().find("damaged at byte"), std::string::npos);
    EXPECT_NE(writer.error().message().find(path.string()), std::string::npos);
    EXPECT_EQ(samples::read_bytes(path), bytes) << "a damaged journal must be left as it is";
}

// The disk may have written the later blocks of an unacknowledged batch and not the earlier ones:
// that is a torn tail, not damage, or no campaign could be resumed after a power cut.
TEST(JournalDamage, AHoleInTheLastBatchIsATornTail) {
    const TemporaryFolder folder;
    const Sample sample(folder.path());
    const auto path = folder.path() / "hole";
    std::string bytes = sample.bytes;
    bytes.replace(sample.last_batch, 24, 24, '\0');
    samples::write_bytes(path, bytes);
    auto reader = JournalReader::open(path);
    ASSERT_TRUE(reader);
    ASSERT_TRUE((*reader)->for_each(0, [](const auto&) { return Status(); }));
    EXPECT_EQ((*reader)->torn_bytes(), bytes.size() - sample.last_batch);
    auto writer = JournalWriter::open(path);
    ASSERT_TRUE(writer);
    EXPECT_EQ((*writer)->position(), sample.last_batch);
    EXPECT_EQ(std::filesystem::file_size(path), sample.last_batch);
}

/// A journal that its writer goes on with while it is read: the first reads end at `cut`.
class GrowingFile final : public ReadableFile {
  public:
    GrowingFile(std::string bytes, std::size_t cut, int short_reads)
        : m_bytes(std::move(bytes)), m_cut(cut), m_short_reads(short_reads) {}

    [[nodiscard]] Expected<std::string> read_at(std::uint64_t offset,
                                                std::size_t size) const override {
        const std::size_t end = m_short_reads-- > 0 ? m_cut : m_bytes.size();
        return offset < end ? m_bytes.substr(offset, std::min(size, end - offset)) : std::string();
    }

  private:
    std::string m_bytes;
    std::size_t m_cut;
    mutable int m_short_reads;
};

// The reader may see half of a batch, and then, further on, what the next sync wrote: that attests
// the whole batch, of which the half was read too early.
TEST(JournalDamage, ABatchThatIsWrittenWhileItIsReadIsNoDamage) {
    const TemporaryFolder folder;
    const Sample sample(folder.path());
    const GrowingFile whole(sample.bytes, 0, 0);
    const auto header = read_journal_header(whole, "sample");
    ASSERT_TRUE(header);
    for (std::size_t cut = k_journal_header_bytes; cut <= sample.bytes.size(); ++cut) {
        for (const int short_reads : {1, 2, 3}) {
            const GrowingFile file(sample.bytes, cut, short_reads);
            RecordScanner scanner(file, "sample", header->id, k_journal_header_bytes);
            std::size_t events = 0;
            Expected<std::optional<Record>> record;
            for (record = scanner.next(); record && *record; record = scanner.next()) {
                events += (*record)->type == k_text_record ? 0 : 1;
            }
            ASSERT_TRUE(record) << "cut at " << cut << ": " << record.error().message();
            ASSERT_GE(events, sample.events_before(cut)) << "cut at " << cut;
        }
    }
}

TEST(JournalDamage, ARecordIsRefusedInAnyOtherPlace) {
    const TemporaryFolder folder;
    const Sample sample(folder.path());
    const auto path = folder.path() / "moved";
    // The last event again, at the end: same bytes, another position.
    const std::uint64_t start = sample.event_ends[sample.event_ends.size() - 2];
    samples::write_bytes(path, sample.bytes + sample.bytes.substr(start));
    EXPECT_EQ(samples::read_events(path)->size(), sample.events.size());
    // The same records behind the header of another journal.
    samples::write_bytes(
        path, encode_journal_header(12345) + sample.bytes.substr(k_journal_header_bytes));
    EXPECT_EQ(samples::read_events(path)->size(), 0u);
}

TEST(JournalFaults, OneSyncForAnyNumberOfEvents) {
    const auto disk = std::make_shared<FaultyDisk>();
    auto writer = JournalWriter::create(std::make_unique<FaultyFile>(disk));
    ASSERT_TRUE(writer);
    const int before = disk->syncs;
    samples::put_texts(**writer);
    for (const Event& event : samples::campaign()) {
        ASSERT_TRUE((*writer)->append(event));
    }
    ASSERT_TRUE((*writer)->sync());
    EXPECT_EQ(disk->syncs, before + 1);
    ASSERT_TRUE((*writer)->sync());  // nothing waits
    EXPECT_EQ(disk->syncs, before + 1);
    EXPECT_EQ(disk->durable.size(), (*writer)->position());
}

// The disk fills up at every possible byte: the error says so, the journal stays whole, and once
// there is space the same writer goes on without losing or repeating anything.
TEST(JournalFaults, AFullDiskLosesNothing) {
    const std::vector<Event> events = samples::campaign();
    std::uint64_t full_size = 0;
    for (std::uint64_t capacity = k_journal_header_bytes; full_size == 0 || capacity < full_size;
         capacity += 61) {
        const auto disk = std::make_shared<FaultyDisk>();
        auto writer = JournalWriter::create(std::make_unique<FaultyFile>(disk));
        ASSERT_TRUE(writer);
        disk->capacity = capacity;
        samples::put_texts(**writer);
        int failures = 0;
        for (const Event& event : events) {
            ASSERT_TRUE((*writer)->append(event));
            if (const Status status = (*writer)->sync(); !status) {
                ++failures;
                ASSERT_EQ(status.error().code, ErrorCode::no_space);
                ASSERT_NE(status.error().message().find("intact"), std::string::npos);
                ASSERT_EQ(disk->volatile_bytes, disk->durable) << "a torn record was left behind";
                // Another process that looks now sees a whole journal.
                const auto copy = std::make_shared<FaultyDisk>(*disk);
                ASSERT_TRUE(JournalWriter::create(std::make_unique<FaultyFile>(copy)));
            }
        }
        ASSERT_GT(failures, 0);
        disk->capacity = ~std::uint64_t{0};
        ASSERT_TRUE((*writer)->sync());
        full_size = disk->durable.size();
        writer->reset();
        const TemporaryFolder folder;
        samples::write_bytes(folder.path() / "journal", disk->durable);
        const Expected<std::vector<Event>> read = samples::read_events(folder.path() / "journal");
        ASSERT_TRUE(read);
        ASSERT_EQ(samples::fingerprint(samples::fold(*read)),
                  samples::fingerprint(samples::fold(events)));
    }
}

TEST(JournalFaults, AFailedFsyncIsWrittenAgain) {
    const auto disk = std::make_shared<FaultyDisk>();
    auto writer = JournalWriter::create(std::make_unique<FaultyFile>(disk));
    ASSERT_TRUE(writer);
    ASSERT_TRUE((*writer)->append(samples::campaign_started()));
    disk->failing_syncs = 1;
    EXPECT_EQ((*writer)->sync().error().code, ErrorCode::io);
    EXPECT_EQ(disk->volatile_bytes.size(), k_journal_header_bytes);
    ASSERT_TRUE((*writer)->append(SessionOpened{0, 0, ""}));
    ASSERT_TRUE((*writer)->sync());
    disk->lose_power();
    auto again = JournalWriter::create(std::make_unique<FaultyFile>(disk));
    ASSERT_TRUE(again);
    EXPECT_EQ((*again)->event_count(), 2u);
}

// Random campaigns on a disk that loses power at random: each time, all that was acknowledged is
// there, what is there is a beginning of the truth, and work goes on.
TEST(JournalFaults, PowerCutsKeepWhatWasAcknowledged) {
    std::mt19937 random(11);
    for (int round = 0; round < 60; ++round) {
        const auto disk = std::make_shared<FaultyDisk>();
        std::vector<std::string> truth;  // reasons, as appended
        std::size_t acknowledged = 0;
        for (int life = 0; life < 8; ++life) {
            auto writer = JournalWriter::create(std::make_unique<FaultyFile>(disk));
            ASSERT_TRUE(writer) << writer.error().message();
            const std::size_t found = (*writer)->event_count();
            ASSERT_GE(found, acknowledged);
            ASSERT_LE(found, truth.size());
            truth.resize(found);
            const TemporaryFolder folder;
            samples::write_bytes(folder.path() / "journal", disk->volatile_bytes);
            const Expected<std::vector<Event>> read =
                samples::read_events(folder.path() / "journal");
            ASSERT_TRUE(read) << read.error().message();
            ASSERT_EQ(read->size(), found);
            for (std::size_t i = 0; i < found; ++i) {
                ASSERT_EQ(std::get<TicketFailed>((*read)[i]).reason, truth[i]);
            }
            for (unsigned i = 0; i < random() % 20; ++i) {
                truth.emplace_back(random() % 300, static_cast<char>('a' + truth.size() % 26));
                ASSERT_TRUE((*writer)->append(TicketFailed{truth.size(), truth.back()}));
                ASSERT_TRUE((*writer)->put_text(truth.back()));
                if (random() % 4 == 0) {
                    ASSERT_TRUE((*writer)->sync());
                    acknowledged = truth.size();
                }
            }
            // Half of the cuts come in the middle of a sync, which acknowledges nothing then.
            const int syncs = disk->syncs;
            if (random() % 2 == 0 && (*writer)->sync() && disk->syncs > syncs) {
                disk->undo_last_sync();
            }
            writer->reset();
            disk->lose_power_untidily(random, 16);
        }
    }
}

}  // namespace
}  // namespace atl
