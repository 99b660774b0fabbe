#include "reward/cuda/prepared_cache.hpp"

#include "reward/cuda/front_end.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <stop_token>

namespace atl {
namespace {

class PreparedCacheTest : public ::testing::Test {
  protected:
    /// nullptr: it is the caller's to make. Would wait where another one had claimed it.
    std::shared_ptr<const FrontEndReply> find() {
        std::stop_source cancelled;
        cancelled.request_stop();
        return value_or_throw(m_cache.find_or_claim(m_key, cancelled.get_token()));
    }
    PreparedCache m_cache;
    Digest m_key;
};

TEST_F(PreparedCacheTest, AClaimThatAnExceptionEndsHoldsNobodyUp) {
    EXPECT_EQ(find(), nullptr);
    EXPECT_ANY_THROW(find()) << "it is in work";
    try {
        const PreparedClaim claim(m_cache, m_key);
        throw std::runtime_error("out of memory, say");
    } catch (const std::runtime_error&) {
    }
    EXPECT_EQ(find(), nullptr);
}

TEST_F(PreparedCacheTest, WhatIsKeptIsFound) {
    EXPECT_EQ(find(), nullptr);
    const auto made = std::make_shared<const FrontEndReply>();
    {
        PreparedClaim claim(m_cache, m_key);
        claim.keep(made);
    }
    EXPECT_EQ(find(), made);
}

}  // namespace
}  // namespace atl
