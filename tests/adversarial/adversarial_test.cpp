#include "reward/base/process.hpp"
#include "reward/compiler_discovery.hpp"
#include "tests/adversarial/candidate_batch.hpp"
#include "tests/adversarial/generated_bombs.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

namespace atl {
namespace {

using namespace std::chrono_literals;
using testing::BatchLimits;
using testing::BatchTest;
using testing::ListedCandidate;

constexpr auto k_patience = 120s;

std::string test_name(const ::testing::TestParamInfo<ListedCandidate>& info) {
    return info.param.name;
}

std::vector<ListedCandidate> attacks(const std::set<std::string>& limits) {
    std::vector<ListedCandidate> chosen;
    for (ListedCandidate& file : testing::load_candidates("attacks")) {
        if (limits.contains(file.limits)) {
            chosen.push_back(std::move(file));
        }
    }
    return chosen;
}

class Attack : public BatchTest<Attack> {
  public:
    static constexpr BatchLimits k_limits{};
    static const std::vector<ListedCandidate>& candidates() {
        static const std::vector<ListedCandidate> all = attacks({"", "memory"});
        return all;
    }
};
TEST_P(Attack, GetsItsVerdict) {
    check(GetParam());
}
INSTANTIATE_TEST_SUITE_P(Adversarial, Attack, ::testing::ValuesIn(Attack::candidates()), test_name);

// What ends by a limit gets the same verdict however slow the machine is.
class EndlessLaunch : public BatchTest<EndlessLaunch> {
  public:
    static constexpr BatchLimits k_limits{.launch_timeout_s = 1};
    static const std::vector<ListedCandidate>& candidates() {
        static const std::vector<ListedCandidate> all = attacks({"launch"});
        return all;
    }
};
TEST_P(EndlessLaunch, GetsItsVerdict) {
    check(GetParam());
}
INSTANTIATE_TEST_SUITE_P(Adversarial, EndlessLaunch,
                         ::testing::ValuesIn(EndlessLaunch::candidates()), test_name);

class EndlessCompilation : public BatchTest<EndlessCompilation> {
  public:
    static constexpr BatchLimits k_limits{.compile_timeout_s = 3};
    static const std::vector<ListedCandidate>& candidates() {
        static const std::vector<ListedCandidate> all = [] {
            std::vector<ListedCandidate> files = attacks({"compile"});
            std::ranges::move(testing::generated_bombs(), std::back_inserter(files));
            return files;
        }();
        return all;
    }
};
TEST_P(EndlessCompilation, GetsItsVerdict) {
    check(GetParam());
}
INSTANTIATE_TEST_SUITE_P(Adversarial, EndlessCompilation,
                         ::testing::ValuesIn(EndlessCompilation::candidates()), test_name);

class Honest : public BatchTest<Honest> {
  public:
    static constexpr BatchLimits k_limits{};
    static const std::vector<ListedCandidate>& candidates() {
        static const std::vector<ListedCandidate> all = testing::load_candidates("honest");
        return all;
    }
};
TEST_P(Honest, Passes) {
    check(GetParam());
}
INSTANTIATE_TEST_SUITE_P(Adversarial, Honest, ::testing::ValuesIn(Honest::candidates()), test_name);

TEST(AdversarialSuite, HasAtLeastAsManyHonestKernelsAsAttacks) {
    EXPECT_GE(Honest::candidates().size(),
              testing::load_candidates("attacks").size() + testing::generated_bombs().size());
    for (const ListedCandidate& file : Honest::candidates()) {
        EXPECT_THAT(file.expected, ::testing::ElementsAre(Outcome::passed)) << file.name;
    }
}

TEST(AdversarialSuite, EveryAttackHasTheGuard) {
    for (const auto& entry :
         std::filesystem::directory_iterator(testing::k_adversarial_folder / "attacks")) {
        // What stood before the guard, or ran before it, would be done anywhere.
        const std::string text = testing::text_of_file(entry.path());
        const std::size_t guard = text.find("\n#include \"tests/adversarial/only_in_jail.hpp\"\n");
        ASSERT_NE(guard, std::string::npos) << entry.path();
        std::istringstream before(text.substr(0, guard));
        for (std::string line; std::getline(before, line);) {
            EXPECT_TRUE(line.empty() || line.starts_with("//") || line.starts_with("#include "))
                << entry.path() << ": " << line;
        }
        EXPECT_THAT(text, ::testing::Not(::testing::ContainsRegex("constructor *[(]|ifunc")))
            << entry.path();
    }
}

/// Builds a program around an attack outside of every jail; its exit status.
std::string run_natively(const std::string& attack) {
    const testing::TemporaryFolder folder;
    const std::string source = folder.path() / "attack.cpp";
    std::ofstream(source) << testing::load_candidate(testing::k_adversarial_folder / "attacks" /
                                                     (attack + ".cpp"))
                                 .source
                          << "int main() { launch(nullptr, nullptr, 0, nullptr, 0, 0); }\n";
    SpawnOptions compile;
    compile.argv = {value_or_throw(find_compiler("")).path,
                    "-std=c++20",
                    "-w",
                    "-o",
                    folder.path() / "attack",
                    source};
    compile.environment = {"PATH=/usr/bin:/bin"};
    EXPECT_EQ(value_or_throw(ChildProcess::spawn(compile)).wait(k_patience)->text(),
              "exit status 0");
    SpawnOptions run;
    run.argv = {folder.path() / "attack"};
    return value_or_throw(ChildProcess::spawn(run)).wait(k_patience)->text();
}

// Attacks whose launch would do no harm here if the guard failed.
TEST(AdversarialSuite, AttacksRefuseToRunOutsideOfAJail) {
    for (const char* attack : {"zeros", "exit_zero", "exit_in_constructor"}) {
        EXPECT_EQ(run_natively(attack), "exit status 77") << attack;
    }
}

/// Everything that workers put into temporary folders goes where it can be counted. Everybody may
/// write there, as to /tmp: without namespaces, a root's compilers work as the user nobody.
class LeavesNothing : public ::testing::Environment {
  public:
    void SetUp() override {
        std::filesystem::permissions(m_folder.path(), std::filesystem::perms::all);
        ::setenv("TMPDIR", m_folder.path().c_str(), 1);
    }
    void TearDown() override {
        std::vector<std::string> left;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(m_folder.path())) {
            left.push_back(entry.path());
        }
        EXPECT_THAT(left, ::testing::IsEmpty());
        EXPECT_TRUE(testing::descendants(::getpid()).empty()) << "processes are left";
        for (const std::string folder : {"/tmp", "/dev/shm", "/var/tmp", "."}) {
            EXPECT_FALSE(std::filesystem::exists(folder + "/atoll-adversarial-escape")) << folder;
        }
    }

  private:
    testing::TemporaryFolder m_folder;
};

const ::testing::Environment* const k_leaves_nothing =
    ::testing::AddGlobalTestEnvironment(new LeavesNothing);

/// Repeats what failed at the end: in the middle of two hundred verdicts, logs cut it out.
class FailuresLast : public ::testing::EmptyTestEventListener {
  public:
    void OnTestStart(const ::testing::TestInfo& test) override { m_test = test.name(); }
    void OnTestEnd(const ::testing::TestInfo& /*test*/) override { m_test = "around the tests"; }
    void OnTestPartResult(const ::testing::TestPartResult& result) override {
        if (result.failed()) {
            m_failures += m_test + ": " + result.message() + "\n";
        }
    }
    void OnTestProgramEnd(const ::testing::UnitTest& /*all*/) override {
        std::cout << m_failures << std::flush;
    }

  private:
    std::string m_test = "around the tests";
    std::string m_failures;
};

const bool k_listens = [] {
    ::testing::UnitTest::GetInstance()->listeners().Append(new FailuresLast);
    return true;
}();

}  // namespace
}  // namespace atl
