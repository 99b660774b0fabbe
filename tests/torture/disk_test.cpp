#include "tests/support/skip_or_fail.hpp"
#include "tests/torture/campaign.hpp"

#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#include <fstream>
#include <thread>

namespace atl::torture {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// A small file system of its own, seen by this process and what it starts.
class SmallDisk {
  public:
    /// `options`: of tmpfs, "size=4m".
    SmallDisk(const fs::path& folder, const char* options) : m_folder(folder) {
        fs::create_directories(folder);
        m_there = ::unshare(CLONE_NEWNS) == 0 &&
                  ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                  ::mount("tmpfs", folder.c_str(), "tmpfs", 0, options) == 0;
    }
    ~SmallDisk() {
        if (m_there) {
            ::umount2(m_folder.c_str(), MNT_DETACH);
        }
    }
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;
    [[nodiscard]] bool there() const { return m_there; }

    /// Takes all space but about `left` bytes.
    void fill(std::uint64_t left) const {
        struct statvfs about {};
        ::statvfs(m_folder.c_str(), &about);
        const std::uint64_t free = about.f_bavail * about.f_bsize;
        std::ofstream ballast(m_folder / "ballast", std::ios::binary | std::ios::app);
        const std::string block(4096, 'x');
        for (std::uint64_t taken = 0; taken + left < free && ballast; taken += block.size()) {
            ballast << block << std::flush;
        }
    }
    void empty() const { fs::remove(m_folder / "ballast"); }

  private:
    fs::path m_folder;
    bool m_there = false;
};

class DiskFull : public Torture {
  protected:
    /// What is left may just do for the journal: then only lineage.h5 is given up.
    static void expect_starved(Session& session) {
        const int status = session.wait();
        const std::string errors = session.said().errors;
        EXPECT_TRUE(status == 3 || status == 0) << status << errors;
        EXPECT_THAT(errors, HasSubstr(status == 3 ? "No space left on device"
                                                  : "lineage.h5 is not complete"));
    }
};

// The campaign ends with an error that says why; with space again it goes on as if nothing had
// happened.
TEST_F(DiskFull, TheRunFolderGoesOnOnceThereIsSpace) {
    const int rounds = per_leg(3, 40);
    for (int round = 0; round < rounds && !HasFailure(); ++round) {
        Bench bench;
        const SmallDisk disk(bench.path() / "disk", "size=16m");
        if (!disk.there()) {
            ATOLL_SKIP_OR_FAIL("needs the right to mount a tmpfs");
        }
        bench.move_run(bench.path() / "disk" / "run");
        const auto config = bench.scripted("ticket", 200, 1);
        Promises promises;
        Session starved(bench, run_or_resume(bench, config));
        std::this_thread::sleep_for(random_up_to(random, 1000));
        disk.fill(random() % 3 == 0 ? 0 : random() % 65536);
        expect_starved(starved);
        expect_kept(bench, starved, promises, tally);
        if (!read_record(bench.run()).events.empty()) {
            expect_sound(bench);
        }
        Session again(bench, run_or_resume(bench, config));
        expect_starved(again);
        expect_kept(bench, again, promises, tally);
        disk.empty();
        finish(bench, config, promises, tally);
        expect_undisturbed(bench, 200, 1);
    }
}

// Nothing can be judged without a temporary folder: faults of ours, which end the campaign after
// a few. They are no verdicts.
TEST_F(DiskFull, ATemporaryFolderWithoutSpaceIsNoVerdict) {
    const int rounds = per_leg(1, 5);
    for (int round = 0; round < rounds && !HasFailure(); ++round) {
        const Bench bench;
        const SmallDisk disk(bench.temporary(), "size=1m");
        if (!disk.there()) {
            ATOLL_SKIP_OR_FAIL("needs the right to mount a tmpfs");
        }
        const auto config = bench.scripted("arrival", 400, round);
        Promises promises;
        Session starved(bench, run_or_resume(bench, config));
        std::this_thread::sleep_for(std::chrono::milliseconds(300) + random_up_to(random, 700));
        do {
            disk.fill(0);  // judges that end give space back
        } while (!starved.wait_for(std::chrono::milliseconds(2)));
        EXPECT_EQ(starved.wait(), 3) << starved.said().errors;
        disk.empty();
        expect_kept(bench, starved, promises, tally);
        expect_sound(bench);
        finish(bench, config, promises, tally);
        for (const Individual& one : individuals_in(bench.run())) {
            EXPECT_EQ(one.outcome, Outcome::passed) << one.id.text();
        }
    }
}

}  // namespace
}  // namespace atl::torture
