#pragma once

#include "mutators/operators/model_operators.hpp"
#include "tests/support/fake_model.hpp"
#include "tests/unit/search/campaign_fixture.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <utility>

namespace atl::testing {

/// A model in the engine's process that is no slower than a call of a function. Thread-safe.
class InstantModel final : public ChatModel {
  public:
    using Answer = std::function<Expected<ChatReply>(const ChatCall&)>;
    explicit InstantModel(Answer answer) : m_answer(std::move(answer)) {}
    void submit(ChatCall call, Done done) override {
        ++calls;
        std::thread([answer = m_answer(call), done = std::move(done)]() mutable {
            done(std::move(answer));
        }).detach();
    }
    std::atomic<int> calls = 0;

  private:
    Answer m_answer;
};

/// What a model makes of the last program in the prompt: it is longer by a declaration, whose name
/// follows from the question and its ticket. "int b" is what small_time_ns() finds better.
[[nodiscard]] inline std::string child_of(const ChatCall& call) {
    const std::string name = std::to_string(call.candidate) + "_" +
                             content_id(call.request.messages.back().content).hex().substr(0, 12);
    return "Change: adds a declaration\n```cpp\nint b;\nint x" + name + ";\n```\n";
}

/// A campaign of small_config() that asks `model`, which answers with child_of() where it is not
/// told otherwise.
class ModelCampaign : public Campaign {
  public:
    explicit ModelCampaign(CampaignConfig c = small_config()) : Campaign(std::move(c)) {
        ModelSettings settings;
        settings.name = "coder";
        settings.url = "http://127.0.0.1:1/v1";
        settings.price = Price{1, {}, 10};
        config.models = {settings};
        config.mix.bandit = "fixed";
        config.mix.weights = {{"rewrite", 1}, {"tune", 1}};
        ModelOperatorOptions options;
        options.budget.repairs = 0;
        auto made = campaign_operators(*task, options);
        EXPECT_TRUE(made) << made.error().message();
        operators = std::move(*made);
        model = &instant;
    }

    InstantModel instant{
        [](const ChatCall& call) -> Expected<ChatReply> { return fake_reply(child_of(call)); }};
};

}  // namespace atl::testing
