#include "reward/source_text.hpp"

#include "reward/base/rng.hpp"
#include "reward/candidate.hpp"

#include <gmock/gmock.h>

namespace atl {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(NormalisedTokens, DropsCommentsAndWhiteSpaceOnly) {
    EXPECT_EQ(normalised_tokens("int  a = 1; // one\n/* two\nlines */int b;"),
              "int a = 1 ; int b ;");
    EXPECT_EQ(normalised_tokens("a+ +b"), "a + + b");
    EXPECT_EQ(normalised_tokens("a++b"), "a ++ b");
    EXPECT_EQ(normalised_tokens("x>>=1"), "x >>= 1");
    EXPECT_EQ(normalised_tokens("f(1'000'000, .5e-3f, 0x1p+4)"),
              "f ( 1'000'000 , .5e-3f , 0x1p+4 )");
    EXPECT_EQ(normalised_tokens("1+2"), "1 + 2");
    EXPECT_EQ(normalised_tokens(""), "");
}

TEST(NormalisedTokens, ResolvesLineSplices) {
    EXPECT_EQ(normalised_tokens("in\\\nt a;"), "int a ;");
    EXPECT_EQ(normalised_tokens("// comment \\\nstill comment\nint a;"), "int a ;");
    EXPECT_EQ(normalised_tokens("#define A \\\r\n 1\nint b;"), "# define A 1\nint b ;");
}

TEST(NormalisedTokens, KeepsLiteralsWhole) {
    EXPECT_EQ(normalised_tokens(R"(a("x // no", '"', "\"/*");)"),
              R"(a ( "x // no" , '"' , "\"/*" ) ;)");
    EXPECT_EQ(normalised_tokens("R\"x(a  //\n)\" )x\" b"), "R\"x(a  //\n)\" )x\" b");
    EXPECT_EQ(normalised_tokens("u8R\"(a\\\nb)\";"), "u8R\"(a\\\nb)\" ;");
    EXPECT_EQ(normalised_tokens("fooR\"(a)\" "), "fooR \"(a)\"");
    EXPECT_EQ(normalised_tokens("L'x' u\"y\""), "L'x' u\"y\"");
}

TEST(NormalisedTokens, KeepsDirectiveEnds) {
    EXPECT_EQ(normalised_tokens("int a;\n#if X // why\nint b;\n#endif"),
              "int a ;\n# if X\nint b ;\n# endif\n");
    EXPECT_NE(normalised_tokens("#define A 1\n+2"), normalised_tokens("#define A 1 +2\n"));
    EXPECT_EQ(normalised_tokens("#define A /* \n */ 1\nx"), "# define A 1\nx");
    EXPECT_EQ(normalised_tokens("#include <a  b>\n"), "# include <a  b>\n");
    EXPECT_EQ(normalised_tokens("x # define"), "x # define");
}

// Two programs must never share a key, so layout counts where the program can see it.
TEST(NormalisedTokens, ReturnsLayoutDependentSourcesUnchanged) {
    for (const char* source : {"#define S(x) #x\nS(a + b)", "int a =  __LINE__;",
                               "auto w = std::source_location::current( );"}) {
        EXPECT_EQ(normalised_tokens(source), source);
    }
    EXPECT_NE(normalised_tokens("#define C(x,y) x##y\n"), "#define C(x,y) x##y\n");
}

// Where white space makes another program: before the parameters of a macro, and between a literal
// and what would be its suffix.
TEST(NormalisedTokens, KeepsWhiteSpaceThatMeansSomething) {
    const auto same = [](const std::string& a, const std::string& b) {
        return normalised_tokens(a) == normalised_tokens(b);
    };
    EXPECT_FALSE(same("#define F(x) (x)\n", "#define F (x) (x)\n"));
    EXPECT_TRUE(same("#define F(x) (x)\n", "# define /**/ F( x )  (x)  // why\n"));
    EXPECT_TRUE(same("#define F(x) (x)\n", "#define F\\\n(x) (x)\n"));
    EXPECT_TRUE(same("#define F/**/(x) (x)\n", "#define F (x) (x)\n"));
    EXPECT_TRUE(same("#define F (x)\n#undef F\nF(1)", "#define F  ( x )\n#undef F\nF (1)"));
    EXPECT_EQ(normalised_tokens("#define F (x)\n"), "# define F ( x )\n");
    for (const std::string literal : {"\"x\"", "'x'", "R\"(x)\"", "L\"x\"", "\"%\""}) {
        for (const std::string word : {"_s", "PRId64", "u8\"y\"", "R\"(y)\""}) {
            EXPECT_FALSE(same(literal + word, literal + " " + word)) << literal << word;
            EXPECT_TRUE(same(literal + word, literal + "\\\n" + word)) << literal << word;
            EXPECT_TRUE(same(literal + "/**/" + word, literal + "\n" + word)) << literal << word;
        }
        EXPECT_TRUE(same(literal + ";", literal + " ;"));
        EXPECT_TRUE(same(literal + "\"y\"", literal + " \"y\""));
    }
    EXPECT_EQ(normalised_tokens("\"x\"__LINE__"), "\"x\"__LINE__");
    EXPECT_NE(normalised_tokens("\"x\"__LINE__ "), normalised_tokens("\"x\"__LINE__"));
}

TEST(NormalisedTokens, SurvivesAnything) {
    CounterRng rng(7, RngPurpose::operator_body, 1);
    const std::string alphabet = "a1.'\"\\\n#/*()R<>%: \t\r_e+-u8";
    for (int round = 0; round < 20'000; ++round) {
        std::string text;
        for (int i = 0; i < round % 50; ++i) {
            text += alphabet[rng.below(alphabet.size())];
        }
        (void)normalised_tokens(text);
        (void)tune_macros(text);
        (void)marked_regions(text);
    }
}

std::vector<std::string> tokens_of_a_program() {
    return {"#define TILE 64\n",
            "#include <cstring>\n",
            "extern",
            "\"C\"",
            "void",
            "launch",
            "(",
            "const",
            "float",
            "*",
            "x",
            ",",
            "int",
            "n",
            ")",
            "{",
            "for",
            "(",
            "int",
            "i",
            "=",
            "0",
            ";",
            "i",
            "<",
            "n",
            ";",
            "++",
            "i",
            ")",
            "y",
            "[",
            "i",
            "]",
            "+=",
            "1.5e-3f",
            "*",
            "x",
            "[",
            "i",
            "]",
            ";",
            "char",
            "c",
            "=",
            "'\\''",
            ";",
            "auto",
            "s",
            "=",
            "R\"(a /* b)\"",
            ";",
            "}",
            "#undef TILE\n"};
}

std::string random_space(CounterRng& rng) {
    static const std::vector<std::string> spaces = {" ",       "\n",   "\t",     " /* c */ ",
                                                    " // c\n", "\r\n", " \\\n ", " /*\n*/ "};
    std::string text;
    for (std::uint64_t i = 0; i <= rng.below(3); ++i) {
        text += spaces[rng.below(spaces.size())];
    }
    return text;
}

std::string lay_out(const std::vector<std::string>& tokens, CounterRng& rng) {
    std::string text;
    for (const std::string& token : tokens) {
        // A directive must begin on its own line.
        text += token[0] == '#' ? random_space(rng) + "\n" : random_space(rng);
        text += token;
    }
    return text;
}

Digest key_of(const std::string& source) {
    Candidate candidate;
    candidate.source = source;
    return candidate_key(candidate);
}

TEST(CandidateKey, IgnoresLayoutAndSeesEveryTokenChange) {
    const std::vector<std::string> tokens = tokens_of_a_program();
    CounterRng rng(3, RngPurpose::operator_body, 2);
    const Digest key = key_of(lay_out(tokens, rng));
    for (int round = 0; round < 300; ++round) {
        EXPECT_EQ(key_of(lay_out(tokens, rng)), key);
        std::vector<std::string> changed = tokens;
        const std::size_t at = rng.below(tokens.size());
        switch (rng.below(3)) {
            case 0:
                changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(at));
                break;
            case 1:
                changed.insert(changed.begin() + static_cast<std::ptrdiff_t>(at), "zzz");
                break;
            default:
                changed[at] = changed[at] == "zzz" ? "yyy" : "zzz";
        }
        EXPECT_NE(key_of(lay_out(changed, rng)), key) << "token " << at;
    }
}

TEST(CandidateKey, CoversKindTuneAndFlags) {
    const Candidate base{"cpu_cpp", "int a;", {{"T", "1"}}, {"-O2"}};
    const Digest key = candidate_key(base);
    for (const Candidate& other : {Candidate{"external", "int a;", {{"T", "1"}}, {"-O2"}},
                                   Candidate{"cpu_cpp", "int a;", {{"T", "2"}}, {"-O2"}},
                                   Candidate{"cpu_cpp", "int a;", {{"U", "1"}}, {"-O2"}},
                                   Candidate{"cpu_cpp", "int a;", {{"T", "1"}}, {}},
                                   Candidate{"cpu_cpp", "int a;", {{"T", "1"}}, {"-O3"}}}) {
        EXPECT_NE(candidate_key(other), key);
    }
    // Indentation means something to a Python candidate.
    // Refused for its bytes: its verdict must not be that of the same tokens in fewer bytes.
    for (const std::string& comment :
         {std::string(k_max_source_bytes, '/'), std::string("// \0", 4)}) {
        EXPECT_NE(candidate_key({"cpu_cpp", "int x;\n" + comment, {}, {}}),
                  candidate_key({"cpu_cpp", "int x;", {}, {}}));
    }
    EXPECT_NE(candidate_key({"external", "if a:\n  b\n  c", {}, {}}),
              candidate_key({"external", "if a:\n  b\nc", {}, {}}));
}

TEST(TuneMacros, ReadsDefinesAndAssignments) {
    const auto macros = tune_macros(
        "#ifndef TILE\n"
        "#define TILE 64  // tune: 16, 32,64 ,128\n"
        "#endif\n"
        "  #  define MODE fast /* tune: fast, slow */\n"
        "#define OTHER 3  // not for tuning\n"
        "#define CALL(x) 3  // tune: 1, 2\n"
        "#define CALL\\\n(x) 3  // tune: 1, 2\n"
        "#define TILE 1  // tune: 1, 2\n"
        "#define DEPTH 5  // tune: 1, 2\n");
    ASSERT_EQ(macros.size(), 3u);
    EXPECT_EQ(macros[0].name, "TILE");
    EXPECT_EQ(macros[0].default_value, "64");
    EXPECT_EQ(macros[0].line, 2u);
    EXPECT_THAT(macros[0].values, ElementsAre("16", "32", "64", "128"));
    EXPECT_EQ(macros[1].name, "MODE");
    EXPECT_THAT(macros[1].values, ElementsAre("fast", "slow"));
    EXPECT_THAT(macros[2].values, ElementsAre("1", "2", "5"));

    const auto python =
        tune_macros("STEPS = 100  # tune: 50, 100\n    rate=0.5 # tune: 0.25, 0.5\n");
    ASSERT_EQ(python.size(), 2u);
    EXPECT_EQ(python[0].name, "STEPS");
    EXPECT_EQ(python[1].default_value, "0.5");
    EXPECT_EQ(python[1].line, 2u);
}

TEST(TuneMacros, IgnoresWhatIsNoCode) {
    EXPECT_THAT(tune_macros("/*\n#define A 1  // tune: 1, 2\n*/"), IsEmpty());
    EXPECT_THAT(tune_macros("auto s = R\"(\n#define A 1  // tune: 1, 2\n)\";"), IsEmpty());
    EXPECT_THAT(tune_macros("if (a == 1)  # tune: 1\nx.y = 3  # tune: 1, 2\n"), IsEmpty());
    EXPECT_THAT(tune_macros("#define A  // tune: 1, 2\n"), IsEmpty());
}

TEST(TuneMacros, LimitsWhatAHostileSourceLists) {
    std::string source;
    for (int i = 0; i < 200; ++i) {
        source += "#define M" + std::to_string(i) + " 0  // tune: ";
        for (int j = 1; j < 200; ++j) {
            source += std::to_string(j) + ",";
        }
        source += "\n";
    }
    const auto macros = tune_macros(source);
    EXPECT_EQ(macros.size(), 64u);
    EXPECT_LE(macros[0].values.size(), 65u);
}

TEST(ApplyTune, SubstitutesValuesInPlace) {
    EXPECT_EQ(apply_tune_to_text("STEPS = 100  # tune: 50, 100\nx = STEPS\n",
                                 {{"STEPS", "50"}, {"unknown", "1"}}),
              "STEPS = 50  # tune: 50, 100\nx = STEPS\n");
    EXPECT_EQ(apply_tune_to_text("#define A 1  // tune: 1, 2\n#define B 3  // tune: 3, 4\n",
                                 {{"A", "2"}, {"B", "4"}}),
              "#define A 2  // tune: 1, 2\n#define B 4  // tune: 3, 4\n");
    EXPECT_EQ(apply_tune_to_text("nothing", {{"A", "2"}}), "nothing");
}

TEST(MarkedRegions, FindsWellFormedOnes) {
    const std::string source =
        "int a;\n// region: loop\nfor (;;) {}\n  // endregion: loop\n"
        "# region: py\nx\n# endregion: py\n";
    const auto regions = marked_regions(source);
    ASSERT_EQ(regions.size(), 2u);
    EXPECT_EQ(regions[0].name, "loop");
    EXPECT_EQ(source.substr(regions[0].begin, regions[0].end - regions[0].begin), "for (;;) {}\n");
    EXPECT_EQ(regions[1].name, "py");
}

TEST(MarkedRegions, SkipsMalformedOnes) {
    EXPECT_THAT(marked_regions("// region: a\nx\n"), IsEmpty());
    EXPECT_THAT(marked_regions("// endregion: a\n"), IsEmpty());
    EXPECT_THAT(marked_regions("// region: a\n// endregion: b\n"), IsEmpty());
    EXPECT_THAT(marked_regions("// region: a b\n// endregion: a b\n"), IsEmpty());
    // Nested: only the inner one is well formed.
    const auto nested =
        marked_regions("// region: a\n// region: b\n// endregion: b\n// endregion: a\n");
    ASSERT_EQ(nested.size(), 1u);
    EXPECT_EQ(nested[0].name, "b");
}

TEST(MarkedRegions, FindsThoseThatStandTwice) {
    const auto regions =
        marked_regions("// region: a\n1\n// endregion: a\n// region: a\n// endregion: a\n");
    ASSERT_EQ(regions.size(), 2u);
    EXPECT_EQ(regions[0].name, "a");
    EXPECT_EQ(regions[1].name, "a");
    EXPECT_GT(regions[1].begin, regions[0].end);
}

}  // namespace
}  // namespace atl
