#include "mutators/memory/failure_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atl {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Verdict failed(Outcome outcome, const std::string& reason, const std::string& log = "") {
    Verdict verdict;
    verdict.outcome = outcome;
    verdict.reason = reason;
    if (!log.empty()) {
        verdict.compile = CompileReport{};
        verdict.compile->log = log;
    }
    return verdict;
}

std::string message(const Verdict& verdict) {
    return failure_cause(verdict).value().message;
}

// The same mistake in other places, with other names and numbers.
TEST(FailureCauses, AreEqualForTheSameMistake) {
    struct Same {
        const char* a;
        const char* b;
        const char* message;
    };
    for (const Same& one : {
             Same{
                 "candidate.cu(12): error: identifier \"tile\" is undefined\n    tile = 3;\n",
                 "candidate.cu(7): warning: unused\ncandidate.cu(140): error: identifier \"sum_2\" "
                 "is undefined\n",
                 "identifier '_' is undefined"},
             Same{"candidate.cpp:12:5: error: 'foo' was not declared in this scope",
                  "candidate.cpp:9:31: error: \u2018b\u2019 was not declared in this scope",
                  "'_' was not declared in this scope"},
             Same{"ptxas error   : Entry function 'launch_a' uses too much shared data (0x10400 "
                  "bytes, 0xc000 max)",
                  "ptxas error   : Entry function 'k' uses too much shared data (0x20000 bytes, "
                  "0xc000 max)",
                  "Entry function '_' uses too much shared data (# bytes, # max)"},
             Same{
                 "c.cu(3): error #20: no instance of overloaded function \"f\" matches, argument "
                 "types are: (float4, int)",
                 "c.cu(88): error #20: no instance of overloaded function \"gg\" matches, argument "
                 "types are: (uint2, int)",
                 "no instance of overloaded function '_' matches, argument types are: (_, int)"},
         }) {
        EXPECT_EQ(message(failed(Outcome::compile_error, "does not compile", one.a)), one.message);
        EXPECT_EQ(message(failed(Outcome::compile_error, "does not compile", one.b)), one.message);
    }
}

TEST(FailureCauses, OfWrongResultsLeaveOutPlacesAndValues) {
    const std::string first = message(failed(
        Outcome::wrong_result, "y[12] is -3.5e-05 instead of 4 on workload rows_4 with 'ramp'"));
    EXPECT_EQ(first, "y[#] is # instead of # on workload _ with '_'");
    EXPECT_EQ(message(failed(Outcome::wrong_result,
                             "y[0] is +7 instead of 1e10 on workload m_37 with 'ones'")),
              first);
    EXPECT_EQ(message(failed(Outcome::launch_error, "a block of 32 x 64 x 1 threads is too large")),
              message(failed(Outcome::launch_error, "a block of 2048 threads is too large")));
    EXPECT_EQ(message(failed(Outcome::timeout, "a launch did not return within 0.3 s.")),
              "a launch did not return within # s.");
}

TEST(FailureCauses, KeepWhatTellsMistakesApart) {
    const auto of = [](const char* log) {
        return message(failed(Outcome::compile_error, "", log));
    };
    EXPECT_NE(of("c.cu(1): error: expected a \";\""), of("c.cu(1): error: expected an expression"));
    EXPECT_EQ(of("c.cu(1): error: __syncthreads doesn't take arguments"),
              "__syncthreads doesn't take arguments");
    EXPECT_EQ(message(failed(Outcome::compile_error, "does not compile: c.cpp:1:2: error: oh")),
              "oh");
    EXPECT_EQ(failure_cause(failed(Outcome::passed, "right")), std::nullopt);
    EXPECT_EQ(failure_cause(failed(Outcome::slower_than_cutoff, "slow")), std::nullopt);
}

TEST(FailureCauses, OfHostileTextAreShortLinesOfText) {
    for (const std::string& hostile :
         {std::string(1 << 20, 'a'), std::string("'\"`"), std::string("a\n\x01\x7f\tb"),
          std::string(4000, '\''), std::string("\xff\xfe error: \xc3"), std::string("-+.e1.e+"),
          std::string(100, '\xe2') + "\u2018", std::string("1.e-"), std::string()}) {
        for (const Outcome outcome : {Outcome::compile_error, Outcome::crash}) {
            const FailureCause cause = failure_cause(failed(outcome, hostile, hostile)).value();
            EXPECT_LE(cause.message.size(), k_longest_cause);
            EXPECT_LE(cause.example.size(), k_longest_cause);
            EXPECT_THAT(cause.message + cause.example, Not(HasSubstr("\n")));
        }
    }
    EXPECT_EQ(normalised_message("  a \t\n b  "), "a b");
}

// What fails on a hidden workload alone is told by its outcome; nothing of the workload is.
TEST(FailureCauses, SayNothingOfHiddenWorkloads) {
    Verdict verdict = failed(Outcome::wrong_result, "wrong on a hidden workload");
    VerifyCase hidden;
    hidden.workload = "secret_shape";
    hidden.hidden = true;
    hidden.output = "y";
    hidden.got = 1234.5;
    hidden.first_bad_index = 77;
    verdict.verify = {hidden};
    const FailureCause cause = failure_cause(verdict).value();
    EXPECT_EQ(cause.message, "wrong on a hidden workload");
    EXPECT_EQ(cause.example, cause.message);
}

FailureCause cause(const std::string& message, const std::string& example = "") {
    return {Outcome::compile_error, message, example};
}

TEST(FailureTable, ShowsWhatWasMetOftenEnoughWithItsCount) {
    FailureTable table;
    for (int i = 0; i < 2; ++i) {
        table.add(cause("'_' is undefined", "'tile' is undefined"));
        EXPECT_THAT(table.rules(3, 8), IsEmpty());
    }
    table.add(cause("'_' is undefined", "'sum' is undefined"));
    const std::vector<FailureRule> rules = table.rules(3, 8);
    ASSERT_EQ(rules.size(), 1u);
    EXPECT_EQ(rules[0].text, "does not compile: '_' is undefined (such as: 'sum' is undefined)");
    EXPECT_EQ(rules[0].count, 3u);
    table.add({Outcome::wrong_result, "'_' is undefined", ""});
    EXPECT_EQ(table.rules(1, 8).size(), 2u) << "another outcome is another cause";
}

TEST(FailureTable, ShowsTheMostFrequentFirstAndNoMoreThanAskedFor) {
    FailureTable table;
    for (int i = 0; i < 9; ++i) {
        table.add(cause(std::string(1, static_cast<char>('a' + i % 4))));
    }
    const std::vector<FailureRule> rules = table.rules(2, 3);  // a: 3, b, c, d: 2
    ASSERT_EQ(rules.size(), 3u);
    EXPECT_EQ(rules[0].text, "does not compile: a");
    EXPECT_EQ(rules[1].text, "does not compile: d") << "of equals the one that was met last";
    EXPECT_EQ(rules[2].text, "does not compile: c");
}

TEST(FailureTable, StaysSmallAndKeepsWhatIsMetOften) {
    FailureTable table(4);
    for (int i = 0; i < 1000; ++i) {
        table.add(cause("often"));
        table.add(cause("new " + std::string(1, static_cast<char>('a' + i % 26))));
        table.add(cause("twice"));
        ASSERT_LE(table.size(), 4u);
    }
    EXPECT_EQ(table.rules(1, 1)[0].count, 1000u);
    EXPECT_EQ(table.rules(100, 8).size(), 2u);
}

}  // namespace
}  // namespace atl
