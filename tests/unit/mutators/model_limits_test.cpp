#include "mutators/model/api_key.hpp"
#include "mutators/model/back_off.hpp"
#include "mutators/model/model_settings.hpp"
#include "mutators/model/prices.hpp"
#include "mutators/model/token_bucket.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace atl {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* k_key = "sk-very-secret-0123456789";

TEST(TokenBucket, GivesAMinutesWorthAtOnceAndThenAtItsRate) {
    const TokenBucket::Time begin{};
    TokenBucket bucket(60, begin);
    for (int i = 0; i < 60; ++i) {
        EXPECT_EQ(bucket.ready_at(begin, 1), begin) << i;
        bucket.take(begin, 1);
    }
    EXPECT_EQ(bucket.ready_at(begin, 1), begin + 1s);
    EXPECT_EQ(bucket.ready_at(begin + 500ms, 1), begin + 1s);
    EXPECT_EQ(bucket.ready_at(begin + 1s, 1), begin + 1s);
    EXPECT_EQ(bucket.ready_at(begin + 1s, 5), begin + 5s);
    // It holds no more than a minute's worth, however long nobody takes.
    bucket.take(begin + 1h, 60);
    EXPECT_EQ(bucket.ready_at(begin + 1h, 1), begin + 1h + 1s);
}

TEST(TokenBucket, LetsPassWhatIsMoreThanItHoldsWhenItIsFull) {
    const TokenBucket::Time begin{};
    TokenBucket bucket(60, begin);
    EXPECT_EQ(bucket.ready_at(begin, 1000), begin);
    bucket.take(begin, 120);
    EXPECT_EQ(bucket.ready_at(begin, 1), begin + 61s);
    bucket.give_back(begin, 110);  // it took but 10
    EXPECT_EQ(bucket.ready_at(begin, 50), begin);
    EXPECT_EQ(bucket.ready_at(begin, 51), begin + 1s);
}

TEST(TokenBucket, ZeroIsNoLimit) {
    TokenBucket bucket(0, {});
    bucket.take({}, 1e12);
    EXPECT_EQ(bucket.ready_at({}, 1e12), TokenBucket::Time());
}

TEST(BackOff, DoublesUpToItsLongestWithEqualJitter) {
    const BackOff rule{1000ms, 60'000ms, 600s};
    EXPECT_EQ(rule.pause(1, {}, 0), 500ms);
    EXPECT_EQ(rule.pause(1, {}, 0.5), 750ms);
    EXPECT_EQ(rule.pause(3, {}, 0), 2000ms);
    EXPECT_EQ(rule.pause(3, {}, 0.5), 3000ms);
    EXPECT_EQ(rule.pause(7, {}, 0), 30'000ms);
    EXPECT_EQ(rule.pause(100, {}, 0.5), 45'000ms);
}

TEST(BackOff, WaitsAsLongAsTheEndpointAskedAndALittleMore) {
    const BackOff rule{1000ms, 60'000ms, 600s};
    EXPECT_EQ(rule.pause(1, 20s, 0), 20'000ms);
    EXPECT_EQ(rule.pause(9, 20s, 0.5), 20'500ms);
}

TEST(Prices, AreOfAMillionTokensWithCachedOnesApart) {
    const TokenUsage usage{1000, 400, 200, 50};
    EXPECT_EQ(cost_of(usage, {3, 0.3, 15}), 600 * 3000 + 400 * 300 + 200 * 15'000);
    EXPECT_EQ(cost_of(usage, {3, {}, 15}), 1000 * 3000 + 200 * 15'000);
    EXPECT_EQ(cost_of(usage, {}), 0);
    EXPECT_TRUE(check_price({1, 0, 1}, "price"));
    EXPECT_FALSE(check_price({-1, 0, 1}, "price"));
    EXPECT_FALSE(check_price({1, -1, 1}, "price"));
    EXPECT_FALSE(check_price({1, 0, std::nan("")}, "price"));
    EXPECT_FALSE(check_price({1e9, 0, 1}, "price"));
}

TEST(ModelSettings, EveryFieldIsCheckedByName) {
    ModelSettings good;
    good.name = "coder";
    good.url = "https://api.example.com/v1/";
    ASSERT_TRUE(check_model_settings(good));
    const auto why = [&](auto change) {
        ModelSettings settings = good;
        change(settings);
        const Status status = check_model_settings(settings);
        EXPECT_FALSE(status);
        return status ? std::string() : status.error().message();
    };
    EXPECT_THAT(why([](auto& s) { s.name = "a b"; }), HasSubstr("name"));
    EXPECT_THAT(why([](auto& s) { s.url = ""; }), HasSubstr("coder.url"));
    EXPECT_THAT(why([](auto& s) { s.url = "ftp://x"; }), HasSubstr("coder.url"));
    EXPECT_THAT(why([](auto& s) { s.url = "file:///etc/passwd"; }), HasSubstr("coder.url"));
    EXPECT_THAT(why([](auto& s) { s.url = "https:///v1"; }), HasSubstr("no host"));
    EXPECT_THAT(why([](auto& s) { s.url = "https://a b/"; }), HasSubstr("coder.url"));
    EXPECT_THAT(why([](auto& s) { s.url = "https://a/#x"; }), HasSubstr("coder.url"));
    EXPECT_THAT(why([](auto& s) { s.url = "https://a/" + std::string(3000, 'x'); }),
                HasSubstr("coder.url"));
    const std::string user =
        why([](auto& s) { s.url = std::string("https://me:") + k_key + "@host/v1"; });
    EXPECT_THAT(user, HasSubstr("key_env"));
    EXPECT_THAT(user, Not(HasSubstr(k_key)));
    EXPECT_THAT(why([](auto& s) { s.model = std::string(1000, 'm'); }), HasSubstr("coder.model"));
    EXPECT_THAT(why([](auto& s) { s.max_tokens_field = "tokens"; }), HasSubstr("max_tokens_field"));
    EXPECT_THAT(why([](auto& s) { s.timeout_s = 0; }), HasSubstr("timeout_s"));
    EXPECT_THAT(why([](auto& s) { s.timeout_s = std::nan(""); }), HasSubstr("timeout_s"));
    EXPECT_THAT(why([](auto& s) { s.attempts = 0; }), HasSubstr("attempts"));
    EXPECT_THAT(why([](auto& s) { s.in_flight = 5000; }), HasSubstr("in_flight"));
    EXPECT_THAT(why([](auto& s) { s.requests_per_minute = -1; }), HasSubstr("per_minute"));
    EXPECT_THAT(why([](auto& s) { s.tokens_per_minute = std::nan(""); }), HasSubstr("per_minute"));
    EXPECT_THAT(why([](auto& s) { s.price = Price{-1, {}, 0}; }), HasSubstr("coder.price"));
}

TEST(ModelSettings, TheAddressIsShownWithoutItsQuery) {
    ModelSettings settings;
    settings.url = "https://host/v1//?api-key=secret";
    EXPECT_EQ(completions_url(settings), "https://host/v1/chat/completions?api-key=secret");
    EXPECT_EQ(shown_url(settings), "https://host/v1/chat/completions");
}

class ApiKeys : public ::testing::Test {
  protected:
    std::string write(const std::string& text, std::filesystem::perms mode) const {
        const std::filesystem::path path = m_folder.path() / "key";
        std::ofstream(path) << text;
        std::filesystem::permissions(path, mode);
        return path.string();
    }
    static constexpr auto k_mine =
        std::filesystem::perms::owner_read | std::filesystem::perms::owner_write;

    testing::TemporaryFolder m_folder;
};

TEST_F(ApiKeys, ComeFromAFileThatNobodyElseReads) {
    const Expected<ApiKey> key = ApiKey::find("", write(std::string(k_key) + "\n", k_mine));
    ASSERT_TRUE(key) << key.error().message();
    EXPECT_EQ(key->header(), std::string("Authorization: Bearer ") + k_key);
    const Expected<ApiKey> open =
        ApiKey::find("", write(k_key, k_mine | std::filesystem::perms::others_read));
    ASSERT_FALSE(open);
    EXPECT_EQ(open.error().code, ErrorCode::permission);
    EXPECT_THAT(open.error().message(), HasSubstr("chmod 600"));
}

TEST_F(ApiKeys, ComeFromAVariable) {
    ::setenv("ATOLL_TEST_KEY", k_key, 1);
    const Expected<ApiKey> key = ApiKey::find("ATOLL_TEST_KEY", "");
    ::unsetenv("ATOLL_TEST_KEY");
    ASSERT_TRUE(key);
    EXPECT_EQ(key->header(), std::string("Authorization: Bearer ") + k_key);
    const Expected<ApiKey> none = ApiKey::find("ATOLL_TEST_KEY", "");
    ASSERT_FALSE(none);
    EXPECT_THAT(none.error().message(), HasSubstr("$ATOLL_TEST_KEY"));
    EXPECT_FALSE(ApiKey::find("A", "b")) << "only one of them";
    EXPECT_TRUE(ApiKey::find("", "").value().is_empty());
}

TEST_F(ApiKeys, ThatWouldBeMoreThanAHeaderAreRefusedUnseen) {
    for (const std::string& text :
         {std::string(k_key) + "\r\nX-Other: 1", std::string(k_key) + " x", std::string(),
          std::string("abc"), std::string(5000, 'k'), std::string(k_key) + "\xc3\xa4"}) {
        const Expected<ApiKey> key = ApiKey::find("", write(text, k_mine));
        ASSERT_FALSE(key) << text;
        EXPECT_THAT(key.error().message(), Not(HasSubstr(k_key)));
    }
}

TEST_F(ApiKeys, AreRemovedFromTextsWhereverTheyStand) {
    const ApiKey key = ApiKey::find("", write(k_key, k_mine)).value();
    std::string text = std::string(k_key) + k_key + " x " + k_key;
    key.remove_from(text);
    EXPECT_EQ(text, "[key][key] x [key]");
    ApiKey().remove_from(text);
    EXPECT_EQ(text, "[key][key] x [key]");
}

}  // namespace
}  // namespace atl
