// tools/setup with a package manager that only writes down what it is asked.

#include "tests/support/shell.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace atl {
namespace {

using ::testing::HasSubstr;
using testing::run_shell;
using testing::ShellResult;

class Setup : public ::testing::Test {
  protected:
    /// Takes the place of a program of that name.
    void program(const std::string& name, const std::string& script) const {
        const std::filesystem::path file = m_folder.path() / name;
        std::ofstream(file) << "#!/bin/bash\n" << script << "\n";
        std::filesystem::permissions(file, std::filesystem::perms::owner_all);
    }

    [[nodiscard]] ShellResult setup(const std::string& path = "\":$PATH\"") const {
        return run_shell("PATH=" + m_folder.path().string() + path +
                         " /bin/bash " ATOLL_SOURCE_DIR "/tools/setup");
    }

    [[nodiscard]] std::string asked() const {
        std::ifstream file(m_folder.path() / "asked");
        return {std::istreambuf_iterator<char>(file), {}};
    }

    /// A package manager that writes its words down and ends with `status`.
    void apt_get(int status) const {
        const std::string words = "echo apt-get \"$@\" >>" + (m_folder.path() / "asked").string();
        program("apt-get", words + "; echo no such package; exit " + std::to_string(status));
        program("sudo", "exec \"$@\"");
    }

    testing::TemporaryFolder m_folder;
};

TEST_F(Setup, DoesNothingWhenAllIsThere) {
    program("dpkg-query", "echo installed");
    apt_get(0);
    const ShellResult result = setup();
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr("packages are installed"));
    EXPECT_EQ(asked(), "");
}

// One line for each architecture that a package is installed for.
TEST_F(Setup, APackageOfTwoArchitecturesIsThere) {
    program("dpkg-query", R"(form=${2#-f=}; form=${form/'${db:Status-Status}'/installed}
printf "$form$form")");
    apt_get(0);
    EXPECT_EQ(setup().status, 0);
    EXPECT_EQ(asked(), "");
}

TEST_F(Setup, InstallsWhatIsMissingAndNothingElse) {
    program("dpkg-query", "[[ \"${*: -1}\" == libfmt-dev ]] || echo installed");
    apt_get(0);
    const ShellResult result = setup();
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr("missing: libfmt-dev"));
    EXPECT_EQ(asked(),
              "apt-get update -q\n"
              "apt-get install -q -y --no-install-recommends libfmt-dev\n");
}

TEST_F(Setup, SaysWhyTheInstallationFailed) {
    program("dpkg-query", "true");
    apt_get(100);
    const ShellResult result = setup();
    EXPECT_EQ(result.status, 3);
    EXPECT_THAT(result.err, HasSubstr("no such package"));
    EXPECT_THAT(result.err, HasSubstr("run tools/setup again"));
}

TEST_F(Setup, ListsThePackagesOnSystemsOfOtherKinds) {
    for (const char* name : {"dirname", "grep", "sed"}) {
        program(name, std::string("exec /usr/bin/") + name + " \"$@\"");
    }
    const ShellResult result = setup("");
    EXPECT_EQ(result.status, 2) << result.out;
    EXPECT_THAT(result.err, HasSubstr("libfmt-dev"));
}

}  // namespace
}  // namespace atl
