#include "reward/base/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atl {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct Example {
    std::int64_t count = 4;
    double rate = 0.5;
    bool loud = false;
    std::string label = "a \"b\"\n";
    std::string shape = "ring";
    std::vector<std::string> flags = {"-x"};
    std::vector<std::pair<std::string, double>> mix = {{"tune", 2}, {"crossover", 0.25}};
};

void declare(Example& e, SettingVisitor& v) {
    v.integer("islands.count", e.count, {1, 64}, "How many.");
    v.real("islands.rate", e.rate, {0, 1}, "How often.");
    v.boolean("engine.loud", e.loud, "Whether.");
    v.text("engine.label", e.label, "Name.");
    v.choice("islands.shape", e.shape, {"ring", "full"}, "Which.");
    v.texts("engine.flags", e.flags, "Which ones.");
    v.weights("operators.weights", e.mix, {"tune", "crossover"}, "Mix.");
}

SettingDeclaration declaration(Example& e) {
    return [&e](SettingVisitor& v) { declare(e, v); };
}

std::string mistakes_in(const std::string& text) {
    Example e;
    const Status status = read_settings(text, "c.toml", declaration(e));
    return status ? "" : status.error().message();
}

TEST(Settings, ReadsEveryKind) {
    Example e;
    const Status status = read_settings(
        "[islands]\ncount = 7\nrate = 1\nshape = 'full'\n"
        "[engine]\nloud = true\nlabel = 'x'\nflags = ['-a', '-b']\n"
        "[operators.weights]\ncrossover = 3\n",
        "c.toml", declaration(e));
    ASSERT_TRUE(status) << status.error().message();
    EXPECT_EQ(e.count, 7);
    EXPECT_EQ(e.rate, 1.0);
    EXPECT_EQ(e.shape, "full");
    EXPECT_TRUE(e.loud);
    EXPECT_EQ(e.label, "x");
    EXPECT_THAT(e.flags, testing::ElementsAre("-a", "-b"));
    EXPECT_THAT(e.mix, testing::ElementsAre(testing::Pair("crossover", 3.0)));
}

TEST(Settings, WhatIsWrittenReadsBackTheSame) {
    Example e;
    e.rate = 0.1 + 0.2;
    e.count = 64;
    const std::string text = write_settings(declaration(e));
    Example back{1, 0, true, "", "full", {}, {}};
    const Status status = read_settings(text, "c.toml", declaration(back));
    ASSERT_TRUE(status) << status.error().message() << "\n" << text;
    EXPECT_EQ(back.rate, e.rate);
    EXPECT_EQ(back.count, e.count);
    EXPECT_EQ(back.label, e.label);
    EXPECT_EQ(back.flags, e.flags);
    EXPECT_EQ(back.mix, e.mix);
    EXPECT_EQ(write_settings(declaration(back)), text);
}

TEST(Settings, UnknownKeyNamesFileLineAndNearestKey) {
    const std::string text = mistakes_in("[islands]\n\ncuont = 3\n");
    EXPECT_THAT(text, HasSubstr("c.toml:3: islands.cuont: unknown key"));
    EXPECT_THAT(text, HasSubstr("did you mean \"islands.count\"?"));
}

TEST(Settings, KeyInTheWrongSectionIsFoundByItsName) {
    EXPECT_THAT(mistakes_in("[engine]\nshape = 'full'\n"),
                HasSubstr("did you mean \"islands.shape\"?"));
}

TEST(Settings, AKeyThatResemblesNoneIsToldTheKeysOfItsSection) {
    EXPECT_THAT(mistakes_in("[islands]\nfoo = 1\n"),
                HasSubstr("islands.foo: unknown key; known here: count, rate, shape"));
    EXPECT_THAT(mistakes_in("foo = 1\n"),
                HasSubstr("foo: unknown key; sections: engine, islands, operators"));
    // The section itself is no key; it has another below it.
    EXPECT_THAT(mistakes_in("[operators]\nfrobnicate = 1\n"),
                HasSubstr("operators.frobnicate: unknown key; known here: weights"));
}

TEST(Settings, UnknownSectionListsTheKnownOnes) {
    const std::string text = mistakes_in("[ilsands]\ncount = 3\n");
    EXPECT_THAT(text, HasSubstr("unknown section; known: engine, islands, operators"));
    EXPECT_THAT(text, HasSubstr("did you mean \"islands\"?"));
}

TEST(Settings, AllMistakesAreCollectedInLineOrder) {
    const std::string text = mistakes_in(
        "[engine]\nloud = 'yes'\n[islands]\ncount = 65\nrate = nan\nshape = 'rign'\nwhat = 1\n");
    EXPECT_THAT(text, HasSubstr("5 mistakes"));
    EXPECT_THAT(text,
                HasSubstr("c.toml:2: engine.loud: must be true or false, not a text\n"
                          "  c.toml:4: islands.count: 65 is out of range: at least 1 and at most "
                          "64\n  c.toml:5: islands.rate: "));
    EXPECT_THAT(text, HasSubstr("\"rign\" is not one of: ring, full; did you mean \"ring\"?"));
}

TEST(Settings, WrongTypesAreMistakes) {
    EXPECT_THAT(mistakes_in("[islands]\ncount = 3.0\n"), HasSubstr("must be an integer"));
    EXPECT_THAT(mistakes_in("[islands]\nrate = 'x'\n"), HasSubstr("must be a number"));
    EXPECT_THAT(mistakes_in("[engine]\nlabel = 3\n"), HasSubstr("must be a text"));
    EXPECT_THAT(mistakes_in("[engine]\nflags = ['a', 3]\n"), HasSubstr("list of texts only"));
    EXPECT_THAT(mistakes_in("islands = 3\n"), HasSubstr("is a section; write [islands]"));
    EXPECT_THAT(mistakes_in("[operators.weights]\ntnue = 1\n"), HasSubstr("\"tune\"?"));
    EXPECT_THAT(mistakes_in("[operators.weights]\ntune = -1\n"), HasSubstr("at least 0"));
}

TEST(Settings, WhatIsNotKnownIsNotEchoedInFull) {
    const std::string word(5000, 'x');
    const std::string shown = std::string(80, 'x') + "...";
    EXPECT_THAT(mistakes_in("[islands]\nshape = '" + word + "'\n"),
                AllOf(HasSubstr("\"" + shown + "\" is not one of: ring, full"),
                      Not(HasSubstr(word.substr(0, 81)))));
    for (const std::string& text :
         {word + " = 1\n", "[" + word + "]\n", "operators.weights." + word + " = 1\n"}) {
        EXPECT_LT(mistakes_in(text).size(), 300u);
    }
    EXPECT_THAT(mistakes_in("[islands]\nshape = \"\\u001b[2J\\u007f\"\n"),
                HasSubstr("\"?[2J?\" is not one of"));
}

TEST(Settings, BrokenTomlNamesTheLine) {
    EXPECT_THAT(mistakes_in("[islands]\ncount = \n"), HasSubstr("c.toml:2: not valid TOML"));
}

TEST(Settings, ListsEveryKeyInDeclarationOrder) {
    Example e;
    const auto infos = list_settings(declaration(e));
    ASSERT_EQ(infos.size(), 7u);
    EXPECT_EQ(infos[0].key, "islands.count");
    EXPECT_EQ(infos[0].type, "integer");
    EXPECT_EQ(infos[0].default_value, "4");
    EXPECT_EQ(infos[0].range, "1 to 64");
    EXPECT_EQ(infos[0].meaning, "How many.");
    EXPECT_EQ(infos[4].range, "one of: ring, full");
    EXPECT_EQ(infos[6].default_value, "{ tune = 2.0, crossover = 0.25 }");
}

TEST(NearestWord, ForgivesASlipAndNothingMore) {
    const std::vector<std::string> words = {"uniform", "tournament", "weighted"};
    EXPECT_EQ(nearest_word("unifrom", words), "uniform");
    EXPECT_EQ(nearest_word("tournment", words), "tournament");
    EXPECT_EQ(nearest_word("wieghtd", words), "weighted");
    EXPECT_EQ(nearest_word("roulette", words), "");
    EXPECT_EQ(nearest_word("", words), "");
}

}  // namespace
}  // namespace atl
