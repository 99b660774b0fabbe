#include "population/position_table.hpp"

#include <gtest/gtest.h>

#include <string>

namespace atl {
namespace {

/// Names found by their position; `hash` decides how much they collide.
class Names {
  public:
    explicit Names(std::size_t (*hash)(const std::string&)) : m_hash(hash) {}

    [[nodiscard]] std::optional<std::uint32_t> find(const std::string& name) const {
        return m_table.find(m_hash(name),
                            [&](std::uint32_t position) { return m_names[position] == name; });
    }
    void add(const std::string& name) {
        m_table.insert(m_hash(name), static_cast<std::uint32_t>(m_names.size()),
                       [this](std::uint32_t position) { return m_hash(m_names[position]); });
        m_names.push_back(name);
    }
    [[nodiscard]] std::size_t size() const { return m_table.size(); }

  private:
    std::size_t (*m_hash)(const std::string&);
    std::vector<std::string> m_names;
    PositionTable m_table;
};

void expect_finds_all(Names names, std::uint32_t count) {
    EXPECT_FALSE(names.find("0"));
    for (std::uint32_t i = 0; i < count; ++i) {
        names.add(std::to_string(i));
        ASSERT_EQ(names.find(std::to_string(i)), i);
        ASSERT_FALSE(names.find(std::to_string(i + 1)));
    }
    for (std::uint32_t i = 0; i < count; ++i) {
        ASSERT_EQ(names.find(std::to_string(i)), i);
    }
    EXPECT_EQ(names.size(), count);
}

TEST(PositionTable, FindsWhatWasInsertedAndNothingElse) {
    expect_finds_all(Names([](const std::string& n) { return std::hash<std::string>()(n); }),
                     10'000);
}

TEST(PositionTable, FindsHashesThatCountUp) {
    expect_finds_all(Names([](const std::string& n) { return std::size_t{std::stoul(n)} << 16; }),
                     10'000);
}

TEST(PositionTable, FindsWhatCollides) {
    expect_finds_all(Names([](const std::string&) { return std::size_t{7}; }), 300);
}

}  // namespace
}  // namespace atl
