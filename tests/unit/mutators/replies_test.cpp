#include "mutators/replies/apply_edits.hpp"
#include "mutators/replies/edit_blocks.hpp"
#include "mutators/replies/reply_text.hpp"
#include "reward/candidate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string block(const std::string& search, const std::string& replace) {
    return "<<<<<<< SEARCH\n" + search + "=======\n" + replace + ">>>>>>> REPLACE\n";
}

ReplyFault::Kind fault_of(const std::string& reply) {
    const auto blocks = edit_blocks_in(reply);
    EXPECT_FALSE(blocks.has_value()) << reply;
    return blocks ? ReplyFault::Kind::no_code : blocks.error().kind;
}

TEST(SourceInReply, IsTheCodeWithPlainLineEnds) {
    EXPECT_EQ(source_in_reply("So:\r\n```cuda\r\nint a;\r\nint b;\r\n```\r\n", "cuda"),
              "int a;\nint b;\n");
    EXPECT_EQ(source_in_reply("```cuda\nchar c = '\r';\n```", "cuda"), "char c = '\r';\n");
}

TEST(SourceInReply, SaysWhyThereIsNone) {
    const auto kind = [](const std::string& reply) {
        return source_in_reply(reply, "cuda").error().kind;
    };
    EXPECT_EQ(kind("I cannot."), ReplyFault::Kind::no_code);
    EXPECT_EQ(kind("```cuda\n \n```"), ReplyFault::Kind::no_code);
    EXPECT_EQ(kind("```cuda\nint a;"), ReplyFault::Kind::cut_off);
    EXPECT_EQ(kind("```cuda\nint a;\n```\nbetter:\n```cuda\nint"), ReplyFault::Kind::cut_off);
    EXPECT_EQ(kind("```cuda\na" + std::string(1, '\0') + "\n```"), ReplyFault::Kind::not_text);
    EXPECT_EQ(kind("```cuda\n// \xff\n```"), ReplyFault::Kind::not_text);
    EXPECT_EQ(kind("```cuda\n" + std::string(k_max_source_bytes, 'a') + "\n```"),
              ReplyFault::Kind::limit);
    EXPECT_EQ(kind(std::string(k_max_answer_bytes + 1, ' ')), ReplyFault::Kind::limit);
    // Bytes that are no text do not matter where they are not in the code.
    EXPECT_TRUE(source_in_reply("\xff\n```cuda\nint a;\n```", "cuda").has_value());
}

TEST(SaidInReply, IsWhatStandsBehindALabel) {
    EXPECT_EQ(said_in_reply("Change: fewer barriers\n", "Change"), "fewer barriers");
    EXPECT_EQ(said_in_reply("- **change:** two rows a warp \r\nChange: x", "Change"),
              "two rows a warp");
    EXPECT_EQ(said_in_reply("**Change**: a\tb", "Change"), "a b");
    EXPECT_EQ(said_in_reply("```cuda\nChange: code\n```\nChange: words", "Change"), "words");
    EXPECT_EQ(said_in_reply("<think>Change: a</think>\nChange: b", "Change"), "b");
    EXPECT_EQ(said_in_reply("Changes are many\nExchange: x\nChange :\n", "Change"), "");
    EXPECT_EQ(said_in_reply("Change: \xff", "Change"), "");
    const std::string longest(k_longest_said - 1, 'a');
    EXPECT_EQ(said_in_reply("Change: " + longest + "\xc3\xa9 and on", "Change"), longest);
}

TEST(EditBlocks, AreReadInOrderWhateverStandsAround) {
    const auto blocks =
        edit_blocks_in("Two changes.\n=======\n```diff\n" + block("int a;\n", "int b;\nint c;\n") +
                       "```\nand\r\n  <<<<< SEARCH \r\nint d;\r\n=====\r\n>>>>>REPLACE\r\n");
    ASSERT_TRUE(blocks.has_value()) << blocks.error().words;
    ASSERT_EQ(blocks->size(), 2u);
    EXPECT_EQ((*blocks)[0].search, "int a;\n");
    EXPECT_EQ((*blocks)[0].replace, "int b;\nint c;\n");
    EXPECT_EQ((*blocks)[1].search, "int d;\n");
    EXPECT_EQ((*blocks)[1].replace, "");
}

TEST(EditBlocks, OperatorsAndCommentsAreNoMarkers) {
    const auto blocks = edit_blocks_in(block("x <<<<<<< SEARCH;\n// =======\n==\n", "<<<<<<<\n"));
    ASSERT_TRUE(blocks.has_value()) << blocks.error().words;
    EXPECT_EQ((*blocks)[0].search, "x <<<<<<< SEARCH;\n// =======\n==\n");
    EXPECT_EQ((*blocks)[0].replace, "<<<<<<<\n");
}

TEST(EditBlocks, WhatDoesNotBelongTogetherIsAFaultAndNeverSkipped) {
    EXPECT_EQ(fault_of("nothing"), ReplyFault::Kind::no_code);
    EXPECT_EQ(fault_of("<<<<<<< SEARCH\na\n=======\nb\n"), ReplyFault::Kind::cut_off);
    EXPECT_EQ(fault_of("<<<<<<< SEARCH\na\n"), ReplyFault::Kind::cut_off);
    EXPECT_EQ(fault_of("<<<<<<< SEARCH\na\n>>>>>>> REPLACE\n"), ReplyFault::Kind::malformed);
    EXPECT_EQ(fault_of(block("a\n", "b\n=======\nc\n")), ReplyFault::Kind::malformed);
    EXPECT_EQ(fault_of("<<<<<<< SEARCH\na\n" + block("a\n", "b\n")), ReplyFault::Kind::malformed);
    EXPECT_EQ(fault_of(block("a\n", "b\n") + ">>>>>>> REPLACE\n"), ReplyFault::Kind::malformed);
    EXPECT_EQ(fault_of(block(" \n", "b\n")), ReplyFault::Kind::malformed);
    std::string many;
    for (std::size_t i = 0; i <= k_max_edit_blocks; ++i) {
        many += block("a\n", "b\n");
    }
    EXPECT_EQ(fault_of(many), ReplyFault::Kind::limit);
    EXPECT_THAT(edit_blocks_in(block("a\n", "b\n") + "\n<<<<<<< SEARCH\n").error().words,
                HasSubstr("Block 2"));
}

TEST(EditBlocks, ThoseOfTheReasoningDoNotCount) {
    const auto blocks =
        edit_blocks_in("<think>" + block("a\n", "x\n") + "</think>" + "\n" + block("b\n", "y\n"));
    ASSERT_TRUE(blocks.has_value());
    ASSERT_EQ(blocks->size(), 1u);
    EXPECT_EQ((*blocks)[0].search, "b\n");
}

EditResult edit(const std::string& parent, const std::vector<EditBlock>& blocks) {
    return apply_edits(parent, blocks);
}

constexpr const char* k_parent =
    "int first;\n"
    "void f() {\n"
    "    for (;;) {\n"
    "        step();\n"
    "    }\n"
    "}\n"
    "int last;";

TEST(ApplyEdits, AllBlocksQuoteTheParentInAnyOrder) {
    const EditResult result = edit(k_parent, {{"int last;\n", "int z;\n"},
                                              {"int first;\n", "int last;\nint b;\n"},
                                              {"    for (;;) {\n        step();\n    }\n", ""}});
    EXPECT_THAT(result.faults, IsEmpty());
    EXPECT_EQ(result.source, "int last;\nint b;\nvoid f() {\n}\nint z;");
    EXPECT_THAT(result.how, ElementsAre(EditMatch::exact, EditMatch::exact, EditMatch::exact));
}

TEST(ApplyEdits, WhiteSpaceAtTheEndsOfLinesDoesNotCount) {
    const EditResult result = edit("int a;  \nint b;\n", {{"int a;\nint b; \n", "int c;\n"}});
    EXPECT_EQ(result.source, "int c;\n");
    EXPECT_THAT(result.how, ElementsAre(EditMatch::trailing_space));
}

TEST(ApplyEdits, IndentationFollowsTheParent) {
    const EditResult deeper = edit(
        k_parent, {{"\nfor (;;) {\n  step();\n}\n\n", "for (;;) {\n    go();\n\n}\nend();\n"}});
    EXPECT_THAT(deeper.how, ElementsAre(EditMatch::indentation));
    EXPECT_EQ(deeper.source,
              "int first;\nvoid f() {\n    for (;;) {\n        go();\n\n    }\n    end();\n}\nint "
              "last;");
    const EditResult shallower = edit("a;\nb;\n", {{"    a;\n    b;\n", "    c;\n  d;\n"}});
    EXPECT_EQ(shallower.source, "c;\nd;\n");
    const EditResult tabs = edit("\ta;\n", {{"    a;\n", "    if (x)\n        b;\n"}});
    EXPECT_EQ(tabs.source, "\tif (x)\n\t    b;\n");
}

TEST(ApplyEdits, APlaceThatMatchesBetterWins) {
    const EditResult result = edit("  x;\nx;\n", {{"x;\n", "y;\n"}});
    EXPECT_EQ(result.source, "  x;\ny;\n");
}

TEST(ApplyEdits, LinesKeepTheirEnds) {
    const EditResult result = edit("a;\r\nb;\r\nc;\n", {{"b;\n", "d;\ne;\n"}});
    EXPECT_EQ(result.source, "a;\r\nd;\r\ne;\r\nc;\n");
}

TEST(ApplyEdits, SeveralPlacesAreAFaultThatSaysWhere) {
    const EditResult result = edit("x;\na;\nx;\n x;\n", {{"x;\n", "y;\n"}, {"a;\n", "b;\n"}});
    ASSERT_EQ(result.faults.size(), 1u);
    EXPECT_EQ(result.faults[0].kind, EditFault::Kind::ambiguous);
    EXPECT_EQ(result.faults[0].block, 1u);
    EXPECT_THAT(result.faults[0].lines, ElementsAre(1, 3));
    EXPECT_EQ(result.source, "x;\na;\nx;\n x;\n") << "all blocks or none";
    EXPECT_THAT(edit_fault_words(result.faults[0]), HasSubstr("lines 1, 3)"));
    // Overlapping places count: "x; x;" stands twice in "x; x; x;".
    EXPECT_THAT(edit("x;\nx;\nx;\n", {{"x;\nx;\n", ""}}).faults[0].lines, ElementsAre(1, 2));
    EXPECT_THAT(edit("x;\nx;\nx;\nx;\nx;\nx;\nx;\n", {{"x;\n", ""}}).faults[0].lines,
                ElementsAre(1, 2, 3, 4, 5));
}

TEST(ApplyEdits, OverlappingBlocksAreAFault) {
    const EditResult result =
        edit("a;\nb;\nc;\nd;\n", {{"b;\nc;\n", "x;\n"}, {"d;\n", ""}, {"a;\nb;\n", "y;\n"}});
    ASSERT_EQ(result.faults.size(), 1u);
    EXPECT_EQ(result.faults[0].kind, EditFault::Kind::overlapping);
    EXPECT_EQ(result.faults[0].block, 3u);
    EXPECT_EQ(result.faults[0].other_block, 1u);
    const EditResult inside =
        edit("a;\nb;\nc;\nd;\n", {{"a;\nb;\nc;\nd;\n", "x;\n"}, {"b;\n", ""}, {"d;\n", ""}});
    EXPECT_EQ(inside.faults.size(), 2u);
}

TEST(ApplyEdits, AnUnmatchedBlockSaysTheNearestPlace) {
    const EditResult result =
        edit(k_parent, {{"int first;\n", "int one;\n"},
                        {"    while (true) {\n        step();\n    }\n", "go();\n"}});
    ASSERT_EQ(result.faults.size(), 1u);
    EXPECT_EQ(result.faults[0].block, 2u);
    EXPECT_EQ(result.faults[0].nearest_line, 3u);
    EXPECT_EQ(result.faults[0].nearest_text, "    for (;;) {\n        step();\n    }\n");
    EXPECT_THAT(edit_fault_words(result.faults[0]), HasSubstr("nearest place is line 3:\n    for"));
    // No line stands there, but words of the longest do.
    const EditResult words =
        edit("a();\nfloat sum = x[i] * y[i];\n", {{"b();\nfloat sum = x[i] + y[j];\n", ""}});
    EXPECT_EQ(words.faults.at(0).nearest_line, 1u);
    EXPECT_EQ(edit("a();\n", {{"wholly different;\n", ""}}).faults.at(0).nearest_line, 0u);
}

TEST(ApplyEdits, RepeatedLinesTakeNoLongerThanOthers) {
    std::string parent;
    for (int i = 0; i < 200000; ++i) {
        parent += "}\n";
    }
    const std::vector<EditBlock> blocks(
        k_max_edit_blocks, EditBlock{parent.substr(0, parent.size() / 2) + "{\n", "x\n"});
    EXPECT_EQ(edit(parent, blocks).faults.size(), k_max_edit_blocks);  // quadratic would take hours
}

TEST(PatchedSource, IsTheChild) {
    EXPECT_EQ(patched_source("a;\nb;\n", block("a;\n", "c;\n")), "c;\nb;\n");
}

TEST(PatchedSource, SaysWhyThereIsNone) {
    const auto fault = [](const std::string& parent, const std::string& reply) {
        const auto child = patched_source(parent, reply);
        EXPECT_FALSE(child.has_value());
        return child ? ReplyFault{} : child.error();
    };
    EXPECT_EQ(fault("a;\n", "no blocks").kind, ReplyFault::Kind::no_code);
    EXPECT_EQ(fault("a;\n", block("a;\n", "a;\n")).kind, ReplyFault::Kind::no_change);
    EXPECT_EQ(fault("a;\n", block("a;\n", std::string(k_max_source_bytes, 'a') + "\n")).kind,
              ReplyFault::Kind::limit);
    EXPECT_EQ(fault("a;\n", block("a;\n", "// \xff\n")).kind, ReplyFault::Kind::not_text);
    const ReplyFault unmatched =
        fault("a;\nb;\nb;\n", block("x;\n", "") + block("a;\n", "c;\n") + block("b;\n", "d;\n"));
    EXPECT_EQ(unmatched.kind, ReplyFault::Kind::unmatched);
    EXPECT_EQ(unmatched.words,
              "Block 1: its SEARCH lines are not in the program.\n"
              "Block 3: its SEARCH lines stand in several places (lines 2, 3); quote more lines "
              "around the one that is meant.\n");
}

TEST(PatchedSource, RegionsKeepTheirMarkers) {
    const std::string parent =
        "// region: body\nint a;\n// endregion: body\n// region: tail\n"
        "int t;\n// endregion: tail\n";
    EXPECT_TRUE(patched_source(parent, block("int a;\n", "int b;\n")).has_value());
    const auto lost = patched_source(parent, block("// region: body\nint a;\n", "int b;\n"));
    ASSERT_FALSE(lost.has_value());
    EXPECT_EQ(lost.error().kind, ReplyFault::Kind::lost_marker);
    EXPECT_THAT(lost.error().words, HasSubstr("do not pair: body."));
    EXPECT_THAT(lost_regions(parent, "// region: tail\n// endregion: tail\n"), ElementsAre("body"));
}

}  // namespace
}  // namespace atl
