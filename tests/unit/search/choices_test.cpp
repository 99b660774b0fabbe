// Models and strategies: chosen by bandits for operators that ask models, recorded, checked.

#include "search/decide.hpp"
#include "search/replay.hpp"
#include "tests/unit/search/asker.hpp"
#include "tests/unit/search/campaign_fixture.hpp"

#include <map>

namespace atl {
namespace {

using testing::Campaign;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::small_config;

ModelSettings model(const std::string& name) {
    ModelSettings settings;
    settings.name = name;
    settings.url = "http://127.0.0.1:1/v1";
    return settings;
}

class Choices : public ::testing::Test {
  protected:
    Choices() {
        m_campaign.config.strategies = {{"fuse", "Fuse the loops.", 1},
                                        {"wide", "Use wide loads.", 3}};
        m_campaign.config.strategy_choice.bandit = "fixed";
        m_campaign.config.stop.max_evaluations = 60;
    }

    [[nodiscard]] ReplayReport replayed(const std::vector<Event>& events) const {
        auto reader = JournalReader::open(m_campaign.path() / "journal");
        EXPECT_TRUE(reader);
        EXPECT_TRUE((*reader)->for_each(0, [](const auto&) { return Status(); }));
        return value_or_throw(replay_decisions(events, **reader, m_campaign.config, m_campaign.task,
                                               m_campaign.operators));
    }

    Campaign m_campaign{small_config()};
    std::shared_ptr<std::vector<testing::Asker::Told>> m_told =
        testing::add_asker(m_campaign.operators);
};

TEST_F(Choices, AStrategyIsChosenForTicketsThatAskAndToldToThem) {
    const auto report = m_campaign.run();
    ASSERT_TRUE(report) << report.error().message();
    std::map<std::string, int> chosen;
    std::size_t asked = 0;
    for (const Event& event : m_campaign.events()) {
        const auto* issued = std::get_if<TicketIssued>(&event);
        if (issued == nullptr) {
            continue;
        }
        ++chosen[issued->strategy];
        asked += issued->operator_name == "asker" ? 1 : 0;
        EXPECT_EQ(issued->strategy.empty(), issued->operator_name != "asker");
        EXPECT_EQ(issued->strategy_probability, issued->strategy == "fuse"   ? 0.25
                                                : issued->strategy == "wide" ? 0.75
                                                                             : 1);
    }
    EXPECT_GT(chosen["wide"], 0);
    EXPECT_GE(m_told->size(), asked);
    const auto was_told = [this](const std::string& text) {
        return std::any_of(m_told->begin(), m_told->end(),
                           [&text](const auto& told) { return told.strategy == text; });
    };
    EXPECT_TRUE(was_told("Use wide loads."));
    EXPECT_FALSE(was_told(""));
    EXPECT_EQ(report->state.strategy_arms().at("wide").issued,
              static_cast<std::uint64_t>(chosen["wide"]));
}

TEST_F(Choices, AreTakenAgainByReplay) {
    m_campaign.config.strategy_choice.bandit = "thompson";
    m_campaign.config.mix.bandit = "thompson";
    m_campaign.config.mix.mask_after = 2;
    m_campaign.config.models = {model("large"), model("small")};
    m_campaign.config.model_choice.bandit = "thompson";
    ASSERT_TRUE(m_campaign.run());
    std::vector<Event> events = m_campaign.events();
    EXPECT_THAT(replayed(events).differences, IsEmpty());
    for (int field = 0; field < 6; ++field) {
        std::vector<Event> changed = events;
        for (Event& event : changed) {
            auto* issued = std::get_if<TicketIssued>(&event);
            if (issued == nullptr || issued->operator_name != "asker") {
                continue;
            }
            issued->strategy_probability *= field == 0 ? 0.5 : 1;
            issued->model_probability *= field == 1 ? 0.5 : 1;
            issued->model = field == 2 ? "x" : issued->model;
            issued->strategy = field == 3 ? "x" : issued->strategy;
            issued->step = field == 4 ? StepSize::small : issued->step;
            issued->step_probability *= field == 5 ? 0.5 : 1;
            break;
        }
        EXPECT_THAT(replayed(changed).differences, Not(IsEmpty())) << field;
    }
}

// Arms that others in flight have not ended do not matter, so an interrupted campaign goes on the
// same.
TEST_F(Choices, GoOnTheSameAfterACrash) {
    m_campaign.config.strategy_choice.bandit = "ucb";
    m_campaign.config.engine.commit_order = "ticket";
    Campaign whole(m_campaign.config);
    whole.operators = m_campaign.operators;
    ASSERT_TRUE(whole.run());
    for (const std::uint64_t events : {40, 25}) {
        ASSERT_FALSE(m_campaign.run({}, events));
    }
    ASSERT_TRUE(m_campaign.run());
    const auto decisions = [](const Campaign& campaign) {
        std::map<std::uint64_t, std::string> all;
        for (const Event& event : campaign.events()) {
            if (const auto* issued = std::get_if<TicketIssued>(&event)) {
                all[issued->ticket] = issued->operator_name + " " + issued->strategy + " " +
                                      std::to_string(issued->strategy_probability);
            }
        }
        return all;
    };
    EXPECT_EQ(decisions(m_campaign), decisions(whole));
}

// By the shares of FixedBandit: 300 tickets, so within 4 * sqrt(0.1875 / 300) = 0.1.
TEST_F(Choices, AModelIsChosenWithItsRecordedProbability) {
    m_campaign.config.model_choice.bandit = "fixed";
    const auto report = m_campaign.run();
    ASSERT_TRUE(report) << report.error().message();
    m_campaign.config.models = {model("large"), model("small")};
    m_campaign.config.model_choice.weights = {{"large", 1}, {"small", 3}};
    const Strategies strategies(m_campaign.config, m_campaign.operators);
    auto reader = JournalReader::open(m_campaign.path() / "journal");
    ASSERT_TRUE(reader);
    ASSERT_TRUE((*reader)->for_each(0, [](const auto&) { return Status(); }));
    CandidateStore candidates(**reader, *m_campaign.task);
    double asked = 0;
    double small = 0;
    for (std::uint64_t ticket = 10'000; asked < 300; ++ticket) {
        const auto issued =
            decide_ticket(report->state, strategies, m_campaign.task, candidates, ticket);
        ASSERT_TRUE(issued && *issued);
        EXPECT_EQ((*issued)->model.empty(), (*issued)->operator_name != "asker");
        if (!(*issued)->model.empty()) {
            ++asked;
            small += (*issued)->model == "small" ? 1 : 0;
            EXPECT_EQ((*issued)->model_probability, (*issued)->model == "small" ? 0.75 : 0.25);
        }
    }
    EXPECT_NEAR(small / asked, 0.75, 0.1);
}

TEST(ModelChoiceConfig, GivesModelsTheirWeights) {
    const std::string models = "[models.a]\nurl = 'http://x/v1'\n[models.b]\nurl = 'http://x/v1'\n";
    using Weights = std::vector<std::pair<std::string, double>>;
    const auto weights = [&](const std::string& toml) {
        return model_weights(value_or_throw(parse_config(toml + models, "c.toml")));
    };
    EXPECT_EQ(weights(""), (Weights{{"a", 1}, {"b", 1}}));
    EXPECT_EQ(weights("[model_choice.weights]\nb = 3\n"), (Weights{{"b", 3}}));
    const auto why = [&](const std::string& toml) {
        return parse_config(toml + models, "c.toml").error().message();
    };
    EXPECT_THAT(why("[model_choice.weights]\nc = 3\n"), HasSubstr("a"));
    EXPECT_THAT(why("[model_choice.weights]\na = 0\n"), HasSubstr("no model is in use"));
}

TEST(StrategyConfig, IsReadByName) {
    const auto config = value_or_throw(parse_config(
        "[strategies.fuse]\ntext = 'Fuse.'\n[strategies.wide]\ntext = 'Widen.'\nweight = 2\n"
        "[strategy_choice]\nbandit = 'thompson'\ndecay = 0.5\n[model_choice]\ndecay = 0.25\n",
        "c.toml"));
    ASSERT_EQ(config.strategies.size(), 2u);
    EXPECT_EQ(config.strategies[0].name, "fuse");
    EXPECT_EQ(config.strategies[1].text, "Widen.");
    EXPECT_EQ(config.strategies[1].weight, 2);
    EXPECT_EQ(config.strategy_choice.bandit, "thompson");
    EXPECT_EQ(state_settings(config).strategy_decay, 0.5);
    EXPECT_EQ(state_settings(config).model_decay, 0.25);
    const auto again = value_or_throw(parse_config(write_config(config), "again.toml"));
    EXPECT_EQ(write_config(again), write_config(config));
    const auto why = [](const std::string& toml) {
        return parse_config(toml, "c.toml").error().message();
    };
    EXPECT_THAT(why("[strategies.fuse]\n"), HasSubstr("strategies.fuse.text"));
    EXPECT_THAT(why("[strategies.fuse]\ntexts = 'x'\n"), HasSubstr("strategies.fuse.text"));
    EXPECT_THAT(why("[strategies.fuse]\ntext = 'x'\nweight = 0\n"), HasSubstr("weight"));
    EXPECT_THAT(why("[strategies.'a b']\ntext = 'x'\n"), HasSubstr("letters"));
    EXPECT_THAT(why("strategies = 3\n"), HasSubstr("strategies"));
    EXPECT_THAT(why("[strategies.a]\ntext = '" + std::string(4097, 'x') + "'\n"),
                HasSubstr("4096"));
    EXPECT_THAT(why("[model_choice]\nbandit = 'x'\n"), HasSubstr("thompson"));
}

}  // namespace
}  // namespace atl
