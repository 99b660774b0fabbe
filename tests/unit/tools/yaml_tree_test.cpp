#include "tools/atoll/yaml_tree.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace atl {
namespace {

using ::testing::HasSubstr;

std::string refused(const std::string& text) {
    const auto tree = read_yaml(text, "f");
    return tree ? "accepted" : tree.error().message();
}

TEST(YamlTree, ReadsMapsListsAndValuesWithTheirLines) {
    const auto tree = read_yaml("a: 1\nb:\n  c: [x, \"2\"]\n  d: null\n", "f");
    ASSERT_TRUE(tree) << tree.error().message();
    EXPECT_EQ(tree->find("a")->scalar, "1");
    const YamlTree* c = tree->find("b")->find("c");
    ASSERT_EQ(c->items.size(), 2u);
    EXPECT_FALSE(c->items[0].quoted);
    EXPECT_TRUE(c->items[1].quoted);
    EXPECT_EQ(c->line, 3u);
    EXPECT_EQ(tree->find("b")->find("d")->kind, YamlTree::Kind::none);
    EXPECT_EQ(tree->find("x"), nullptr);
}

TEST(YamlTree, AnAliasIsACopy) {
    const auto tree = read_yaml("a: &it {x: 1}\nb: *it\n", "f");
    ASSERT_TRUE(tree) << tree.error().message();
    EXPECT_EQ(tree->find("b")->find("x")->scalar, "1");
}

TEST(YamlTree, AFewLinesThatStandForABillionAreRefused) {
    std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 10; ++i) {
        const std::string before = "*a" + std::to_string(i - 1);
        text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
        for (int j = 1; j < 10; ++j) {
            text += ", " + before;
        }
        text += "]\n";
    }
    EXPECT_THAT(refused(text), HasSubstr("more than 10000 values"));
}

TEST(YamlTree, AnAliasOfItselfIsRefused) {
    EXPECT_THAT(refused("a: &a [*a]\n"), HasSubstr("f:1: an alias of what is not complete yet"));
}

TEST(YamlTree, DeepNestingIsRefused) {
    const std::string deep(100'000, '[');
    EXPECT_THAT(refused(deep), HasSubstr("nested deeper than 32"));
    EXPECT_THAT(refused(std::string(31, '[') + "x" + std::string(31, ']')), "accepted");
    EXPECT_THAT(refused(std::string(32, '[') + "x" + std::string(32, ']')),
                HasSubstr("nested deeper"));
}

TEST(YamlTree, ALongFileIsRefused) {
    EXPECT_EQ(refused(std::string(k_max_yaml_bytes, ' ')), "accepted");
    EXPECT_THAT(refused(std::string(k_max_yaml_bytes + 1, ' ')), HasSubstr("longer than"));
}

TEST(YamlTree, WhatIsNoYamlIsRefusedWithItsLine) {
    EXPECT_THAT(refused("a: 1\nb: [1\n"), HasSubstr("not valid YAML"));
    EXPECT_THAT(refused("a: 1\na: 2\n"), HasSubstr("f:2: the key 'a' comes twice"));
    EXPECT_THAT(refused("? [1, 2]\n: 3\n"), HasSubstr("a key must be a plain value, not a list"));
    EXPECT_THAT(refused("a: 1\n---\nb: 2\n"), HasSubstr("more than one document"));
    EXPECT_THAT(refused("a: *missing\n"), HasSubstr("f:1"));
}

}  // namespace
}  // namespace atl
