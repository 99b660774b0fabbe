#include "tests/integration/running_campaign.hpp"

namespace atl {
namespace {

using ::testing::HasSubstr;
using testing::Result;
using testing::shell;

namespace fs = std::filesystem;

class JudgedBesideTheTask : public testing::JudgedCampaign {
  protected:
    // As typed in the folder that holds the task.
    [[nodiscard]] Result run_there(const fs::path& run, const std::string& more = "",
                                   const std::string& before = "") const {
        std::ofstream(m_folder.path() / "mine.toml")
            << "[campaign]\ntask = './mine'\n[score]\npreset = 'external'\n"
            << "[islands]\ncount = 1\n[stop]\nmax_evaluations = 8\n"
            << more;
        return shell("cd " + m_folder.path().string() + " && " + before + testing::program() +
                     " run mine.toml --output " + run.string());
    }
    [[nodiscard]] static std::size_t snapshots_in(const fs::path& run) {
        return static_cast<std::size_t>(
            std::distance(fs::directory_iterator(run / "snapshots"), fs::directory_iterator()));
    }
};

TEST_F(JudgedBesideTheTask, TheSuggestedCommandsFindTheTaskFromAnywhere) {
    const Result result = run_there(run());
    ASSERT_EQ(result.status, 0) << result.output;
    const fs::path task = m_folder.path() / "mine";
    EXPECT_THAT(result.output, HasSubstr(" eval " + task.string() + " " + run().string()));
    const Result best =
        shell("cd / && " + testing::program() + " lineage " + run().string() + " best");
    EXPECT_THAT(best.output, HasSubstr(" eval " + task.string() + " "));
}

TEST_F(JudgedBesideTheTask, AKindThatTheTaskDoesNotHaveEndsTheCommandBeforeThereIsARun) {
    ASSERT_EQ(run_there(run()).status, 0);
    const fs::path other = m_folder.path() / "other";
    const Result refused = shell("cd " + m_folder.path().string() + " && " + testing::program() +
                                 " run mine.toml --kind cuda --output " + other.string());
    EXPECT_EQ(refused.status, 2);
    EXPECT_THAT(refused.output, HasSubstr("no candidates of kind cuda"));
    EXPECT_FALSE(fs::exists(other));
}

TEST_F(JudgedBesideTheTask, SnapshotsAreTakenAsOftenAsTheConfigSays) {
    const Result often = run_there(m_folder.path() / "often", "[engine]\nsnapshot_every = 1\n");
    ASSERT_EQ(often.status, 0) << often.output;
    EXPECT_GT(snapshots_in(m_folder.path() / "often"), 1u);
    const Result rare = run_there(run(), "[engine]\nsnapshot_every = 10000\n");
    ASSERT_EQ(rare.status, 0) << rare.output;
    EXPECT_EQ(snapshots_in(run()), 1u) << "the one at the end";
}

TEST_F(JudgedBesideTheTask, AFileThatMayNotGrowIsAnErrorThatSaysSo) {
    judge(
        "words=$(head -c 3500 /dev/urandom | od -An -v -tx1 | tr -d ' \\n')\n"
        "echo \"{\\\"correct\\\": true, \\\"score\\\": 1, \\\"feedback\\\": \\\"$words\\\"}\"\n");
    const Result result = run_there(run(), "", "ulimit -f 40; ");
    EXPECT_EQ(result.status, 3) << result.output;
    EXPECT_THAT(result.output, HasSubstr("ulimit -f"));
    EXPECT_THAT(result.output, HasSubstr("resume " + run().string()));
    EXPECT_FALSE(fs::exists(run() / "lineage.h5.new"));
    const Result resumed = testing::atoll("resume " + run().string());
    EXPECT_EQ(resumed.status, 0) << resumed.output;
    expect_sound();
    expect_checked();
}

}  // namespace
}  // namespace atl
