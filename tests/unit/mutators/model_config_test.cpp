#include "mutators/model/model_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace atl {
namespace {

using ::testing::HasSubstr;

Expected<std::vector<ModelSettings>> read(const std::string& text) {
    ATOLL_TRY_ASSIGN(auto models, named_models(text, "c.toml"));
    ATOLL_TRY(read_settings(text, "c.toml", [&](SettingVisitor& v) { declare(models, v); }));
    for (const ModelSettings& model : models) {
        ATOLL_TRY(check_model_settings(model));
    }
    return models;
}

std::string why(const std::string& text) {
    const auto models = read(text);
    EXPECT_FALSE(models) << text;
    return models ? std::string() : models.error().message();
}

TEST(ModelConfig, ReadsEveryKeyAndWritesItAgain) {
    const std::string text = R"(
[models.coder]
url = "https://api.example.com/v1"
model = "org/coder-2"
key_env = "EXAMPLE_KEY"
max_tokens_field = "max_completion_tokens"
timeout_s = 30.5
attempts = 3
in_flight = 8
requests_per_minute = 60
tokens_per_minute = 1e6
price = {prompt = 3, cached = 0.3, completion = 15}
[models.judge]
url = "http://localhost:8000/v1"
key_file = "key"
)";
    const auto models = read(text);
    ASSERT_TRUE(models) << models.error().message();
    ASSERT_EQ(models->size(), 2u);
    const ModelSettings& coder = (*models)[0];
    EXPECT_EQ(coder.name, "coder");
    EXPECT_EQ(coder.url, "https://api.example.com/v1");
    EXPECT_EQ(coder.model, "org/coder-2");
    EXPECT_EQ(coder.key_env, "EXAMPLE_KEY");
    EXPECT_EQ(coder.max_tokens_field, "max_completion_tokens");
    EXPECT_EQ(coder.timeout_s, 30.5);
    EXPECT_EQ(coder.attempts, 3);
    EXPECT_EQ(coder.in_flight, 8);
    EXPECT_EQ(coder.requests_per_minute, 60);
    EXPECT_EQ(coder.tokens_per_minute, 1e6);
    ASSERT_TRUE(coder.price);
    EXPECT_EQ(coder.price->prompt, 3);
    EXPECT_EQ(coder.price->cached, 0.3);
    EXPECT_EQ(coder.price->completion, 15);
    EXPECT_EQ((*models)[1].key_file, "key");
    EXPECT_FALSE((*models)[1].price);

    auto copy = *models;
    const auto declaration = [&](SettingVisitor& v) { declare(copy, v); };
    const std::string written = write_settings(declaration);
    const auto again = read(written);
    ASSERT_TRUE(again) << again.error().message() << written;
    copy = *again;
    EXPECT_EQ(write_settings(declaration), written);
}

TEST(ModelConfig, NoModelsAreNoError) {
    const auto models = read("");
    ASSERT_TRUE(models);
    EXPECT_TRUE(models->empty());
}

TEST(ModelConfig, NamesWhatIsWrong) {
    const std::string good = "[models.coder]\nurl = 'http://x/v1'\n";
    EXPECT_THAT(why("[models.coder]\n"), HasSubstr("models.coder.url"));
    EXPECT_THAT(why(good + "ulr = 'x'\n"), HasSubstr("models.coder.url"));
    EXPECT_THAT(why(good + "key = 'sk-1'\n"), HasSubstr("models.coder.key"));
    EXPECT_THAT(why(good + "attempts = 0\n"), HasSubstr("models.coder.attempts"));
    EXPECT_THAT(why(good + "max_tokens_field = 'x'\n"), HasSubstr("max_completion_tokens"));
    EXPECT_THAT(why(good + "price = {prompt = 1}\n"), HasSubstr("models.coder.price"));
    EXPECT_THAT(why(good + "price = {promt = 1}\n"), HasSubstr("prompt"));
    EXPECT_THAT(why("models = 3\n"), HasSubstr("models"));
    EXPECT_THAT(why("[models.'a.b']\nurl = 'http://x/v1'\n"), HasSubstr("name"));
    EXPECT_THAT(why("[models.'a b']\nurl = 'http://x/v1'\n"), HasSubstr("name"));
    EXPECT_THAT(why("[models"), HasSubstr("c.toml:1"));
    std::string many;
    for (std::size_t i = 0; i <= k_max_models; ++i) {
        many += "[models.m" + std::to_string(i) + "]\nurl = 'http://x/v1'\n";
    }
    EXPECT_THAT(why(many), HasSubstr("more than 64"));
}

}  // namespace
}  // namespace atl
