#include "population/lineage/lineage.hpp"

#include "population/journal/journal.hpp"
#include "population/run_folder.hpp"
#include "tests/support/shell.hpp"
#include "tests/unit/population/lineage_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>

namespace atl {
namespace {

using namespace lineage_test;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

struct Result {
    int status = -1;
    std::string output;  // stdout and stderr
};

Result shell(const std::string& command) {
    const testing::ShellResult done = testing::run_shell(command + " 2>&1");
    return {done.status, done.out};
}

/// A run folder with the small campaign in its journal.
class LineageCommand : public ::testing::Test {
  protected:
    void SetUp() override {
        auto run = RunFolder::create(m_run);
        ASSERT_TRUE(run) << run.error().message();
        std::ofstream(run->config()) << "";
        auto journal = JournalWriter::open(run->journal());
        ASSERT_TRUE(journal);
        for (const auto& [id, text] : m_campaign.texts.all()) {
            ASSERT_TRUE((*journal)->put_text(text));
        }
        for (const Event& event : m_campaign.events) {
            ASSERT_TRUE((*journal)->append(event));
        }
        ASSERT_TRUE((*journal)->sync());
    }

    [[nodiscard]] static Result atoll(const std::string& arguments) {
        return shell(std::string(ATOLL_BIN_DIR) + "/atoll " + arguments);
    }
    [[nodiscard]] Result lineage(const std::string& arguments) const {
        return atoll("lineage " + m_run.string() + " " + arguments);
    }

    TemporaryFolder m_folder;
    std::filesystem::path m_run = m_folder.path() / "run";
    Campaign m_campaign = small_campaign();
};

TEST_F(LineageCommand, SummaryIsTheDefaultQuestion) {
    const Result summary = lineage("summary");
    EXPECT_EQ(summary.status, 0) << summary.output;
    EXPECT_THAT(summary.output, HasSubstr("matmul, seed 42"));
    EXPECT_THAT(summary.output, HasSubstr("confirmed at 2.5"));
    EXPECT_EQ(lineage("").output, summary.output);
}

TEST_F(LineageCommand, JsonFormsParse) {
    for (const char* question : {"summary", "best", "path", "show 4.0", "check"}) {
        const Result result = lineage(std::string(question) + " --json");
        EXPECT_EQ(result.status, 0) << result.output;
        EXPECT_TRUE(nlohmann::json::accept(result.output)) << result.output;
    }
}

TEST_F(LineageCommand, ACampaignWithoutABestSaysSoInItsStatus) {
    m_run = m_folder.path() / "begun";
    const auto run = RunFolder::create(m_run);
    ASSERT_TRUE(run) << run.error().message();
    auto journal = JournalWriter::open(run->journal());
    ASSERT_TRUE(journal);
    ASSERT_TRUE((*journal)->append(m_campaign.events.front()));
    ASSERT_TRUE((*journal)->sync());
    for (const char* question : {"best", "path"}) {
        EXPECT_EQ(lineage(question).status, 1) << question;
        EXPECT_EQ(lineage(std::string(question) + " --json").status, 1) << question;
    }
    EXPECT_EQ(lineage("summary").status, 0);
}

TEST_F(LineageCommand, ShowPrintsASourceThatCanBeCompiled) {
    const Result result = lineage("show 4.0 --source");
    EXPECT_EQ(result.status, 0);
    EXPECT_EQ(result.output, "#define BLOCK 32\ntiled source\nline 2 changed\n");
    const Result verdict = lineage("show 4.0 --verdict");
    EXPECT_TRUE(parse_verdict(verdict.output)) << verdict.output;
}

TEST_F(LineageCommand, ALineageFileAloneAnswersTheSame) {
    ASSERT_EQ(lineage("rebuild").status, 0);
    const auto copy = m_folder.path() / "copy.h5";
    std::filesystem::copy_file(m_run / "lineage.h5", copy);
    std::filesystem::permissions(copy, std::filesystem::perms::owner_read);
    for (const char* question : {"summary", "path", "show 4.0", "show 4.0 --source"}) {
        const Result from_run = lineage(question);
        const Result from_copy = atoll("lineage " + copy.string() + " " + question);
        EXPECT_EQ(from_copy.status, 0) << from_copy.output;
        EXPECT_EQ(from_copy.output, from_run.output);
    }
    EXPECT_EQ(atoll("lineage " + copy.string() + " check").status, 0);
}

TEST_F(LineageCommand, CheckFindsDamageAndSaysSoInItsStatus) {
    const Result sound = lineage("check");
    EXPECT_EQ(sound.status, 0) << sound.output;
    EXPECT_THAT(sound.output, HasSubstr("sound: "));
    {
        auto journal = JournalWriter::open(m_run / "journal");
        ASSERT_TRUE(journal);
        ASSERT_TRUE((*journal)->append(TicketCommitted{99, 0, 0, 0, 0}));
        ASSERT_TRUE((*journal)->sync());
    }
    const Result damaged = lineage("check");
    EXPECT_EQ(damaged.status, 1) << damaged.output;
    EXPECT_THAT(damaged.output, HasSubstr("wrong: "));
    EXPECT_THAT(damaged.output, HasSubstr("ticket 99"));
    EXPECT_EQ(lineage("summary").status, 0);
}

// `resume` refuses the folder, however whole the data set in it is.
TEST_F(LineageCommand, CheckFindsThatTheJournalIsGone) {
    ASSERT_EQ(lineage("rebuild").status, 0);
    std::filesystem::remove(m_run / "journal");
    const Result check = lineage("check");
    EXPECT_EQ(check.status, 1) << check.output;
    EXPECT_THAT(check.output, HasSubstr("wrong: " + m_run.string() + ": holds a lineage.h5 with"));
    EXPECT_THAT(check.output, HasSubstr("no journal with events"));
    EXPECT_THAT(check.output, Not(HasSubstr("sound: ")));
    EXPECT_EQ(nlohmann::json::parse(lineage("check --json").output)["sound"], false);
    EXPECT_EQ(lineage("summary").status, 0) << "what is left still answers";
    const auto copy = m_folder.path() / "copy";
    std::filesystem::create_directory(copy);
    std::filesystem::copy_file(m_run / "lineage.h5", copy / "lineage.h5");
    EXPECT_EQ(atoll("lineage " + copy.string() + " check").status, 0);
    std::filesystem::remove(m_run / "lineage.h5");
    std::ofstream(m_run / "snapshots" / "0000000004.snap") << "a state";
    const Result snapshots = lineage("check");
    EXPECT_EQ(snapshots.status, 1) << snapshots.output;
    EXPECT_THAT(snapshots.output, HasSubstr("holds snapshots of a run, but no journal"));
}

TEST_F(LineageCommand, ReadsARunWhoseLineageFileIsBroken) {
    std::ofstream(m_run / "lineage.h5") << "cut short";
    EXPECT_EQ(lineage("summary").status, 0);
    EXPECT_EQ(lineage("check").status, 1);
    EXPECT_EQ(lineage("rebuild").status, 0);
    EXPECT_EQ(lineage("check").status, 0);
}

TEST_F(LineageCommand, RebuildLeavesARunningCampaignAlone) {
    const auto held = RunFolder::open(m_run);
    ASSERT_TRUE(held);
    const Result refused = lineage("rebuild");
    EXPECT_EQ(refused.status, 2);
    EXPECT_THAT(refused.output, HasSubstr("--output"));
    const auto other = m_folder.path() / "other.h5";
    EXPECT_EQ(lineage("rebuild --output " + other.string()).status, 0);
    EXPECT_TRUE(read_lineage(other));
}

TEST_F(LineageCommand, APathThatCannotBeFollowedIsBadInputToEveryQuestion) {
    const auto loop = m_folder.path() / "loop";
    std::filesystem::create_symlink("loop", loop);
    for (const std::string& path : {std::string(300, 'x'), loop.string()}) {
        for (const char* question : {"summary", "check", "rebuild", "rebuild --output other.h5"}) {
            const Result result = atoll("lineage " + path + " " + question);
            EXPECT_EQ(result.status, 2) << path << " " << question << ": " << result.output;
            EXPECT_THAT(result.output, Not(HasSubstr("internal error")));
        }
    }
    for (const std::string& output : {std::string(300, 'x'), (m_run / "journal/x.h5").string()}) {
        EXPECT_EQ(lineage("rebuild --output " + output).status, 2) << output;
    }
}

TEST_F(LineageCommand, BadArgumentsGetOneClearError) {
    const Result no_run = atoll("lineage " + (m_folder.path() / "none").string());
    EXPECT_EQ(no_run.status, 2);
    EXPECT_THAT(no_run.output, HasSubstr("no such file or folder"));
    const Result no_id = lineage("show 4");
    EXPECT_EQ(no_id.status, 2);
    EXPECT_THAT(no_id.output, HasSubstr("17.2"));
    EXPECT_EQ(lineage("show 400.0").status, 2);
    EXPECT_EQ(atoll("lineage " + m_folder.path().string()).status, 2);
    const Result help = atoll("lineage --help");
    EXPECT_EQ(help.status, 0);
    EXPECT_THAT(help.output, HasSubstr("Examples:"));
}

// What an analyst does, with nothing but h5py.
TEST_F(LineageCommand, PythonReadsTheFile) {
    const auto h5 = m_folder.path() / "lineage.h5";
    ASSERT_EQ(lineage("rebuild --output " + h5.string()).status, 0);
    const auto script = m_folder.path() / "read.py";
    std::ofstream(script) << R"(
import sys
try:
    import h5py
except ImportError:
    sys.exit(77)
f = h5py.File(sys.argv[1], 'r')
assert f.attrs['format'] == b'atoll-lineage', f.attrs['format']
assert f.attrs['format_version'] == 1
rows, index, data = f['individuals'][:], f['texts/index'][:], f['texts/bytes']
names = f['names']['name'].astype(str)
def text(number):
    entry = index[number]
    return data[entry['offset']:entry['offset'] + entry['length']].tobytes().decode()
best = rows[rows['committed'] & ~rows['duplicate']]
best = best[best['fitness'].argmax()]
assert (best['ticket'], best['step']) == (4, 0), best
assert names[best['operator']] == 'crossover'
assert text(best['source']) == 'tiled source\nline 2 changed\n'
assert text(best['tune']) == '{"BLOCK":"32"}'
outcomes = h5py.check_enum_dtype(f['individuals'].dtype['outcome'])
assert (rows['outcome'] == outcomes['compile_error']).sum() == 1
edges = f['edges'][:]
roles = h5py.check_enum_dtype(edges.dtype['role'])
parents = edges[edges['child'] == best['id']]
assert {int(p) >> 16 for p in parents['parent']} == {3, 2}
assert roles['partner'] in parents['role']
timing = f['timings/rows'][:]
mine = timing[(timing['individual'] == best['id']) & ~timing['hidden'] & ~timing['confirmation']][0]
samples = f['timings/samples'][mine['samples_offset']:mine['samples_offset'] + mine['samples_count']]
assert samples[1] == mine['median_ns'], samples
assert names[mine['workload']] == 'square'
events = f['events/index'][:]
assert list(events['index']) == list(range(len(events)))
tickets = f['tickets'][:]
states = h5py.check_enum_dtype(tickets.dtype['state'])
assert (tickets['state'] == states['in_flight']).sum() == 1
assert text(tickets[tickets['state'] == states['failed']][0]['reason']) == 'no worker answered'
campaign = f['campaign'][0]
assert text(campaign['task']) == 'matmul' and campaign['seed'] == 42
print('read')
)";
    const Result result = shell("/usr/bin/python3 " + script.string() + " " + h5.string());
    if (result.status == 77 || result.status == 127) {
        GTEST_SKIP() << "python3 with h5py is not installed";
    }
    EXPECT_EQ(result.status, 0) << result.output;
    EXPECT_EQ(result.output, "read\n");
}

TEST_F(LineageCommand, RebuildWritesOverNothingButADataSet) {
    const auto size = std::filesystem::file_size(m_run / "journal");
    const Result refused = lineage("rebuild --output " + (m_run / "journal").string());
    EXPECT_EQ(refused.status, 2);
    EXPECT_THAT(refused.output, HasSubstr("no HDF5 file"));
    EXPECT_EQ(std::filesystem::file_size(m_run / "journal"), size);
    const auto own = m_run / "lineage.h5";
    EXPECT_EQ(lineage("rebuild").status, 0);
    const auto held = RunFolder::open(m_run);
    ASSERT_TRUE(held);
    EXPECT_EQ(lineage("rebuild --output " + own.string()).status, 2);
}

}  // namespace
}  // namespace atl
