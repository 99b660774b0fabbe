#include "population/lineage/lineage_stream.hpp"

#include "population/journal/journal.hpp"
#include "population/lineage/hdf5_handle.hpp"
#include "population/lineage/lineage_check.hpp"
#include "population/lineage/lineage_file.hpp"
#include "tests/unit/population/lineage_fixture.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <functional>
#include <thread>

namespace atl {
namespace {

using namespace lineage_test;

/// A run folder whose journal gets the small campaign, some events at a time.
class LineageStreaming : public ::testing::Test {
  protected:
    void SetUp() override {
        auto opened = JournalWriter::open(m_run / "journal");
        ASSERT_TRUE(opened) << opened.error().message();
        m_journal = std::move(*opened);
        for (const auto& [id, text] : m_campaign.texts.all()) {
            ASSERT_TRUE(m_journal->put_text(text));
        }
    }

    void append(std::size_t count) {
        for (std::size_t i = 0; i < count && m_next < m_campaign.events.size(); ++i) {
            ASSERT_TRUE(m_journal->append(m_campaign.events[m_next++]));
        }
        ASSERT_TRUE(m_journal->sync());
    }

    void nudge(LineageStream& stream) const { stream.nudge(m_journal->position()); }

    [[nodiscard]] std::unique_ptr<LineageStream> start() {
        LineageStream::Options options;
        options.run = m_run;
        options.durable = m_journal->position();
        options.on_failure = [this](const Error&) { ++m_failures; };
        return LineageStream::start(std::move(options));
    }

    [[nodiscard]] std::vector<Event> first_events() const {
        return {m_campaign.events.begin(),
                m_campaign.events.begin() + static_cast<std::ptrdiff_t>(m_next)};
    }

    TemporaryFolder m_folder;
    std::filesystem::path m_run = m_folder.path();
    std::filesystem::path m_h5 = m_run / "lineage.h5";
    Campaign m_campaign = small_campaign();
    std::unique_ptr<JournalWriter> m_journal;
    std::size_t m_next = 0;
    std::atomic<int> m_failures = 0;
};

TEST_F(LineageStreaming, HoldsTheWholeJournalAfterFinish) {
    append(4);
    const auto stream = start();
    append(6);
    nudge(*stream);
    append(100);
    nudge(*stream);
    ASSERT_TRUE(stream->finish());
    ASSERT_TRUE(stream->finish());
    const auto data = read_lineage(m_h5);
    ASSERT_TRUE(data) << data.error().message();
    EXPECT_EQ(encoded(data->events), encoded(m_campaign.events));
    for (const auto& [id, text] : m_campaign.texts.all()) {
        if (data->texts->text(id)) {  // the journal was given texts that no event refers to
            EXPECT_EQ(*data->texts->text(id), text);
        }
    }
    EXPECT_EQ(m_failures, 0);
}

// What lies behind the last sync may yet be lost: then a data set that held it would be ahead of
// the truth.
TEST_F(LineageStreaming, HoldsNothingThatIsNotDurable) {
    append(4);
    const auto stream = start();
    append(6);  // in the file, but nobody said that it is durable
    ASSERT_TRUE(stream->finish());
    EXPECT_EQ(read_lineage(m_h5)->events.size(), 4u);
    EXPECT_EQ(*count_lineage_events(m_h5), 4u);
}

// A second process reads while the first writes (HDF5 refuses that within one process).
TEST_F(LineageStreaming, ALiveReaderSeesTheFileGrow) {
    append(4);
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t reader = ::fork();
    ASSERT_GE(reader, 0);
    if (reader == 0) {
        char go = 0;
        if (::read(ready[0], &go, 1) != 1) {
            ::_exit(3);
        }
        // The writer is running and stays so until this process ends.
        for (int i = 0; i < 3000; ++i) {
            const auto data = read_lineage(m_h5);
            if (data && data->events.size() == 10) {
                ::_exit(0);
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        ::_exit(1);
    }
    const auto stream = start();
    append(6);
    nudge(*stream);
    ASSERT_EQ(::write(ready[1], "g", 1), 1);
    int status = -1;
    ::waitpid(reader, &status, 0);
    if (stream->mode() == LineageMode::live) {
        EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    ASSERT_TRUE(stream->finish());
}

std::uint64_t inode(const std::filesystem::path& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 ? info.st_ino : 0;
}

// Wherever a session ended, with tickets in flight or not, and however many there were.
TEST_F(LineageStreaming, GoesOnWithTheFileOfTheSessionBefore) {
    if (!hdf5::live_readers_supported(m_run)) {
        GTEST_SKIP() << "files are written anew on this file system";
    }
    append(2);
    std::uint64_t first = 0;
    for (std::size_t session = 0; m_next < m_campaign.events.size(); ++session) {
        append(session == 0 ? 0 : 1 + session % 3);
        const auto stream = start();
        append(1);
        nudge(*stream);
        ASSERT_TRUE(stream->finish());
        first = session == 0 ? inode(m_h5) : first;
        ASSERT_EQ(inode(m_h5), first) << "written anew";
        const auto data = read_lineage(m_h5);
        ASSERT_TRUE(data) << data.error().message();
        ASSERT_EQ(encoded(data->events), encoded(first_events()));
        LineageCheck tables;
        ASSERT_TRUE(check_lineage_tables(m_h5, m_next, tables));
        ASSERT_TRUE(tables.problems.empty()) << tables.problems.front();
    }
    ASSERT_TRUE(rebuild_lineage(m_run, m_run / "anew.h5"));
    const auto grown = read_lineage(m_h5);
    const auto anew = read_lineage(m_run / "anew.h5");
    for (const auto& [id, text] : m_campaign.texts.all()) {
        EXPECT_EQ(grown->texts->text(id).value_or("none"), anew->texts->text(id).value_or("none"));
    }
}

TEST_F(LineageStreaming, WritesAnewWhatIsNotTheBeginningOfItsJournal) {
    append(10);
    ASSERT_TRUE(start()->finish());
    Campaign other = m_campaign;
    other.events.resize(9);
    std::get<TicketIssued>(other.events.back()).at_ns = 1;
    ASSERT_TRUE(write_lineage(other, m_h5, LineageMode::live));
    ASSERT_TRUE(start()->finish());
    const auto data = read_lineage(m_h5);
    ASSERT_TRUE(data) << data.error().message();
    EXPECT_EQ(encoded(data->events), encoded(first_events()));
}

// A disk that fills up within a batch leaves tables that were flushed, and events that were not.
TEST_F(LineageStreaming, WritesAnewWhoseTablesAreAheadOfItsEvents) {
    if (!hdf5::live_readers_supported(m_run)) {
        GTEST_SKIP() << "files are written anew on this file system";
    }
    const auto ahead = [](auto row) {
        return [row](lineage::LineageFile& file) { return file.append(row).has_value(); };
    };
    lineage::TextRow text;
    text.length = 3;
    const std::vector<std::function<bool(lineage::LineageFile&)>> damages = {
        ahead(lineage::ConfirmationRow()),
        ahead(lineage::IndividualRow()),
        ahead(lineage::TicketRow()),
        ahead(lineage::MigrationRow()),
        ahead(lineage::StopRow()),
        ahead(lineage::SessionRow()),
        ahead(text),
    };
    append(8);
    for (const auto& damage : damages) {
        ASSERT_TRUE(start()->finish());
        {
            auto file = lineage::LineageFile::open(m_h5);
            ASSERT_TRUE(file) << file.error().message();
            ASSERT_TRUE(damage(*file));
            ASSERT_TRUE(file->close());
        }
        EXPECT_FALSE(LineageWriter::go_on(m_h5));
        append(1);
        ASSERT_TRUE(start()->finish());
        LineageCheck tables;
        ASSERT_TRUE(check_lineage_tables(m_h5, m_next, tables));
        EXPECT_TRUE(tables.problems.empty()) << tables.problems.front();
        EXPECT_EQ(encoded(read_lineage(m_h5)->events), encoded(first_events()));
    }
}

TEST_F(LineageStreaming, ReplacesWhatADeadWriterLeft) {
    std::ofstream(m_h5) << "half a file";
    std::ofstream(m_run / "lineage.h5.new") << "half a file";
    append(12);
    const auto stream = start();
    ASSERT_TRUE(stream->finish());
    const auto data = read_lineage(m_h5);
    ASSERT_TRUE(data) << data.error().message();
    EXPECT_EQ(encoded(data->events), encoded(first_events()));
    EXPECT_FALSE(std::filesystem::exists(m_run / "lineage.h5.new"));
}

TEST_F(LineageStreaming, AFailureIsReportedOnceAndHarmsNothing) {
    std::filesystem::create_directories(m_h5 / "in the way");
    append(4);
    const auto stream = start();
    append(100);
    nudge(*stream);
    EXPECT_FALSE(stream->finish());
    EXPECT_FALSE(stream->finish());
    EXPECT_EQ(m_failures, 1);
    EXPECT_FALSE(std::filesystem::exists(m_run / "lineage.h5.new"));
    std::filesystem::remove_all(m_h5);
    ASSERT_TRUE(rebuild_lineage(m_run, m_h5));
    EXPECT_EQ(read_lineage(m_h5)->events.size(), m_campaign.events.size());
}

// A disk that is full for a moment: what was lost of a batch may be rows of any table, whatever the
// number of events says. The next session must not go on with that, though closing it succeeded.
TEST_F(LineageStreaming, WritesAnewWhatAWriterThatFailedLeft) {
    if (!hdf5::live_readers_supported(m_run)) {
        GTEST_SKIP() << "files are written anew on this file system";
    }
    append(100);
    const pid_t starved = ::fork();
    ASSERT_GE(starved, 0);
    if (starved == 0) {
        auto writer = LineageWriter::create(m_h5, LineageMode::live);
        bool failed = !writer;
        for (std::size_t i = 0; !failed && i < m_campaign.events.size(); ++i) {
            failed = !(*writer)->add(m_campaign.events[i], i, m_campaign.texts);
            if (i == 3 && (*writer)->flush()) {
                ::signal(SIGXFSZ, SIG_IGN);
                const rlimit full{std::filesystem::file_size(m_h5), RLIM_INFINITY};
                ::setrlimit(RLIMIT_FSIZE, &full);
            }
        }
        failed = failed || !(*writer)->flush();
        const rlimit none{RLIM_INFINITY, RLIM_INFINITY};
        ::setrlimit(RLIMIT_FSIZE, &none);
        writer->reset();
        ::_exit(failed ? 0 : 1);
    }
    int status = -1;
    ::waitpid(starved, &status, 0);
    ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    EXPECT_FALSE(LineageWriter::go_on(m_h5));
    ASSERT_TRUE(start()->finish());
    const auto data = read_lineage(m_h5);
    ASSERT_TRUE(data) << data.error().message();
    EXPECT_EQ(encoded(data->events), encoded(first_events()));
    LineageCheck tables;
    ASSERT_TRUE(check_lineage_tables(m_h5, m_next, tables));
    EXPECT_TRUE(tables.problems.empty()) << tables.problems.front();
}

TEST_F(LineageStreaming, GivesUpWithoutAJournal) {
    std::filesystem::remove(m_run / "journal");
    const auto stream = start();
    EXPECT_FALSE(stream->finish());
    EXPECT_EQ(m_failures, 1);
}

TEST_F(LineageStreaming, DestructionWithoutFinishLeavesAReadableFile) {
    append(4);
    { const auto stream = start(); }
    ASSERT_TRUE(read_lineage(m_h5));
}

TEST_F(LineageStreaming, ARunIsReadFromItsJournalAfterKill) {
    append(100);
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t writer = ::fork();
    ASSERT_GE(writer, 0);
    if (writer == 0) {
        const auto stream = start();
        while (!std::filesystem::exists(m_h5)) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        if (::write(ready[1], "g", 1) != 1) {
            ::_exit(1);
        }
        ::pause();
    }
    char go = 0;
    ASSERT_EQ(::read(ready[0], &go, 1), 1);
    ::kill(writer, SIGKILL);
    ::waitpid(writer, nullptr, 0);

    const auto data = read_lineage(m_run);
    ASSERT_TRUE(data) << data.error().message();
    EXPECT_EQ(data->source.filename(), "journal");
    EXPECT_EQ(encoded(data->events), encoded(m_campaign.events));
    ASSERT_TRUE(rebuild_lineage(m_run, m_h5));
    const auto rebuilt = read_lineage(m_h5);
    ASSERT_TRUE(rebuilt) << rebuilt.error().message();
    EXPECT_EQ(encoded(rebuilt->events), encoded(m_campaign.events));
    EXPECT_FALSE(std::filesystem::exists(m_run / "lineage.h5.tmp"));
}

TEST_F(LineageStreaming, RebuildWritesElsewhereForReadOnlyRuns) {
    append(100);
    const TemporaryFolder elsewhere;
    ASSERT_TRUE(rebuild_lineage(m_run, elsewhere.path() / "copy.h5"));
    EXPECT_FALSE(std::filesystem::exists(m_h5));
    EXPECT_EQ(read_lineage(elsewhere.path() / "copy.h5")->events.size(), m_campaign.events.size());
    EXPECT_EQ(rebuild_lineage(elsewhere.path(), m_h5).error().code, ErrorCode::not_found);
}

TEST_F(LineageStreaming, AFolderWithoutAJournalIsReadFromItsLineageFile) {
    append(100);
    ASSERT_TRUE(rebuild_lineage(m_run, m_h5));
    std::filesystem::remove(m_run / "journal");
    const auto data = read_lineage(m_run);
    ASSERT_TRUE(data) << data.error().message();
    EXPECT_EQ(data->source.filename(), "lineage.h5");
    EXPECT_EQ(encoded(data->events), encoded(m_campaign.events));
}

}  // namespace
}  // namespace atl
