#include "reward/kinds/kind.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace atl {
namespace {

using ::testing::HasSubstr;

class LintTest : public ::testing::Test {
  protected:
    LintTest() {
        m_task.allowed_flags = {"-ffast-math", "-funroll-loops"};
        m_candidate.source = "void launch() {}";
    }
    std::string problem() const { return lint_common(m_task, m_candidate).value_or("accepted"); }

    Task m_task;
    Candidate m_candidate;
};

TEST_F(LintTest, AcceptsAnHonestCandidate) {
    m_candidate.tune = {{"TILE_M", "64"}, {"_type", "unsigned"}, {"A1", "-1.5e+3"}, {"P", "a*"}};
    m_candidate.flags = {"-funroll-loops"};
    EXPECT_EQ(problem(), "accepted");
}

TEST_F(LintTest, RefusesSourcesThatCannotBeOne) {
    m_candidate.source = "";
    EXPECT_THAT(problem(), HasSubstr("empty"));
    m_candidate.source = std::string("void launch() {}\0 int x;", 24);
    EXPECT_THAT(problem(), HasSubstr("NUL"));
    m_candidate.source = std::string(k_max_source_bytes + 1, ' ');
    EXPECT_THAT(problem(), HasSubstr("at most"));
    m_candidate.source.pop_back();
    EXPECT_EQ(problem(), "accepted");
}

TEST_F(LintTest, RefusesFlagsOutsideTheTasksList) {
    for (const char* flag : {"-fplugin=/tmp/x.so", "-O0", "-ffast-math -O0", "", "@file"}) {
        m_candidate.flags = {flag};
        EXPECT_THAT(problem(), HasSubstr("not among the task's allowed flags")) << flag;
    }
}

TEST_F(LintTest, RefusesTuneNamesThatAreNoIdentifiers) {
    for (const std::string name : {"", "1A", "A B", "A=1", "-o", "A\n", "\xc3\xa9"}) {
        m_candidate.tune = {{name, "1"}};
        EXPECT_THAT(problem(), HasSubstr("not an identifier")) << name;
    }
    m_candidate.tune = {{std::string(65, 'A'), "1"}};
    EXPECT_THAT(problem(), HasSubstr("not an identifier"));
}

TEST_F(LintTest, RefusesTuneValuesThatCouldBeMoreThanAValue) {
    for (const std::string value : {"", "1 2", "1\n", "\"x\"", "(1)", "a,b", "$(id)", "a/b"}) {
        m_candidate.tune = {{"A", value}};
        EXPECT_THAT(problem(), HasSubstr("tune value")) << value;
    }
    m_candidate.tune = {{"A", std::string(65, '1')}};
    EXPECT_THAT(problem(), HasSubstr("tune value"));
    m_candidate.tune = {{"A", std::string(64, '1')}};
    EXPECT_EQ(problem(), "accepted");
}

TEST_F(LintTest, RefusesTooManyTuneValues) {
    for (int i = 0; i < 65; ++i) {
        m_candidate.tune["T" + std::to_string(i)] = "1";
    }
    EXPECT_THAT(problem(), HasSubstr("more than 64"));
}

}  // namespace
}  // namespace atl
