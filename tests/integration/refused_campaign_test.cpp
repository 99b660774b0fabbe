#include "tests/integration/running_campaign.hpp"

#include <nlohmann/json.hpp>

namespace atl {
namespace {

using testing::atoll;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Result;
using testing::RunCommand;
using testing::shell;

namespace fs = std::filesystem;

/// The config names no score preset: one alone fits.
class JudgedByShell : public testing::JudgedCampaign {
  protected:
    [[nodiscard]] Result start(const std::string& before = "") const {
        const fs::path file = m_folder.path() / "mine.toml";
        std::ofstream(file) << "[campaign]\ntask = '" << task().string()
                            << "'\n[islands]\ncount = 1\n[stop]\nmax_evaluations = 8\n";
        return shell(before + " " + testing::program() + " run " + file.string() + " --output " +
                     run().string());
    }
};

TEST_F(JudgedByShell, ARunRefusedAtItsFirstStarterLeavesNothingAndMayBeginAnew) {
    judge("echo nonsense\n");
    const Result refused = start();
    EXPECT_EQ(refused.status, 2) << refused.output;
    EXPECT_THAT(refused.output, HasSubstr("(try: atoll task check " + task().string() + ")"));
    EXPECT_FALSE(fs::exists(run())) << refused.output;
    judge("echo '{\"correct\": true, \"score\": 0}'\n");
    EXPECT_EQ(start().status, 2);
    EXPECT_FALSE(fs::exists(run()));
    fs::remove(task() / "judge.sh");
    EXPECT_EQ(start().status, 2);
    EXPECT_FALSE(fs::exists(run()));
    judge(k_right_judge);
    const Result nowhere = start("TMPDIR=/proc");
    EXPECT_THAT(nowhere.status, ::testing::AnyOf(2, 3)) << nowhere.output;
    EXPECT_FALSE(fs::exists(run())) << nowhere.output;
    const Result mended = start();
    EXPECT_EQ(mended.status, 0) << mended.output;
    EXPECT_THAT(start().output, HasSubstr("holds a run"));
}

TEST_F(JudgedByShell, AFolderOfTheUsersOutlivesARefusal) {
    fs::create_directory(run());
    judge("echo nonsense\n");
    EXPECT_EQ(start().status, 2);
    EXPECT_TRUE(fs::exists(run()));
    EXPECT_TRUE(fs::is_empty(run()));
}

// As where the folder may not be written any more, but root is refused too.
TEST_F(JudgedByShell, AFileThatCouldNotBeWrittenIsNotCalledTheBest) {
    ASSERT_EQ(start().status, 0);
    const fs::path best = run() / "best" / "best.txt";
    fs::remove(best);
    fs::create_directories(best / "in the way");
    const std::string resume = "resume " + run().string() + " --max-evaluations ";
    const Result result = atoll(resume + "9 --quiet");
    EXPECT_EQ(result.status, 3) << result.output;
    EXPECT_THAT(result.output, HasSubstr("not in " + best.string() + ", which could not be"));
    EXPECT_THAT(result.output, Not(HasSubstr(" eval ")));
    const std::size_t id = result.output.find(" show ") + 6;
    const std::string source = atoll("lineage " + run().string() + " show " +
                                     result.output.substr(id, result.output.find('\n', id) - id))
                                   .output;
    EXPECT_THAT(source, HasSubstr("N = "));
    const Result lines = atoll(resume + "10 --json 2>/dev/null");
    EXPECT_EQ(lines.status, 3) << lines.output;
    const std::size_t last = lines.output.rfind("\n{") + 1;
    EXPECT_EQ(nlohmann::json::parse(lines.output.substr(last)).at("best").at("file"), nullptr);
}

TEST_F(JudgedByShell, AnEmptiedJournalIsToldFromACampaignThatHasNotBegun) {
    ASSERT_EQ(start().status, 0);
    std::ofstream(run() / "journal", std::ios::trunc).close();
    const std::string lost = "events, but no journal with events (restore its journal from a copy";
    const Result check = atoll("lineage " + run().string() + " check");
    EXPECT_EQ(check.status, 1);
    EXPECT_THAT(check.output, HasSubstr(lost));
    for (const std::string& line :
         std::vector<std::string>{"resume " + run().string(), "lineage " + run().string(),
                                  "lineage " + run().string() + " rebuild"}) {
        const Result result = atoll(line);
        EXPECT_EQ(result.status, 2) << line;
        EXPECT_THAT(result.output, HasSubstr(lost)) << line;
        EXPECT_THAT(result.output, Not(HasSubstr("--output"))) << line;
    }
}

/// What `atoll run` refuses at once is not valid to `atoll config check` either.
class ConfigCheck : public RunCommand {
  protected:
    void refuses(const std::string& text, const std::string& part) const {
        const fs::path file = m_folder.path() / "c.toml";
        std::ofstream(file) << text;
        for (const std::string& line : {"config check " + file.string(),
                                        "run " + file.string() + " --output " + run().string()}) {
            const Result result = atoll(line);
            EXPECT_EQ(result.status, 2) << line << "\n" << result.output;
            EXPECT_THAT(result.output, HasSubstr(part)) << line;
        }
        EXPECT_FALSE(fs::exists(run()));
    }
    [[nodiscard]] static std::string on(const std::string& task, const std::string& more = "") {
        return "[campaign]\ntask = '" + task + "'\n" + more;
    }
};

TEST_F(ConfigCheck, RefusesWhatRunRefuses) {
    const std::string tasks = ATOLL_SOURCE_DIR "/experiments/tasks/";
    const std::string good = tasks + "prefix_sum";
    refuses(on("matmull"), "did you mean 'matmul'?");
    refuses(on("./nowhere"), "a relative path starts at the current folder");
    refuses(on(good + "/definition.json"), "no task here");
    const std::string unjailed = "[evaluation]\nsandbox = 'none'\n";
    refuses(on(good, unjailed + "compiler = 'nog++'\n"), "there is no compiler 'nog++'");
    refuses(on(good, unjailed + "devices = 200\n"), "device layout: 200 device(s)");
    refuses(on(good, unjailed + "device_cores = 200\n"), "200 core");
    refuses(on(good, unjailed + "[score]\npreset = 'external'\n"), "score.preset: \"external\"");
    refuses(on(tasks + "packing", "[score]\npreset = 'light'\n"), "score.preset: \"light\"");
    refuses("[campaign]\ntask = \"soft\\u0000max\"\n", "no task named 'soft\\0max'");
}

}  // namespace
}  // namespace atl
