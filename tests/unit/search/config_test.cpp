#include "search/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

namespace atl {
namespace {

using ::testing::HasSubstr;

std::vector<SettingInfo> infos_of(CampaignConfig& config) {
    return list_settings([&](SettingVisitor& v) { declare(config, v); });
}

// A TOML value that differs from the default and is allowed.
std::string other_value(const SettingInfo& info) {
    if (info.type == "boolean") {
        return info.default_value == "true" ? "false" : "true";
    }
    if (info.key == "agent.command") {
        return "[\"something\"]";
    }
    if (info.key == "agent.address") {
        return "\"unix:/run/agent\"";
    }
    if (info.type == "text" || info.type == "name") {
        return "\"something\"";
    }
    if (info.type == "choice") {
        for (std::size_t at = info.range.find(": ") + 2; at < info.range.size();) {
            const std::size_t end = std::min(info.range.find(", ", at), info.range.size());
            const std::string choice = "\"" + info.range.substr(at, end - at) + "\"";
            if (choice != info.default_value) {
                return choice;
            }
            at = end + 2;
        }
        return "";
    }
    if (info.key == "model_choice.weights") {
        return "";  // of models, which this config has none of
    }
    if (info.type == "table of numbers") {
        return "{ tune = 2.0 }";
    }
    if (info.key == "campaign.schema") {
        return "";  // there is one version so far
    }
    if (info.key == "archive.axes") {
        return "['error 0 1 4', 'tune:TILE 0 256 8']";
    }
    if (info.key == "memory.inspirations") {
        return "['random', 'good']";
    }
    if (info.key == "archive.objectives") {
        return "['time:w0', 'binary_bytes']";
    }
    const std::size_t to = info.range.find(" to ");
    if (to == std::string::npos) {
        return "4242";  // no upper end
    }
    const std::string low = info.range.substr(0, to);
    const std::string high = info.range.substr(to + 4);
    return low != info.default_value ? low : high;
}

TEST(Config, AConfigOfANewerVersionSaysThatAndNothingElse) {
    const auto config =
        parse_config("campaign.schema = 2\ncampaign.frobnicate = 1\nislands.count = 0\n", "c.toml");
    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().code, ErrorCode::too_new);
    EXPECT_EQ(config.error().message(),
              "c.toml: campaign.schema: this config was written for version 2 of campaign configs; "
              "this program knows version 1 (use a newer Atoll)");
    EXPECT_TRUE(parse_config("campaign.schema = 1\n", "c.toml"));
    EXPECT_FALSE(parse_config("campaign.schema = 0\n", "c.toml"));
}

// Every declared key is read from the file into the config, and written back.
TEST(Config, EveryKeyIsReadAndWritten) {
    CampaignConfig defaults;
    std::set<std::string> seen;
    for (const SettingInfo& info : infos_of(defaults)) {
        EXPECT_TRUE(seen.insert(info.key).second) << info.key << " is declared twice";
        EXPECT_GT(info.meaning.size(), 10u) << info.key;
        const std::string value = other_value(info);
        if (value.empty()) {
            continue;  // a choice of one
        }
        auto config = parse_config(info.key + " = " + value + "\n", "c.toml");
        ASSERT_TRUE(config) << config.error().message();
        std::size_t changed = 0;
        for (const SettingInfo& now : infos_of(*config)) {
            if (now.key == info.key) {
                EXPECT_NE(now.default_value, info.default_value) << info.key;
            }
            for (const SettingInfo& before : infos_of(defaults)) {
                changed +=
                    before.key == now.key && before.default_value != now.default_value ? 1 : 0;
            }
        }
        EXPECT_EQ(changed, 1u) << info.key;
        const auto back = parse_config(write_config(*config), "back.toml");
        ASSERT_TRUE(back) << back.error().message();
        EXPECT_EQ(write_config(*back), write_config(*config)) << info.key;
    }
    EXPECT_GT(seen.size(), 40u);
}

TEST(Config, AMistypedKeyIsAnErrorWithASuggestion) {
    const auto config = parse_config("[selector]\nlamda = 3\n", "c.toml");
    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().code, ErrorCode::invalid_argument);
    EXPECT_THAT(config.error().message(), HasSubstr("c.toml:2: selector.lamda: unknown key; did "
                                                    "you mean \"selector.lambda\"?"));
}

TEST(Config, ACampaignsNameCannotLeaveTheFolderOfRuns) {
    const auto config = parse_config("[campaign]\nname = '../../evil name'\n", "c.toml");
    ASSERT_FALSE(config);
    EXPECT_THAT(config.error().message(),
                HasSubstr("c.toml:2: campaign.name: \"../../evil name\" is not a name: letters"));
    EXPECT_TRUE(parse_config("[campaign]\nname = ''\n", "c.toml"));
}

TEST(Config, RangesAreShownAsPeopleWriteThem) {
    const auto config = parse_config("[stop]\nseconds = -1\n", "c.toml");
    ASSERT_FALSE(config);
    EXPECT_THAT(config.error().message(),
                HasSubstr("-1 is out of range: at least 0 and at most 1e+09"));
}

TEST(Config, NoOperatorAtAllIsAnError) {
    EXPECT_FALSE(parse_config("[operators.weights]\ntune = 0\n", "c.toml"));
    const auto one = parse_config("[operators.weights]\ntune = 0\ncrossover = 2\n", "c.toml");
    ASSERT_TRUE(one);
    EXPECT_THAT(operator_weights(*one), ::testing::ElementsAre(::testing::Pair("crossover", 2.0)));
}

// Shares of an infinite sum are zero: no operator would ever be drawn.
TEST(Config, WeightsWhoseSumIsNoNumberAreAnError) {
    const auto config =
        parse_config("[operators.weights]\ntune = 1e308\ncrossover = 1e308\n", "c.toml");
    ASSERT_FALSE(config);
    EXPECT_THAT(config.error().message(), HasSubstr("c.toml: operators.weights: their sum"));
    EXPECT_TRUE(parse_config("[operators.weights]\ntune = 1e308\n", "c.toml"));
}

TEST(Config, LintFindsIslandsWithoutMigration) {
    CampaignConfig config;
    config.stop.seconds = 1;
    EXPECT_THAT(lint_config(config), ::testing::IsEmpty());
    config.migration.topology = "none";
    EXPECT_THAT(lint_config(config), ::testing::Contains(HasSubstr("nothing migrates")));
    config.islands.count = 1;
    EXPECT_THAT(lint_config(config), ::testing::IsEmpty());
    config.stop.seconds = 0;
    EXPECT_THAT(lint_config(config), ::testing::Contains(HasSubstr("no stop rule")));
}

TEST(Config, AxesAndObjectivesAreMeasuresThatExist) {
    for (const auto& [text, complaint] : std::map<std::string, std::string>{
             {"axes = ['time 0 1']", "archive.axes: axis \"time 0 1\" is not a measure and three"},
             {"axes = []", "archive.axes: a grid needs at least one axis"},
             {"axes = ['tme 0 1 2']", "did you mean \"time\"?"},
             {"axes = ['time 0 1 99999']", "bins"},
             {"objectives = []", "archive.objectives: between 1 and 16 are needed"},
             {"objectives = ['speed']", "archive.objectives: \"speed\" is no measure"}}) {
        const auto config = parse_config("[archive]\n" + text + "\n", "c.toml");
        ASSERT_FALSE(config) << text;
        EXPECT_THAT(config.error().message(), HasSubstr(complaint));
    }
}

TEST(Config, AnArchiveLooksAtSixteenMeasuresAtMost) {
    const auto with = [](const std::string& key, const std::string& item, int count) {
        std::string text = "[archive]\n" + key + " = [";
        for (int i = 0; i < count; ++i) {
            text += item + ", ";
        }
        return parse_config(text + "]\n", "c.toml");
    };
    for (const auto& [key, item] :
         {std::pair{"axes", "'time 0 1 1'"}, std::pair{"objectives", "'time'"}}) {
        EXPECT_TRUE(with(key, item, 16)) << key;
        const auto config = with(key, item, 17);
        ASSERT_FALSE(config) << key;
        EXPECT_THAT(config.error().message(), HasSubstr("c.toml: archive." + std::string(key)));
        EXPECT_THAT(config.error().message(), HasSubstr("16"));
    }
}

// What leaves the config for another room arrives there.
TEST(Config, EvaluatorAndStateGetTheirSettings) {
    const auto config = parse_config(
        "[evaluation]\ndevice_cores = 2\ndevices = 3\ngpu = 2\ncompile_workers = 4\ncompiler = "
        "'cc'\n"
        "sandbox = 'restricted'\nmemory_mb = 100\ncompile_timeout_s = 5\nlaunch_timeout_s = 6\n"
        "confidence = 0.07\nmeasure_seconds = 0.8\nprotocol = \"kernelgym\"\n"
        "[islands]\ncount = 5\n[archive]\nsize = 9\n[operators]\ndecay = 0.5\n"
        "[migration]\ntopology = 'random'\ndegree = 3\n",
        "c.toml");
    ASSERT_TRUE(config) << config.error().message();
    const LocalEvaluatorOptions options = evaluator_options(*config);
    EXPECT_EQ(options.device_cores, 2);
    EXPECT_EQ(options.devices, 3);
    EXPECT_EQ(options.gpus, (std::vector<int>{2}));
    EXPECT_EQ(options.compile_workers, 4);
    EXPECT_EQ(options.compiler, "cc");
    EXPECT_EQ(options.required_sandbox, "restricted");
    EXPECT_EQ(options.limits.memory_bytes, 100u << 20);
    EXPECT_EQ(options.limits.compile_timeout_s, 5);
    EXPECT_EQ(options.limits.launch_timeout_s, 6);
    EXPECT_EQ(options.limits.confidence, 0.07);
    EXPECT_EQ(options.limits.measure_seconds, 0.8);
    EXPECT_EQ(options.limits.protocol, "kernelgym");
    const StateSettings state = state_settings(*config);
    EXPECT_EQ(state.islands, 5u);
    EXPECT_EQ(state.archive.size, 9);
    EXPECT_EQ(state.archive, config->archive);
    EXPECT_EQ(state.bandit_decay, 0.5);
    EXPECT_EQ(campaign_topology(*config).edges().size(), 15u);
}

}  // namespace
}  // namespace atl
