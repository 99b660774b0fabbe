#include "population/journal.hpp"

#include "tests/unit/population/samples.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace atl {
namespace {

using samples::TemporaryFolder;

std::vector<Event> read_all(const std::filesystem::path& path) {
    std::vector<Event> events;
    auto reader = JournalReader::open(path);
    EXPECT_TRUE(reader);
    const Status status = (*reader)->for_each(0, [&](const JournalReader::Entry& entry) {
        EXPECT_EQ(entry.index, events.size());
        events.push_back(entry.event);
        return Status();
    });
    EXPECT_TRUE(status) << status.error().message();
    return events;
}

/// The texts that the sample events refer to, which a journal wants to have first.
void put_texts(JournalWriter& writer) {
    for (const char* program : {"a", "b", "c", "d", "e"}) {
        ASSERT_TRUE(writer.put_text(std::string("source of ") + program));
        ASSERT_TRUE(writer.put_text(std::string("verdict of ") + program));
    }
    ASSERT_TRUE(writer.put_text("c1"));
    ASSERT_TRUE(writer.put_text("c2"));
}

TEST(Journal, GivesBackEventsAndTextsAfterReopening) {
    const TemporaryFolder folder;
    const auto path = folder.path() / "journal";
    const std::vector<Event> events = samples::campaign();
    {
        auto writer = JournalWriter::open(path);
        ASSERT_TRUE(writer) << writer.error().message();
        put_texts(**writer);
        for (const Event& event : events) {
            const Status status = (*writer)->append(event);
            ASSERT_TRUE(status) << status.error().message();
        }
        EXPECT_EQ(*(*writer)->text(content_id("source of a")), "source of a");
        ASSERT_TRUE((*writer)->sync());
        EXPECT_EQ(*(*writer)->text(content_id("source of a")), "source of a");
        EXPECT_EQ((*writer)->event_count(), events.size());
        EXPECT_EQ((*writer)->position(), std::filesystem::file_size(path));
    }
    const std::vector<Event> again = read_all(path);
    ASSERT_EQ(again.size(), events.size());
    for (std::size_t i = 0; i < events.size(); ++i) {
        EXPECT_EQ(again[i].index(), events[i].index());
        EXPECT_EQ(encode_event(again[i]), encode_event(events[i]));
    }
    auto writer = JournalWriter::open(path);
    ASSERT_TRUE(writer);
    EXPECT_EQ((*writer)->event_count(), events.size());
    EXPECT_EQ(*(*writer)->text(content_id("verdict of e")), "verdict of e");
    EXPECT_EQ((*writer)->text(content_id("unknown")).error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace atl
