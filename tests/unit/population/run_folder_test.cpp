#include "population/run_folder.hpp"

#include "population/lineage/lineage.hpp"
#include "population/snapshot.hpp"
#include "tests/unit/population/samples.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

namespace atl {
namespace {

namespace fs = std::filesystem;
using samples::TemporaryFolder;

/// A run with all sample events, synced after every third, and snapshots at the given counts.
void write_run(const fs::path& path, const std::vector<std::size_t>& snapshots) {
    const RunFolder run = value_or_throw(RunFolder::create(path));
    auto journal = value_or_throw(JournalWriter::open(run.journal()));
    samples::put_texts(*journal);
    CampaignState state(samples::settings());
    for (const Event& event : samples::campaign()) {
        samples::require(journal->append(event));
        samples::require(journal->sync());
        samples::require(state.apply(event));
        for (const std::size_t count : snapshots) {
            if (count == state.events_applied()) {
                samples::require(write_snapshot(run, state, journal->position()));
            }
        }
    }
}

Expected<LoadedRun> load(const fs::path& path) {
    ATOLL_TRY_ASSIGN(const RunFolder run, RunFolder::open_read_only(path));
    return load_run(run, samples::settings());
}

std::string truth() {
    return samples::fingerprint(samples::fold(samples::campaign()));
}

TEST(RunFolder, MakesItsFoldersAndRefusesASecondRun) {
    const TemporaryFolder folder;
    const fs::path path = folder.path() / "deep" / "run";
    write_run(path, {});
    for (const char* name : {"snapshots", "logs", "best"}) {
        EXPECT_TRUE(fs::is_directory(path / name)) << name;
    }
    const auto again = RunFolder::create(path);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, ErrorCode::already_exists);
    EXPECT_NE(again.error().message().find("atoll resume " + path.string()), std::string::npos);
    EXPECT_TRUE(RunFolder::open(path));
}

TEST(RunFolder, RefusesAFolderThatHoldsSomethingElse) {
    const TemporaryFolder folder;
    samples::write_bytes(folder.path() / "thesis.tex", "precious");
    const auto run = RunFolder::create(folder.path());
    ASSERT_FALSE(run);
    EXPECT_EQ(run.error().code, ErrorCode::already_exists);
    EXPECT_NE(run.error().message().find("thesis.tex"), std::string::npos);
    EXPECT_NE(run.error().message().find("choose another folder"), std::string::npos);
    EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);
    const auto file = RunFolder::create(folder.path() / "thesis.tex");
    ASSERT_FALSE(file);
    EXPECT_NE(file.error().message().find("thesis.tex"), std::string::npos);
}

TEST(RunFolder, RefusesAFolderWhoseFilesHaveTheNamesOfARunsButAreNone) {
    for (const char* name : {"config.toml", "best/best.py", "logs/mine.log", "peaks.json"}) {
        const TemporaryFolder folder;
        const fs::path mine = folder.path() / name;
        fs::create_directories(mine.parent_path());
        samples::write_bytes(mine, "precious");
        const auto run = RunFolder::create(folder.path());
        ASSERT_FALSE(run) << name;
        EXPECT_EQ(run.error().code, ErrorCode::already_exists) << name;
        EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1) << name;
    }
}

// An analyst's copy of a data set needs no journal; a run is nothing without one.
TEST(RunFolder, ALostJournalIsToldFromADataSetThatWasCopied) {
    const TemporaryFolder folder;
    const fs::path path = folder.path() / "run";
    write_run(path, {4});
    samples::require(rebuild_lineage(path, path / "lineage.h5"));
    EXPECT_TRUE(RunFolder::check_has_journal(path));
    fs::remove(path / "journal");
    const Status lost = RunFolder::check_has_journal(path);
    ASSERT_FALSE(lost);
    EXPECT_EQ(lost.error().code, ErrorCode::corrupt);
    EXPECT_NE(lost.error().message().find("no journal"), std::string::npos);
    const fs::path copy = folder.path() / "copy";
    fs::create_directory(copy);
    fs::rename(path / "lineage.h5", copy / "lineage.h5");
    EXPECT_FALSE(RunFolder::check_has_journal(path)) << "its snapshots are left";
    EXPECT_TRUE(RunFolder::check_has_journal(copy));
    EXPECT_TRUE(RunFolder::check_has_journal(copy / "lineage.h5"));
    for (const char* name : {"lock", "snapshots"}) {
        fs::create_directory(copy / name);
        EXPECT_FALSE(RunFolder::check_has_journal(copy)) << name;
        fs::remove(copy / name);
    }
    const RunFolder begun = value_or_throw(RunFolder::create(folder.path() / "begun"));
    EXPECT_TRUE(RunFolder::check_has_journal(begun.path())) << "it has no event yet";
}

// Whatever kill -9 leaves before the first event.
TEST(RunFolder, TakesAFolderWhoseRunNeverBegan) {
    const TemporaryFolder folder;
    {
        const auto run = RunFolder::create(folder.path());
        ASSERT_TRUE(run);
        samples::write_bytes(folder.path() / ".config.toml.12584.tmp", "seed");
        samples::write_bytes(folder.path() / ".peaks.json.12584.tmp", "{");
        EXPECT_EQ(RunFolder::open(folder.path()).error().code, ErrorCode::not_found);
    }
    {
        const auto run = RunFolder::create(folder.path());
        ASSERT_TRUE(run) << run.error().message();
        samples::write_bytes(run->config(), "seed = 1\n");
        samples::write_bytes(run->journal(), "ATOLL");
    }
    {
        const auto run = RunFolder::create(folder.path());
        ASSERT_TRUE(run) << run.error().message();
        ASSERT_TRUE(JournalWriter::open(run->journal()));
        samples::write_bytes(folder.path() / "lineage.h5.new", "half a file");
        samples::require(rebuild_lineage(folder.path(), run->lineage()));
    }
    const auto run = RunFolder::create(folder.path());
    EXPECT_TRUE(run) << run.error().message();
    EXPECT_EQ(RunFolder::open(folder.path()).error().code, ErrorCode::not_found);
}

// kill -9 between the writing of a file and its renaming; a campaign of days may be killed often.
// Neither `atoll run` nor `atoll resume` took one after a power cut at the wrong moment.
TEST(RunFolder, TakesAFolderWhoseFirstEventWasTorn) {
    const TemporaryFolder folder;
    const fs::path journal = folder.path() / "journal";
    {
        const RunFolder run = value_or_throw(RunFolder::create(folder.path()));
        auto writer = value_or_throw(JournalWriter::open(run.journal()));
        samples::require(writer->append(samples::campaign().front()));
        samples::require(writer->sync());
    }
    EXPECT_FALSE(RunFolder::create(folder.path())) << "its first event is whole";
    const std::string whole = samples::read_bytes(journal);
    for (std::size_t size = whole.size() - 1; size > 0; --size) {
        samples::write_bytes(journal, whole.substr(0, size));
        EXPECT_FALSE(RunFolder::open_read_only(folder.path())) << size;
        EXPECT_TRUE(RunFolder::create(folder.path())) << size;
    }
    samples::write_bytes(journal, whole.substr(0, whole.size() - 1));
    auto writer = value_or_throw(JournalWriter::open(journal));
    EXPECT_EQ(writer->event_count(), 0u);
    samples::require(writer->append(samples::campaign().front()));
    samples::require(writer->sync());
    EXPECT_TRUE(RunFolder::open_read_only(folder.path()));
}

TEST(RunFolder, WhatAKilledProcessWasWritingIsRemoved) {
    const TemporaryFolder folder;
    write_run(folder.path(), {4});
    const std::vector<fs::path> unfinished = {".peaks.json.77.tmp", "lineage.h5.new",
                                              "lineage.h5.tmp", "best/.best.cpp.77.tmp",
                                              "snapshots/.0000000030.snap.77.tmp"};
    const std::vector<fs::path> others = {".notes.tmp", ".tmp", "best/77.tmp", "logs/.a.77.tmp",
                                          "snapshots/.0000000030.snap.old.tmp"};
    for (const auto& names : {unfinished, others}) {
        for (const fs::path& name : names) {
            samples::write_bytes(folder.path() / name, "half");
        }
    }
    {
        const auto reader = RunFolder::open_read_only(folder.path());
        ASSERT_TRUE(reader);
        EXPECT_TRUE(fs::exists(folder.path() / unfinished.front())) << "it may be in work";
    }
    ASSERT_TRUE(RunFolder::open(folder.path()));
    for (const fs::path& name : unfinished) {
        EXPECT_FALSE(fs::exists(folder.path() / name)) << name;
    }
    for (const fs::path& name : others) {
        EXPECT_TRUE(fs::exists(folder.path() / name)) << name;
    }
    EXPECT_TRUE(load(folder.path()));
}

TEST(RunFolder, ARunThatLostItsJournalIsNotWrittenOver) {
    for (const bool data_set : {true, false}) {
        const TemporaryFolder folder;
        write_run(folder.path(), {data_set ? 0u : 4u});
        if (data_set) {
            samples::require(rebuild_lineage(folder.path(), folder.path() / "lineage.h5"));
        }
        for (const std::string journal : {"", "ATOLLJNL"}) {
            samples::write_bytes(folder.path() / "journal", journal);
            const auto run = RunFolder::create(folder.path());
            ASSERT_FALSE(run);
            EXPECT_EQ(run.error().code, ErrorCode::already_exists);
            EXPECT_NE(run.error().message().find(data_set ? "a lineage.h5 with 29 events"
                                                          : "snapshots of a run"),
                      std::string::npos)
                << run.error().message();
        }
    }
}

TEST(RunFolder, TheBestKernelOfALostRunIsNotWrittenOver) {
    const TemporaryFolder folder;
    write_run(folder.path(), {});
    fs::remove(folder.path() / "journal");
    fs::remove(folder.path() / "lineage.h5");
    samples::write_bytes(folder.path() / "best" / "best.cpp", "int x;");
    const auto run = RunFolder::create(folder.path());
    ASSERT_FALSE(run);
    EXPECT_NE(run.error().message().find("the best kernel of a run"), std::string::npos)
        << run.error().message();
}

TEST(RunFolder, ASecondWriterIsToldWhoHasIt) {
    const TemporaryFolder folder;
    const fs::path path = folder.path() / "run";
    write_run(path, {});
    const auto first = RunFolder::open(path);
    ASSERT_TRUE(first);
    const auto second = RunFolder::open(path);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::already_exists);
    EXPECT_NE(second.error().message().find("in use by process " + std::to_string(::getpid())),
              std::string::npos)
        << second.error().message();
    EXPECT_TRUE(RunFolder::open_read_only(path)) << "readers need no lock";
}

TEST(RunFolder, SaysWhatIsNoRun) {
    const TemporaryFolder folder;
    for (const fs::path& path : {folder.path(), folder.path() / "none"}) {
        for (const auto& run : {RunFolder::open(path).map([](const RunFolder&) {}),
                                RunFolder::open_read_only(path).map([](const RunFolder&) {})}) {
            ASSERT_FALSE(run);
            EXPECT_EQ(run.error().code, ErrorCode::not_found);
            EXPECT_NE(run.error().message().find("not a run folder"), std::string::npos);
        }
    }
}

TEST(RunFolder, AReadOnlyPlaceGivesAClearError) {
    // /proc refuses new folders to every user, root included.
    const auto run = RunFolder::create("/proc/atoll-run");
    ASSERT_FALSE(run);
    EXPECT_NE(run.error().message().find("/proc/atoll-run"), std::string::npos);
    if (::geteuid() == 0) {
        return;  // root may write everywhere else
    }
    const TemporaryFolder folder;
    fs::permissions(folder.path(), fs::perms::owner_read | fs::perms::owner_exec);
    const auto refused = RunFolder::create(folder.path() / "run");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::permission);
    EXPECT_FALSE(refused.error().hint.empty());
    fs::permissions(folder.path(), fs::perms::owner_all);
}

TEST(LoadRun, WithoutASnapshotFoldsTheWholeJournal) {
    const TemporaryFolder folder;
    write_run(folder.path() / "run", {});
    const auto run = load(folder.path() / "run");
    ASSERT_TRUE(run) << run.error().message();
    EXPECT_EQ(samples::fingerprint(run->state), truth());
    EXPECT_EQ(run->replayed_events, samples::campaign().size());
    EXPECT_EQ(run->position, fs::file_size(folder.path() / "run" / "journal"));
    EXPECT_EQ(*run->journal->text(content_id("source of a")), "source of a");
    const auto start = read_campaign_start(*RunFolder::open_read_only(folder.path() / "run"));
    EXPECT_EQ(start->config, samples::campaign_started().config);
}

TEST(LoadRun, ASnapshotPlusTheRestIsTheWholeFold) {
    for (std::size_t count = 1; count <= samples::campaign().size(); ++count) {
        const TemporaryFolder folder;
        write_run(folder.path() / "run", {count});
        const auto run = load(folder.path() / "run");
        ASSERT_TRUE(run) << run.error().message();
        ASSERT_EQ(samples::fingerprint(run->state), truth()) << count;
        ASSERT_EQ(run->replayed_events, samples::campaign().size() - count);
        ASSERT_TRUE(run->notes.empty()) << run->notes.front();
        ASSERT_EQ(*run->journal->text(content_id("source of a")), "source of a")
            << "texts before the snapshot are there";
    }
}

TEST(LoadRun, TheNewestThreeSnapshotsAreKept) {
    const TemporaryFolder folder;
    write_run(folder.path() / "run", {2, 4, 6, 9, 10});
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder.path() / "run" / "snapshots")) {
        names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    EXPECT_EQ(names,
              (std::vector<std::string>{"0000000006.snap", "0000000009.snap", "0000000010.snap"}));
    EXPECT_EQ(load(folder.path() / "run")->replayed_events, samples::campaign().size() - 10);
}

TEST(LoadRun, ADamagedSnapshotIsPassedOver) {
    const TemporaryFolder folder;
    const fs::path path = folder.path() / "run";
    write_run(path, {5, 10});
    const fs::path newest = path / "snapshots" / "0000000010.snap";
    const std::string bytes = samples::read_bytes(newest);
    for (std::size_t at = 0; at < bytes.size(); at += 7) {
        std::string changed = bytes;
        changed[at] ^= 0x10;
        samples::write_bytes(newest, changed);
        const auto run = load(path);
        ASSERT_TRUE(run) << run.error().message();
        ASSERT_EQ(samples::fingerprint(run->state), truth());
        ASSERT_EQ(run->replayed_events, samples::campaign().size() - 5);
        ASSERT_EQ(run->notes.size(), 1u);
        ASSERT_NE(run->notes.front().find("0000000010.snap"), std::string::npos);
    }
    for (std::size_t size = 0; size < bytes.size(); size += 11) {
        samples::write_bytes(newest, bytes.substr(0, size));
        ASSERT_EQ(load(path)->replayed_events, samples::campaign().size() - 5);
    }
}

TEST(LoadRun, ASnapshotOfAnotherJournalIsPassedOverAndGivesWay) {
    const TemporaryFolder folder;
    write_run(folder.path() / "one", {9, 10, 11});
    write_run(folder.path() / "two", {});
    const fs::path snapshots = folder.path() / "two" / "snapshots";
    fs::copy(folder.path() / "one" / "snapshots", snapshots, fs::copy_options::recursive);
    const auto run = load(folder.path() / "two");
    ASSERT_TRUE(run) << run.error().message();
    EXPECT_EQ(run->replayed_events, samples::campaign().size());
    EXPECT_EQ(run->notes.size(), 3u);
    // A new one is not at once removed for being older than those three.
    const auto reader = JournalReader::open(folder.path() / "two" / "journal");
    std::uint64_t position = 0;
    samples::require((*reader)->for_each(0, [&](const JournalReader::Entry& entry) {
        position = entry.index == 4 ? entry.end_position : position;
        return Status();
    }));
    samples::require(write_snapshot(*RunFolder::open_read_only(folder.path() / "two"),
                                    samples::fold(samples::campaign(), 5), position));
    EXPECT_EQ(std::distance(fs::directory_iterator(snapshots), {}), 1);
    EXPECT_EQ(load(folder.path() / "two")->replayed_events, samples::campaign().size() - 5);
}

/// Cuts the journal after this many events.
void cut_journal(const fs::path& run, std::uint64_t events) {
    const auto reader = JournalReader::open(run / "journal");
    std::uint64_t end = 0;
    samples::require((*reader)->for_each(0, [&](const JournalReader::Entry& entry) {
        end = entry.index + 1 == events ? entry.end_position : end;
        return Status();
    }));
    fs::resize_file(run / "journal", end);
}

void expect_lost(const fs::path& path, const std::string& proof) {
    const auto run = load(path);
    ASSERT_FALSE(run);
    EXPECT_EQ(run.error().code, ErrorCode::corrupt);
    const std::string message = run.error().message();
    EXPECT_NE(message.find("lost events that were acknowledged"), std::string::npos) << message;
    EXPECT_NE(message.find(proof), std::string::npos) << message;
    EXPECT_NE(message.find("restore the journal from a copy"), std::string::npos) << message;
}

// A snapshot is taken of what is durable, so it proves that the journal reached this far.
TEST(LoadRun, AJournalThatEndsBeforeItsSnapshotHasLostEvents) {
    for (const std::uint64_t left : {1u, 6u, 9u}) {
        const TemporaryFolder folder;
        const fs::path path = folder.path() / "run";
        write_run(path, {4, 10});
        cut_journal(path, left);
        expect_lost(path, "0000000010.snap");
        fs::remove_all(path / "snapshots");  // what the hint says
        const auto run = load(path);
        ASSERT_TRUE(run) << run.error().message();
        EXPECT_EQ(run->state.events_applied(), left);
    }
}

TEST(LoadRun, DamageToTheLastBatchOfAFinishedRunIsNoTornEnd) {
    const TemporaryFolder folder;
    const fs::path path = folder.path() / "run";
    write_run(path, {samples::campaign().size()});
    std::string bytes = samples::read_bytes(path / "journal");
    bytes[bytes.size() - 5] ^= 4;
    samples::write_bytes(path / "journal", bytes);
    expect_lost(path, "was taken when it was durable up to byte " + std::to_string(bytes.size()));
}

TEST(LoadRun, AJournalWithFewerEventsThanItsDataSetHasLostEvents) {
    const TemporaryFolder folder;
    const fs::path path = folder.path() / "run";
    write_run(path, {});
    samples::require(rebuild_lineage(path, path / "lineage.h5"));
    EXPECT_TRUE(load(path));
    cut_journal(path, 6);
    const std::string all = std::to_string(samples::campaign().size()) + " events";
    expect_lost(path, "lineage.h5 holds " + all);
    expect_lost(path, "keep lineage.h5, which holds " + all);
    // The only copy of the others is not written over.
    const Status rebuilt = rebuild_lineage(path, path / "lineage.h5");
    ASSERT_FALSE(rebuilt);
    EXPECT_EQ(rebuilt.error().code, ErrorCode::corrupt);
    EXPECT_EQ(*count_lineage_events(path / "lineage.h5"), samples::campaign().size());
    EXPECT_FALSE(fs::exists(path / "lineage.h5.tmp"));
    fs::remove(path / "lineage.h5");
    EXPECT_TRUE(load(path));
}

TEST(LoadRun, OtherSettingsFoldAnewFromTheJournal) {
    const TemporaryFolder folder;
    write_run(folder.path() / "run", {10});
    StateSettings settings = samples::settings();
    settings.archive.size = 1;
    const auto run = load_run(*RunFolder::open_read_only(folder.path() / "run"), settings);
    ASSERT_TRUE(run);
    EXPECT_EQ(run->replayed_events, samples::campaign().size());
    EXPECT_EQ(run->state.islands()[0].archive.entries().size(), 1u);
}

TEST(LoadRun, SaysWhatIsWrongWithAJournal) {
    const TemporaryFolder folder;
    const fs::path path = folder.path() / "run";
    write_run(path, {});
    const fs::path journal = path / "journal";
    const std::string bytes = samples::read_bytes(journal);

    std::string changed = bytes;
    changed[bytes.size() / 2] ^= 1;
    samples::write_bytes(journal, changed);
    auto run = load(path);
    ASSERT_FALSE(run);
    EXPECT_EQ(run.error().code, ErrorCode::corrupt);
    EXPECT_NE(run.error().message().find(journal.string()), std::string::npos);
    EXPECT_FALSE(run.error().hint.empty());

    changed = bytes;
    changed[8] = 100;
    samples::write_bytes(journal, changed);
    run = load(path);
    ASSERT_FALSE(run);
    EXPECT_EQ(run.error().code, ErrorCode::too_new);
    EXPECT_NE(run.error().message().find("version 100"), std::string::npos);

    // Intact records that contradict each other: a commit of a ticket that was never issued.
    fs::remove(journal);
    samples::write_journal(journal, {samples::campaign_started(), TicketFailed{3, "no"}}, 5);
    run = load(path);
    ASSERT_FALSE(run);
    EXPECT_EQ(run.error().code, ErrorCode::corrupt);
    EXPECT_NE(run.error().message().find("event 1 (TicketFailed)"), std::string::npos)
        << run.error().message();
    EXPECT_NE(run.error().message().find("ticket 3"), std::string::npos);
}

TEST(LoadRun, ATornTailIsReported) {
    const TemporaryFolder folder;
    const fs::path path = folder.path() / "run";
    write_run(path, {4});
    fs::resize_file(path / "journal", fs::file_size(path / "journal") - 3);
    const auto run = load(path);
    ASSERT_TRUE(run);
    EXPECT_GT(run->torn_bytes, 0u);
    EXPECT_EQ(run->state.events_applied(), samples::campaign().size() - 1);
}

}  // namespace
}  // namespace atl
