// An analyst's h5py sees what a campaign records while the campaign runs. Nothing here depends on
// speed: the campaign cannot end before the reader has seen the event, because its judge waits for
// the reader's word.

#include "tests/support/shell.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace atl {
namespace {

namespace fs = std::filesystem;

/// Answers the starter's three measurements; every later candidate waits for the file "seen".
constexpr const char* k_judge = R"(
n=1
while ! mkdir "$ATOLL_TASK/asked$n" 2>/dev/null; do n=$((n + 1)); done
while [ "$n" -gt 3 ] && [ ! -e "$ATOLL_TASK/seen" ]; do sleep 0.05; done
echo '{"correct": true, "score": '$n'}'
)";

/// Ends well once the ticket of a waiting candidate is seen, and not when the end of the campaign
/// is seen first.
constexpr const char* k_reader = R"(
import pathlib, sys, time
try:
    import h5py
except ImportError:
    sys.exit(77)
path, seen, log = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
file = None
while file is None:
    try:
        file = h5py.File(path, 'r', libver='latest', swmr=True)
    except OSError:
        if log.exists():
            sys.exit('the campaign ended before its file could be read')
        time.sleep(0.05)
index, campaign, tickets = file['events/index'], file['campaign'], file['tickets']
types = h5py.check_enum_dtype(index.dtype['type'])
while True:
    for series in (index, campaign, tickets):
        series.refresh()
    kinds = list(index[:]['type'])
    if types['CampaignStopped'] in kinds:
        sys.exit('the campaign ended unseen')
    after = kinds[kinds.index(types['TicketCommitted']):] if types['TicketCommitted'] in kinds else []
    if types['TicketIssued'] in after:
        break
    time.sleep(0.05)
assert len(campaign) == 1 and len(tickets) > 1
seen.touch()
print('seen')
)";

void write(const fs::path& path, const std::string& text) {
    std::ofstream(path) << text;
}

TEST(LiveReader, H5pySeesAnEventWhileTheCampaignRuns) {
    const testing::TemporaryFolder folder;
    const fs::path task = folder.path() / "task";
    fs::create_directories(task / "starters");
    write(task / "judge.sh", k_judge);
    write(task / "definition.json",
          R"({"name": "waiting", "atoll": {"kind": "external", "external": {"command":
              ["sh", "judge.sh"], "timeout_s": 100, "candidate_file": "candidate.txt"}}})");
    write(task / "starters" / "first.txt",
          "#ifndef N\n#define N 1  // tune: 1, 2, 3, 4, 5, 6, 7, 8\n#endif\n");
    write(folder.path() / "campaign.toml",
          "[campaign]\ntask = '" + task.string() +
              "'\n[score]\npreset = 'external'\n[islands]\ncount = 1\n"
              "[stop]\nmax_evaluations = 3\n");
    write(folder.path() / "read.py", k_reader);
    const std::string run = (folder.path() / "run").string();
    const std::string ended = (folder.path() / "ended").string();
    const std::string campaign =
        std::string(ATOLL_BIN_DIR) + "/atoll run " + (folder.path() / "campaign.toml").string() +
        " --output " + run + " --quiet >" + folder.path().string() + "/log 2>&1; touch " + ended;
    const auto result = testing::run_shell(
        "(" + campaign + ") & /usr/bin/python3 " + (folder.path() / "read.py").string() + " " +
        run + "/lineage.h5 " + (task / "seen").string() + " " + ended + "; read=$?; touch " +
        (task / "seen").string() + "; wait; cat " + folder.path().string() +
        "/log >&2; exit $read");
    if (result.status == 77 || result.status == 127) {
        GTEST_SKIP() << "python3 with h5py is not installed";
    }
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(result.out, "seen\n");
}

}  // namespace
}  // namespace atl
