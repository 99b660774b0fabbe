#include "population/journal/journal.hpp"

#include "population/journal/journal_format.hpp"
#include "population/journal/recent_texts.hpp"
#include "population/journal/text_codec.hpp"
#include "tests/unit/population/samples.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace atl {
namespace {

using samples::read_events;
using samples::TemporaryFolder;

TEST(Journal, GivesBackEventsAndTextsAfterReopening) {
    const TemporaryFolder folder;
    const auto path = folder.path() / "journal";
    const std::vector<Event> events = samples::campaign();
    {
        auto writer = JournalWriter::open(path);
        ASSERT_TRUE(writer) << writer.error().message();
        samples::put_texts(**writer);
        for (const Event& event : events) {
            ASSERT_TRUE((*writer)->append(event));
        }
        EXPECT_EQ(*(*writer)->text(content_id("source of a")), "source of a");  // still waiting
        EXPECT_EQ(std::filesystem::file_size(path), k_journal_header_bytes);
        ASSERT_TRUE((*writer)->sync());
        EXPECT_EQ(*(*writer)->text(content_id("source of a")), "source of a");
        EXPECT_EQ((*writer)->event_count(), events.size());
        EXPECT_EQ((*writer)->position(), std::filesystem::file_size(path));
    }
    const Expected<std::vector<Event>> again = read_events(path);
    ASSERT_TRUE(again);
    ASSERT_EQ(again->size(), events.size());
    for (std::size_t i = 0; i < events.size(); ++i) {
        EXPECT_EQ((*again)[i].index(), events[i].index());
        EXPECT_EQ(encode_event((*again)[i]), encode_event(events[i]));
    }
    auto writer = JournalWriter::open(path);
    ASSERT_TRUE(writer);
    EXPECT_EQ((*writer)->event_count(), events.size());
    EXPECT_EQ(*(*writer)->text(content_id("verdict of e")), "verdict of e");
    EXPECT_EQ((*writer)->text(content_id("unknown")).error().code, ErrorCode::not_found);
}

TEST(Journal, RefusesWhatIsNoJournal) {
    const TemporaryFolder folder;
    const auto path = folder.path() / "journal";
    for (const std::string& bytes :
         {std::string("x"), std::string("hello, world"), std::string(100, '\0')}) {
        samples::write_bytes(path, bytes);
        const auto writer = JournalWriter::open(path);
        ASSERT_FALSE(writer);
        EXPECT_EQ(writer.error().code, ErrorCode::corrupt);
        EXPECT_NE(writer.error().message().find("not an Atoll journal"), std::string::npos);
        EXPECT_FALSE(writer.error().hint.empty());
        EXPECT_EQ(JournalReader::open(path).error().code, ErrorCode::corrupt);
        EXPECT_EQ(samples::read_bytes(path), bytes) << "a stranger's file was changed";
    }
    EXPECT_EQ(JournalReader::open(folder.path() / "none").error().code, ErrorCode::not_found);
}

TEST(Journal, RefusesANewerVersionAndADamagedHeader) {
    const TemporaryFolder folder;
    const auto path = folder.path() / "journal";
    const std::string header = encode_journal_header(5);
    for (std::size_t i = 0; i < header.size(); ++i) {
        std::string changed = header;
        changed[i] ^= 1;
        samples::write_bytes(path, changed);
        const auto writer = JournalWriter::open(path);
        ASSERT_FALSE(writer) << i;
        EXPECT_TRUE(writer.error().code == ErrorCode::corrupt ||
                    writer.error().code == ErrorCode::too_new);
        EXPECT_FALSE(JournalReader::open(path)) << i;
    }
    std::string newer = header;
    newer[8] = k_journal_version + 1;
    samples::write_bytes(path, newer);
    EXPECT_EQ(JournalWriter::open(path).error().code, ErrorCode::too_new);
    EXPECT_EQ(JournalReader::open(path).error().code, ErrorCode::too_new);
}

TEST(Journal, RefusesToAppendWhatCouldNotBeReadBack) {
    const TemporaryFolder folder;
    auto writer = JournalWriter::open(folder.path() / "journal");
    ASSERT_TRUE(writer);
    TicketCommitted nan;
    nan.reward = std::numeric_limits<double>::quiet_NaN();
    EXPECT_EQ((*writer)->append(nan).error().code, ErrorCode::invalid_argument);
    EXPECT_EQ((*writer)->append(TicketFailed{0, std::string(2 << 20, 'x')}).error().code,
              ErrorCode::invalid_argument);
    // A text must be there before what refers to it: a reader may stop between the two.
    const Status early = (*writer)->append(Evaluated{samples::individual(0, 0, 0, 1, "a")});
    EXPECT_EQ(early.error().code, ErrorCode::invalid_argument);
    EXPECT_EQ((*writer)->event_count(), 0u);
    EXPECT_EQ((*writer)->position(), k_journal_header_bytes);
    EXPECT_EQ((*writer)->put_text(std::string(k_max_text_bytes + 1, 'x')).error().code,
              ErrorCode::limit);
}

TEST(Journal, ReaderFollowsAGrowingFileAndStartsAnywhere) {
    const TemporaryFolder folder;
    const auto path = folder.path() / "journal";
    auto writer = JournalWriter::open(path);
    ASSERT_TRUE(writer);
    auto reader = JournalReader::open(path);
    ASSERT_TRUE(reader);
    std::uint64_t seen = 0;
    std::uint64_t place = 0;
    const auto count = [&](const JournalReader::Entry& entry) -> Status {
        EXPECT_EQ(entry.index, seen);
        ++seen;
        place = entry.end_position;
        return {};
    };
    ASSERT_TRUE((*reader)->for_each(place, count));
    EXPECT_EQ(seen, 0u);
    samples::put_texts(**writer);
    std::vector<std::uint64_t> places;
    for (const Event& event : samples::campaign()) {
        ASSERT_TRUE((*writer)->append(event));
        ASSERT_TRUE((*writer)->sync());
        ASSERT_TRUE((*reader)->for_each(place, count));
        ASSERT_EQ(seen, (*writer)->event_count());
        EXPECT_EQ(place, (*writer)->position());
        places.push_back(place);
    }
    EXPECT_EQ(*(*reader)->text(content_id("source of b")), "source of b");
    EXPECT_EQ((*reader)->torn_bytes(), 0u);

    // A fresh reader that starts late indexes the texts that it skips.
    auto late = JournalReader::open(path);
    ASSERT_TRUE(late);
    seen = 10;
    ASSERT_TRUE((*late)->for_each(places[9], count));
    EXPECT_EQ(seen, places.size());
    EXPECT_EQ(*(*late)->text(content_id("source of b")), "source of b");
    seen = 3;  // and may go back
    ASSERT_TRUE((*late)->for_each(places[2], count));
    EXPECT_EQ(seen, places.size());
    for (const std::uint64_t wrong : {places[4] + 1, places.back() + 1000, std::uint64_t{5}}) {
        EXPECT_EQ((*late)->for_each(wrong, count).error().code, ErrorCode::invalid_argument);
    }
}

// Only some places are remembered; the walk from there to any other counts events and texts right.
TEST(Journal, ReaderStartsAtAnyEventOfALongFile) {
    const TemporaryFolder folder;
    const auto path = folder.path() / "journal";
    auto writer = JournalWriter::open(path);
    ASSERT_TRUE(writer);
    for (std::uint64_t i = 0; i < 300; ++i) {
        ASSERT_TRUE((*writer)->put_text("text " + std::to_string(i)));
        ASSERT_TRUE((*writer)->append(TicketFailed{i, "nothing"}));
    }
    ASSERT_TRUE((*writer)->sync());
    auto reader = JournalReader::open(path);
    ASSERT_TRUE(reader);
    std::vector<std::uint64_t> ends;
    ASSERT_TRUE((*reader)->for_each(0, [&](const JournalReader::Entry& entry) {
        ends.push_back(entry.end_position);
        return Status();
    }));
    ASSERT_EQ(ends.size(), 300u);
    for (std::uint64_t from = 0; from < ends.size(); ++from) {
        std::uint64_t next = from + 1;
        ASSERT_TRUE((*reader)->for_each(ends[from], [&](const JournalReader::Entry& entry) {
            EXPECT_EQ(entry.index, next);
            EXPECT_EQ(std::get<TicketFailed>(entry.event).ticket, next);
            ++next;
            return Status();
        }));
        ASSERT_EQ(next, ends.size());
    }
}

TEST(Journal, VisitorsEndTheWalk) {
    const TemporaryFolder folder;
    const auto path = folder.path() / "journal";
    samples::write_journal(path, samples::campaign(), 3);
    auto reader = JournalReader::open(path);
    ASSERT_TRUE(reader);
    int visits = 0;
    const Status status = (*reader)->for_each(0, [&](const JournalReader::Entry&) -> Status {
        return ++visits == 4 ? Status(failure(ErrorCode::interrupted, "enough")) : Status();
    });
    EXPECT_EQ(status.error().code, ErrorCode::interrupted);
    EXPECT_EQ(visits, 4);
}

// --- texts ----------------------------------------------------------------------------------

std::string kernel(std::mt19937& random, int lines) {
    std::string text = "// A kernel.\n";
    for (int i = 0; i < lines; ++i) {
        text += "    sum += a[i * " + std::to_string(random() % 100000) + "] * b[" +
                std::to_string(random() % 100000) + " + j];\n";
    }
    return text;
}

/// Replaces one line.
std::string edited(std::string text, std::mt19937& random) {
    const std::size_t at = text.find('\n', random() % (text.size() / 2));
    const std::size_t end = text.find('\n', at + 1);
    return text.replace(at + 1, end - at - 1, "    // edit " + std::to_string(random()));
}

TEST(JournalTexts, AreStoredOnce) {
    const TemporaryFolder folder;
    auto writer = JournalWriter::open(folder.path() / "journal");
    ASSERT_TRUE(writer);
    ASSERT_TRUE((*writer)->put_text("text"));
    const std::uint64_t position = (*writer)->position();
    EXPECT_EQ(*(*writer)->put_text("text"), content_id("text"));
    EXPECT_EQ((*writer)->position(), position);
    ASSERT_TRUE((*writer)->put_text(""));
    EXPECT_EQ(*(*writer)->text(content_id("")), "");
}

TEST(JournalTexts, OfALongLineOfDescentCostWhatTheirEditsCost) {
    const TemporaryFolder folder;
    const auto path = folder.path() / "journal";
    std::mt19937 random(3);
    std::vector<std::string> texts = {kernel(random, 80)};
    auto writer = JournalWriter::open(path);
    ASSERT_TRUE(writer);
    ASSERT_TRUE((*writer)->put_text(texts.front()));
    const std::uint64_t alone = (*writer)->position();
    for (int i = 0; i < 100; ++i) {
        const Digest parent = content_id(texts.back());
        texts.push_back(edited(texts.back(), random));
        ASSERT_TRUE((*writer)->put_text(texts.back(), parent));
        if (i % 7 == 0) {
            ASSERT_TRUE((*writer)->sync());
        }
    }
    ASSERT_TRUE((*writer)->sync());
    EXPECT_LT((*writer)->position() - alone, 100 * alone / 4);
    auto reader = JournalReader::open(path);
    ASSERT_TRUE(reader);
    ASSERT_TRUE((*reader)->for_each(0, [](const auto&) { return Status(); }));
    for (const std::string& text : texts) {
        EXPECT_EQ(*(*writer)->text(content_id(text)), text);
        EXPECT_EQ(*(*reader)->text(content_id(text)), text);
    }
}

TEST(JournalTexts, WithOneBeginningAreComparedWithoutBeingAsked) {
    const TemporaryFolder folder;
    auto writer = JournalWriter::open(folder.path() / "journal");
    ASSERT_TRUE(writer);
    std::mt19937 random(4);
    const std::string prefix = kernel(random, 100);
    ASSERT_TRUE((*writer)->put_text(prefix + "first"));
    const std::uint64_t first = (*writer)->position();
    ASSERT_TRUE((*writer)->put_text(prefix + "second"));
    EXPECT_LT((*writer)->position() - first, 150u);
    EXPECT_EQ(*(*writer)->text(content_id(prefix + "second")), prefix + "second");
}

TEST(JournalTexts, OfAnySizeAndKindComeBack) {
    const TemporaryFolder folder;
    const auto path = folder.path() / "journal";
    auto writer = JournalWriter::open(path);
    ASSERT_TRUE(writer);
    std::mt19937 random(5);
    std::vector<Digest> ids;
    std::vector<std::string> texts;
    for (const std::size_t size : {0, 1, 31, 32, 33, 64, 65, 4096, 100'000, 3'000'000}) {
        std::string noise(size, '\0');
        for (char& byte : noise) {
            byte = static_cast<char>(random());
        }
        texts.push_back(noise);
        texts.push_back(std::string(size, 'x'));
        texts.push_back(noise + "tail");
    }
    for (const std::string& text : texts) {
        ASSERT_TRUE((*writer)->put_text(text));
    }
    ASSERT_TRUE((*writer)->sync());
    writer->reset();
    auto again = JournalWriter::open(path);
    ASSERT_TRUE(again);
    for (const std::string& text : texts) {
        EXPECT_TRUE(*(*again)->text(content_id(text)) == text);
    }
}

TEST(JournalTexts, DoNotPileUpInMemory) {
    const TemporaryFolder folder;
    const auto path = folder.path() / "journal";
    auto writer = JournalWriter::open(path);
    ASSERT_TRUE(writer);
    std::mt19937_64 random(6);
    for (int i = 0; i < 5; ++i) {
        std::string noise(4u << 20, '\0');
        for (std::size_t at = 0; at + 8 <= noise.size(); at += 8) {
            const std::uint64_t value = random();
            noise.replace(at, 8, reinterpret_cast<const char*>(&value), 8);
        }
        ASSERT_TRUE((*writer)->put_text(noise));
    }
    EXPECT_GT(std::filesystem::file_size(path), 15u << 20) << "without any sync()";
}

/// A journal with the given text records, checksums and all, as someone might forge it.
void forge(const std::filesystem::path& path, const std::vector<StoredText>& texts) {
    std::string bytes = encode_journal_header(1);
    const std::uint64_t id = decode_journal_header(bytes, "forged")->id;
    for (const StoredText& text : texts) {
        bytes += frame_record(id, bytes.size(), k_text_record, encode_stored_text(text));
    }
    samples::write_bytes(path, bytes);
}

TEST(JournalTexts, ThatAreForgedAreRefused) {
    const TemporaryFolder folder;
    const auto path = folder.path() / "journal";
    const auto read = [&path](const Digest& id) -> Expected<std::string> {
        ATOLL_TRY_ASSIGN(const auto reader, JournalReader::open(path));
        ATOLL_TRY(reader->for_each(0, [](const auto&) { return Status(); }));
        return reader->text(id);
    };
    const Digest id = content_id("abc");
    forge(path, {{TextMethod::plain, 3, id, 0, "abc"}});
    EXPECT_EQ(*read(id), "abc");
    forge(path, {{TextMethod::plain, 3, id, 0, "abd"}});
    EXPECT_EQ(read(id).error().code, ErrorCode::corrupt);
    forge(path, {{TextMethod::zstd, 3, id, 0, "this is no zstd frame"}});
    EXPECT_EQ(read(id).error().code, ErrorCode::corrupt);
    // A frame that unpacks to more than the stated size.
    const std::string bomb = TextPacker().pack(std::string(10'000'000, 'x'), {});
    forge(path, {{TextMethod::zstd, 3, id, 0, bomb}});
    EXPECT_EQ(read(id).error().code, ErrorCode::corrupt);
    forge(path, {{TextMethod::zstd, k_max_text_bytes + 1, id, 0, bomb}});
    EXPECT_EQ(read(id).error().code, ErrorCode::corrupt);
    // References to itself, to the future, to no text.
    for (const std::uint64_t target : {48, 4800, 0, 33}) {
        forge(path, {{TextMethod::reference, 3, id, target, bomb}});
        EXPECT_EQ(read(id).error().code, ErrorCode::corrupt) << target;
    }
}

TEST(JournalTexts, ThatFormALongChainAreRefused) {
    const TemporaryFolder folder;
    const auto path = folder.path() / "journal";
    std::vector<StoredText> texts = {{TextMethod::plain, 0, content_id("0"), 0, "0"}};
    std::uint64_t position = k_journal_header_bytes + k_record_header_bytes;
    for (int i = 1; i <= 9; ++i) {
        const StoredText next{TextMethod::reference, 0, content_id(std::to_string(i)), position,
                              "x"};
        position += encode_stored_text(texts.back()).size() + k_record_header_bytes;
        texts.push_back(next);
    }
    const auto walk = [&path] {
        const auto reader = JournalReader::open(path);
        return (*reader)->for_each(0, [](const auto&) { return Status(); });
    };
    forge(path, texts);
    EXPECT_EQ(walk().error().code, ErrorCode::corrupt);
    texts.pop_back();
    forge(path, texts);
    EXPECT_TRUE(walk());
}

// What a resume does: the writer needs not read what the reader just read.
TEST(Journal, AWriterGoesOnWhereAReaderEnded) {
    for (const std::size_t torn : {0u, 3u}) {
        const TemporaryFolder folder;
        const auto path = folder.path() / "journal";
        samples::write_journal(path, samples::campaign(), 3);
        std::filesystem::resize_file(path, std::filesystem::file_size(path) - torn);
        auto reader = value_or_throw(JournalReader::open(path));
        std::uint64_t events = 0;
        samples::require(reader->for_each(0, [&](const JournalReader::Entry&) {
            ++events;
            return Status();
        }));
        auto writer = value_or_throw(JournalWriter::open_after(path, std::move(reader)));
        EXPECT_EQ(writer->event_count(), events);
        EXPECT_EQ(writer->position(), std::filesystem::file_size(path)) << "torn end cut off";
        EXPECT_EQ(*writer->text(content_id("source of a")), "source of a");
        samples::require(writer->append(CampaignStopped{"once more", true, 0}));
        samples::require(writer->sync());
        const auto all = samples::read_events(path);
        ASSERT_TRUE(all) << all.error().message();
        EXPECT_EQ(all->size(), events + 1);
    }
}

// A reader of another file is no help and no harm.
TEST(Journal, AReaderOfAnotherJournalIsNotBelieved) {
    const TemporaryFolder folder;
    samples::write_journal(folder.path() / "one", samples::campaign(), 3);
    samples::write_journal(folder.path() / "two", {samples::campaign_started()}, 3);
    auto reader = value_or_throw(JournalReader::open(folder.path() / "two"));
    samples::require(reader->for_each(0, [](const JournalReader::Entry&) { return Status(); }));
    const auto writer =
        value_or_throw(JournalWriter::open_after(folder.path() / "one", std::move(reader)));
    EXPECT_EQ(writer->event_count(), samples::campaign().size());
}

TEST(RecentTexts, KeepTheOnesUsedLast) {
    RecentTexts texts(10);
    const auto id = [](const char* text) { return content_id(text); };
    texts.put(id("aaaa"), "aaaa");
    texts.put(id("bbbb"), "bbbb");
    ASSERT_NE(texts.find(id("aaaa")), nullptr);
    texts.put(id("cccc"), "cccc");
    EXPECT_EQ(texts.find(id("bbbb")), nullptr) << "used longest ago";
    EXPECT_EQ(*texts.find(id("aaaa")), "aaaa");
    texts.put(id("aaaa"), "aaaa");
    texts.put(id("longer than all"), "longer than all");
    EXPECT_EQ(texts.find(id("longer than all")), nullptr);
    EXPECT_EQ(*texts.find(id("cccc")), "cccc");
}

}  // namespace
}  // namespace atl
