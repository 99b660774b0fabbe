#include "reward/workers/nvrtc_process.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <string>

namespace atl {
namespace {

class NvrtcWordsTest : public ::testing::Test {
  protected:
    void SetUp() override {
        std::array<int, 2> ends{};
        ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
        m_words = NvrtcWords(FileHandle(ends[0]));
        m_child.reset(ends[1]);
    }
    void say(const std::string& words) {
        ASSERT_EQ(::write(m_child.get(), words.data(), words.size()),
                  static_cast<ssize_t>(words.size()));
        m_words.listen();
    }
    NvrtcWords m_words;
    FileHandle m_child;
};

TEST_F(NvrtcWordsTest, TheJailsThenTheLastOne) {
    m_words.listen();
    EXPECT_FALSE(m_words.confined() || m_words.over());
    say("c");
    EXPECT_TRUE(m_words.confined());
    EXPECT_FALSE(m_words.over());
    say("o");
    EXPECT_TRUE(m_words.over());
    EXPECT_EQ(m_words.last(), NvrtcWord::ok);
}

TEST_F(NvrtcWordsTest, AnEndWithoutAWordIsOneToo) {
    say("c");
    m_child.reset();
    m_words.listen();
    EXPECT_TRUE(m_words.confined());
    EXPECT_TRUE(m_words.over());
    EXPECT_FALSE(m_words.last());
}

/// A compiler that was taken over may write for ever.
TEST_F(NvrtcWordsTest, NobodyKeepsItsParentListening) {
    say(std::string(4096, 'c'));
    EXPECT_TRUE(m_words.over());
    EXPECT_EQ(m_words.last(), NvrtcWord::confined) << "no answer that says ok";
    std::string rest(8192, '\0');
    EXPECT_EQ(::read(m_words.fd(), rest.data(), rest.size()), 4094);
}

TEST_F(NvrtcWordsTest, ALastWordBeforeTheJailIsNotOfAJailedChild) {
    say("o");
    EXPECT_TRUE(m_words.over());
    EXPECT_FALSE(m_words.confined());
}

}  // namespace
}  // namespace atl
