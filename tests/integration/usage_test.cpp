#include "population/journal/journal.hpp"
#include "population/run_folder.hpp"
#include "tests/support/sanitizer.hpp"
#include "tests/support/shell.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace atl {
namespace {

using ::testing::HasSubstr;
using testing::run_shell;
using testing::ShellResult;

namespace fs = std::filesystem;

/// What a user sees who gives `atoll` something that it cannot do.
class Usage : public ::testing::Test {
  protected:
    static ShellResult atoll(const std::string& arguments, const std::string& environment = "") {
        return run_shell(environment + " " + ATOLL_BIN_DIR + "/atoll " + arguments);
    }
    static void expect(const std::string& arguments, const std::string& part,
                       const std::string& environment = "") {
        const ShellResult result = atoll(arguments, environment);
        EXPECT_EQ(result.status, 2) << arguments << "\n" << result.out << result.err;
        EXPECT_THAT(result.err, HasSubstr(part)) << arguments;
        EXPECT_THAT(result.err, ::testing::StartsWith("atoll")) << arguments;
        EXPECT_LT(result.err.size(), 500u) << arguments << "\n" << result.err;
    }
    std::string file(const std::string& name, const std::string& text) const {
        const fs::path path = m_folder.path() / name;
        std::ofstream(path) << text;
        return path.string();
    }
    static std::string config(const std::string& more) {
        return "[campaign]\ntask = '" ATOLL_SOURCE_DIR "/experiments/tasks/prefix_sum'\n" + more;
    }

    testing::TemporaryFolder m_folder;
    std::string m_task = ATOLL_SOURCE_DIR "/experiments/tasks/prefix_sum";
};

TEST_F(Usage, AMistypedWordIsNamedWithTheNearestOne) {
    expect("rum x.toml", "there is no command 'rum'; did you mean 'run'?");
    expect("run x.toml --max-evaluation 3",
           "there is no option '--max-evaluation'; did you mean '--max-evaluations'?");
    expect("lineage run sumary", "there is no command 'sumary'; did you mean 'summary'?");
    expect("config explan", "did you mean 'explain'?");
    expect("", "which command? One of: doctor, eval, plan, run");
    expect("run a.toml b.toml", "'b.toml' is one word too many");
    expect("run", "config");
}

TEST_F(Usage, AConfigOfANewerVersionSaysSo) {
    expect("run " + file("new.toml", config("schema = 2\nfrobnicate = 1\n")),
           "written for version 2 of campaign configs; this program knows version 1");
    CampaignStarted started;
    started.atoll_version = "99.1";
    started.config = config("frobnicate = 1\n");
    const fs::path run = m_folder.path() / "run";
    {
        const auto folder = RunFolder::create(run);
        ASSERT_TRUE(folder);
        const auto journal = JournalWriter::open(folder->journal());
        ASSERT_TRUE(journal);
        ASSERT_TRUE((*journal)->append(started));
        ASSERT_TRUE((*journal)->sync());
    }
    expect("resume " + run.string(), "the campaign was begun by Atoll 99.1");
}

TEST_F(Usage, ATaskWhosePathIsNoUtf8IsRefused) {
    const fs::path folder = m_folder.path() / "t\xff";
    fs::copy(m_task, folder, fs::copy_options::recursive);
    expect("task show '" + folder.string() + "'", "a task's path must be UTF-8");
    expect("eval '" + folder.string() + "' x.cpp", "a task's path must be UTF-8");
}

TEST_F(Usage, ANumberThatIsNoneIsShownWithoutAbsurdRanges) {
    expect("run x.toml --seconds abc", "--seconds: must be a number at least 0, not 'abc'");
    expect("run x.toml --seconds -3", "--seconds: must be a number at least 0, not '-3'");
    expect("resume x --max-evaluations 1.5", "must be a whole number at least 0, not '1.5'");
}

TEST_F(Usage, HelpOfEveryVerbListsItsExitStatuses) {
    for (const char* verb :
         {"eval", "plan", "run", "resume", "lineage", "task", "config", "doctor"}) {
        const ShellResult help = atoll(std::string(verb) + " --help");
        EXPECT_EQ(help.status, 0);
        EXPECT_THAT(help.out, HasSubstr("Exit status")) << verb;
        EXPECT_THAT(help.out, HasSubstr("Examples:")) << verb;
    }
}

TEST_F(Usage, HelpOfAQuestionNeedsNoRun) {
    for (const char* line : {"lineage show --help", "lineage runs/first show --help"}) {
        const ShellResult help = atoll(line);
        EXPECT_EQ(help.status, 0) << help.err;
        EXPECT_THAT(help.out, HasSubstr("Usage: atoll lineage RUN show [OPTIONS] ID\n")) << line;
        EXPECT_THAT(help.out, HasSubstr("--source")) << line;
    }
    EXPECT_THAT(atoll("lineage --help").out, HasSubstr("Usage: atoll lineage [OPTIONS] RUN"));
    EXPECT_THAT(atoll("lineage runs/first --help").out, HasSubstr("Usage: atoll lineage [OPT"));
}

TEST_F(Usage, ACompilerThatTheUserNamedIsNeverReplaced) {
    ATOLL_SKIP_UNDER_TSAN();
    const std::string kernel = file("k.cpp", "int x;\n");
    expect("eval " + m_task + " " + kernel, "$CXX: there is no compiler '/nope'", "CXX=/nope");
    expect("eval --compiler /nope " + m_task + " " + kernel, "there is no compiler '/nope'");
    const std::string toml = file("c.toml", config("[evaluation]\ncompiler = 'nog++'\n"));
    expect("run " + toml + " --output " + (m_folder.path() / "r").string(),
           toml + ": compiler: there is no compiler 'nog++'");
    const ShellResult doctor = atoll("doctor", "CXX=/nope");
    EXPECT_EQ(doctor.status, 3) << doctor.out;
    EXPECT_THAT(doctor.out, HasSubstr("there is no compiler '/nope'"));
}

// The candidate is not to blame for what was named as a compiler and is none.
TEST_F(Usage, AProgramThatIsNoCompilerIsNoVerdict) {
    ATOLL_SKIP_UNDER_TSAN();
    const std::string kernel = file("k.cpp", "extern \"C\" void launch() {}\n");
    expect("eval --compiler /bin/true " + m_task + " " + kernel, "is it a C++ compiler");
    EXPECT_THAT(atoll("eval --compiler /bin/true " + m_task + " " + kernel).err,
                ::testing::Not(HasSubstr(") (")));
    // One that its jail does not show, and one without the rest of it.
    fs::create_symlink("/usr/bin/g++", m_folder.path() / "g++");
    const std::string compiler = (m_folder.path() / "g++").string();
    expect("eval --compiler " + compiler + " " + m_task + " " + kernel, "could not be run");
    fs::permissions(m_folder.path(), fs::perms::all);  // else the jail's user sees nothing in it
    fs::create_directory(m_folder.path() / "bin");
    const std::string lonely = (m_folder.path() / "bin" / "g++").string();
    std::ofstream(lonely) << "#!/bin/sh\n[ \"$1\" = --version ] || { echo no cc1plus; exit 1; }\n";
    fs::permissions(lonely, fs::perms::owner_all | fs::perms::others_read | fs::perms::others_exec);
    expect("eval --compiler " + lonely + " " + m_task + " " + kernel, "in its jail: no cc1plus");
}

TEST_F(Usage, AFolderThatMayNotBeReadIsSaid) {
    if (::geteuid() == 0) {
        GTEST_SKIP() << "root may read everything";
    }
    const fs::path run = m_folder.path() / "closed";
    fs::create_directory(run);
    fs::permissions(run, fs::perms::none);
    expect("lineage " + run.string(), run.string() + ": open: Permission denied");
    fs::permissions(run, fs::perms::owner_all);
}

TEST_F(Usage, ErrorsSayWhereAndWhatToDo) {
    const std::string run = (m_folder.path() / "r").string();
    expect("run " + m_folder.path().string(), "(give a file, not a folder)");
    expect("run nosuch.toml", "nosuch.toml: open: No such file or directory (check the path)");
    expect("eval " + m_task + " nosuch.cpp", "nosuch.cpp: open: No such file or directory (check");
    const std::string no_jail = "[evaluation]\nsandbox = 'none'\n";
    const std::string preset = file("p.toml", config(no_jail + "[score]\npreset = 'external'\n"));
    expect("run " + preset + " --output " + run, preset + ": score.preset: \"external\"");
    EXPECT_FALSE(fs::exists(run)) << "a run that was refused left its folder";
    const std::string layout = file("l.toml", config("[evaluation]\ndevices = 200\n"));
    expect("run " + layout + " --output " + run, layout + ": device layout: 200 device(s)");
    EXPECT_FALSE(fs::exists(run));
    fs::create_directory(run);
    expect("run " + layout + " --output " + run, layout + ": device layout: 200 device(s)");
    EXPECT_TRUE(fs::is_empty(run)) << "the user's own folder stays, as it was";
    expect("run " + file("c.toml", config(no_jail)) + " --output " + preset,
           "(a file of that name is in the way: choose another path)");
    const std::string loop = (m_folder.path() / "loop.toml").string();
    fs::create_symlink("loop.toml", loop);
    expect("run " + loop, loop + ": open: Too many levels of symbolic links (a link there leads");
    expect("eval " + m_task + " " + file("big.cpp", std::string(3 << 20, ' ')),
           "big.cpp: is longer than 2097152 bytes (give a shorter file)");
    const std::string h5 = file("alone.h5", "");
    expect("lineage " + h5 + " rebuild", "give the run folder");
}

TEST_F(Usage, NoTaskFoundIsNoSuccess) {
    // Away from the clone, where the program would find the shipped tasks.
    const std::string copy = (m_folder.path() / "atoll").string();
    fs::copy_file(ATOLL_BIN_DIR "/atoll", copy);
    const ShellResult list =
        run_shell("cd " + m_folder.path().string() + " && ATOLL_TASKS= ./atoll task list");
    EXPECT_EQ(list.status, 1) << list.out;
    EXPECT_THAT(list.out, HasSubstr("set ATOLL_TASKS"));
    EXPECT_EQ(atoll("task list").status, 0);
}

// An answer that nobody got is no success, whichever verb gave it.
TEST_F(Usage, AnOutputThatCannotBeWrittenIsAFault) {
    const std::string valid = file("c.toml", config(""));
    for (const std::string& line : {std::string("config explain"), "config check " + valid,
                                    std::string("task list"), "task show " + m_task}) {
        const ShellResult full = atoll(line + " > /dev/full");
        EXPECT_EQ(full.status, 3) << line;
        EXPECT_THAT(full.err, HasSubstr("standard output: write: No space left")) << line;
    }
}

TEST_F(Usage, SetupTakesNoArgumentItDoesNotKnow) {
    const ShellResult result = run_shell(ATOLL_SOURCE_DIR "/tools/setup --bogus --dry-run");
    EXPECT_EQ(result.status, 2);
    EXPECT_THAT(result.err, HasSubstr("there is no argument '--bogus'"));
}

// The record would hold what no later session can read.
TEST_F(Usage, AnOptionThatTheConfigCouldNotHoldIsRefusedBeforeTheRunBegins) {
    const fs::path run = m_folder.path() / "run";
    expect("run " + file("c.toml", config("")) + " --max-evaluations 2000000000000 --output " +
               run.string(),
           "stop.max_evaluations");
    EXPECT_FALSE(fs::exists(run));
}

TEST_F(Usage, WhatAConfigSaysDoesNotCommandTheTerminal) {
    const std::string toml = file("c.toml", config("\"\\u001b[31mred\\u0007\" = 1\n"
                                                   "[selector]\nname = \"\\u001b[2J\\u009b2J\"\n"));
    const ShellResult check = atoll("config check " + toml);
    EXPECT_EQ(check.status, 2);
    EXPECT_THAT(check.err, HasSubstr("campaign.?[31mred?: unknown key"));
    EXPECT_THAT(check.err, HasSubstr("\"?[2J??2J\" is not one of"));
    for (const char* control : {"\x1b", "\a", "\xC2\x9B"}) {
        EXPECT_THAT(check.err, ::testing::Not(HasSubstr(control)));
    }
}

TEST_F(Usage, AQuotedKeyWithADotIsUnknown) {
    expect("run " + file("c.toml", "'stop.max_evaluations' = 5\n" + config("")),
           "stop.max_evaluations");
}

TEST_F(Usage, WorksWhereEndedChildrenAreIgnored) {
    const std::string source = m_task + "/starters/1_running_sum.cpp";
    ASSERT_TRUE(fs::exists(source));
    const ShellResult result = atoll(
        "eval prefix_sum " + source + " --level verify",
        "timeout 100 env --ignore-signal=CHLD ATOLL_TASKS=" ATOLL_SOURCE_DIR "/experiments/tasks");
    EXPECT_EQ(result.status, 0) << result.out << result.err;
}

}  // namespace
}  // namespace atl
