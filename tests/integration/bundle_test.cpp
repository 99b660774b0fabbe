// tools/bundle and what it makes, on this machine. On a Debian with nothing installed:
// tests/integration/bundle_on_debian.

#include "tests/support/sanitizer.hpp"
#include "tests/support/shell.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace atl {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::run_shell;
using testing::ShellResult;

ShellResult bundle(const std::string& arguments) {
    return run_shell(ATOLL_SOURCE_DIR "/tools/bundle " + arguments + " 2>&1");
}

/// The folder that tools/bundle wrote below `output`.
fs::path made_in(const fs::path& output) {
    for (const fs::directory_entry& entry : fs::directory_iterator(output)) {
        if (entry.is_directory()) {
            return entry.path();
        }
    }
    return {};
}

/// A bundle that was moved to a path with a blank, and its ways to be started without any
/// environment and from another folder.
class MovedBundle {
  public:
    explicit MovedBundle(const fs::path& made) : m_root(m_folder.path() / "moved here") {
        fs::rename(made, m_root);
        fs::create_directories(m_folder.path() / "links");
        fs::create_symlink(m_root / "atoll", m_folder.path() / "links" / "kernels");
        fs::create_directories(m_folder.path() / "elsewhere");
    }

    [[nodiscard]] std::string root() const { return m_root.string(); }
    [[nodiscard]] std::string starter() const {
        return "'" + root() + "/experiments/tasks/softmax/starters/1_plain_loops.cpp'";
    }
    [[nodiscard]] ShellResult launcher(const std::string& arguments) const {
        return start("'" + root() + "/atoll' " + arguments);
    }
    [[nodiscard]] ShellResult link(const std::string& arguments) const {
        return start("../links/kernels " + arguments);
    }
    /// As on a machine whose C library is too old.
    [[nodiscard]] ShellResult own_loader(const std::string& arguments,
                                         const std::string& environment = "") const {
        const std::string lib = root() + "/lib";
        return start(environment + " '" + lib + "'/glibc/ld-* --argv0 '" + root() +
                     "/atoll' --library-path '" + lib + ":" + lib + "/gcc:" + lib + "/glibc' '" +
                     root() + "/bin/atoll' " + arguments);
    }

  private:
    [[nodiscard]] ShellResult start(const std::string& command) const {
        return run_shell("cd " + (m_folder.path() / "elsewhere").string() + " && env -i " +
                         command + " 2>&1");
    }

    testing::TemporaryFolder m_folder;
    fs::path m_root;
};

// One test, since making a bundle takes most of the time.
TEST(Bundle, WorksWhereverItIsMoved) {
    if (testing::k_under_sanitizer) {
        GTEST_SKIP() << "a sanitizer's runtime wants to be loaded first";
    }
    const testing::TemporaryFolder output;
    const ShellResult made = bundle("--programs " ATOLL_BIN_DIR " " + output.path().string());
    ASSERT_EQ(made.status, 0) << made.out;
    EXPECT_THAT(made.out, HasSubstr(".tar.gz: "));
    const fs::path folder = made_in(output.path());
    EXPECT_TRUE(fs::is_regular_file(folder.string() + ".tar.gz"));
    EXPECT_TRUE(fs::is_regular_file(folder / "mutators/prompts/templates/system.mustache"));
    EXPECT_TRUE(fs::is_regular_file(folder / "mutators/prompts/templates/blocks/task.mustache"));
    const MovedBundle moved(folder);

    const std::string version = std::string("atoll ") + ATOLL_VERSION + "\n";
    EXPECT_EQ(moved.launcher("--version").out, version);
    EXPECT_EQ(moved.link("--version").out, version);
    EXPECT_EQ(moved.own_loader("--version").out, version);
    EXPECT_THAT(moved.link("task list").out, HasSubstr("\nsoftmax "));
    const ShellResult check = moved.link("task check softmax");
    EXPECT_EQ(check.status, 0) << check.out;
    const ShellResult doctor = moved.launcher("doctor");
    EXPECT_EQ(doctor.status, 0) << doctor.out;
    EXPECT_THAT(doctor.out, ::testing::EndsWith("ready\n"));
    for (const ShellResult& verdict : {moved.launcher("eval softmax " + moved.starter()),
                                       moved.own_loader("eval softmax " + moved.starter())}) {
        EXPECT_EQ(verdict.status, 0) << verdict.out;
        EXPECT_THAT(verdict.out, HasSubstr(": PASSED (task softmax"));
    }
    // It advises to type what works.
    const ShellResult run = moved.own_loader("run '" + moved.root() +
                                             "/experiments/campaigns/softmax.toml' --output run "
                                             "--max-evaluations 3 --seconds 60 --quiet");
    EXPECT_EQ(run.status, 0) << run.out;
    EXPECT_THAT(run.out, HasSubstr("moved here/atoll' lineage "));
    // Compilers and judges are not given its libraries.
    std::ofstream(moved.root() + "/c++") << "#!/bin/sh\nenv | tr '\\n' ' '\n";
    fs::permissions(moved.root() + "/c++", fs::perms::owner_all);
    const ShellResult fake = moved.own_loader("doctor", "CXX='" + moved.root() + "/c++'");
    EXPECT_THAT(fake.out, HasSubstr("moved here/c++: "));
    EXPECT_THAT(fake.out, Not(HasSubstr("LD_")));
}

TEST(Bundle, SaysWhatIsWrong) {
    const ShellResult help = bundle("--help");
    EXPECT_EQ(help.status, 0);
    EXPECT_THAT(help.out, HasSubstr("Examples:"));
    const ShellResult option = bundle("--fast");
    EXPECT_EQ(option.status, 2);
    EXPECT_THAT(option.out, HasSubstr("there is no option '--fast'"));
    const testing::TemporaryFolder empty;
    const ShellResult programs = bundle("--programs " + empty.path().string());
    EXPECT_EQ(programs.status, 2);
    EXPECT_THAT(programs.out, HasSubstr("there is no program " + empty.path().string()));
    const ShellResult output = bundle("--programs " ATOLL_BIN_DIR " /proc/nowhere");
    EXPECT_EQ(output.status, 3);
    EXPECT_THAT(output.out, HasSubstr("bundle: /proc/nowhere cannot be written"));
}

}  // namespace
}  // namespace atl
