// `atoll recipe`, and what `atoll run` makes of recipe, config and single keys.

#include "tests/integration/running_campaign.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace atl {
namespace {

using ::testing::AllOf;
using testing::atoll;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Result;
using testing::text_of;

namespace fs = std::filesystem;

class RecipeCommand : public testing::JudgedCampaign {
  protected:
    [[nodiscard]] std::string file(const std::string& name, const std::string& text) const {
        const fs::path path = m_folder.path() / name;
        std::ofstream(path) << text;
        return path.string();
    }
    [[nodiscard]] std::string resolved() const { return text_of(run() / "config.toml"); }
};

TEST_F(RecipeCommand, ARunTakesTheRecipeThenTheConfigThenSingleKeys) {
    const std::string recipe = file("mine.toml",
                                    "[recipe]\ntitle = 'mine'\n"
                                    "[archive]\nsize = 5\n[islands]\ncount = 3\n"
                                    "[selector]\nname = 'power_law'\n");
    const std::string config = file("c.toml", "[archive]\nsize = 6\n[islands]\ncount = 4\n");
    const Result result = atoll("run " + config + " --recipe " + recipe + " --task " +
                                task().string() + " --set archive.size=7 --set campaign.seed=9" +
                                " --max-evaluations 4 --quiet --output " + run().string());
    ASSERT_EQ(result.status, 0) << result.output;
    EXPECT_THAT(resolved(), AllOf(HasSubstr("name = \"power_law\""), HasSubstr("count = 4"),
                                  HasSubstr("size = 7"), HasSubstr("seed = 9"),
                                  HasSubstr("name = \"mine-mine\"")));
    expect_checked();
}

TEST_F(RecipeCommand, ARunNeedsATaskAndSaysSo) {
    const Result none = atoll("run --recipe openevolve");
    EXPECT_EQ(none.status, 2);
    EXPECT_THAT(none.output, HasSubstr("recipe openevolve: campaign.task is missing"));
    EXPECT_THAT(none.output, HasSubstr("--task"));
    const Result nothing = atoll("run");
    EXPECT_EQ(nothing.status, 2);
    EXPECT_THAT(nothing.output, HasSubstr("--recipe"));
    const Result wrong = atoll("run --recipe openevolve --task x --set archive.sise=3");
    EXPECT_EQ(wrong.status, 2);
    EXPECT_THAT(wrong.output, HasSubstr("did you mean \"archive.size\"?"));
}

TEST_F(RecipeCommand, ListShowAndDiffTellWhatThereIs) {
    const Result list = atoll("recipe list");
    EXPECT_EQ(list.status, 0);
    EXPECT_THAT(list.output, HasSubstr("openevolve"));
    const auto all = nlohmann::json::parse(atoll("recipe list --json").output);
    EXPECT_FALSE(all.at(0).at("source").get<std::string>().empty());
    const auto shown = nlohmann::json::parse(atoll("recipe show openevolve --json").output);
    EXPECT_EQ(shown.at("keys").at("archive.kind").at("recipe"), "\"grid\"");
    const Result text = atoll("recipe show openevolve");
    EXPECT_THAT(text.output, AllOf(HasSubstr("approximated"), HasSubstr("islands.count = 5")));
    const std::string other = file("other.toml", "islands.count = 5\narchive.kind = 'pareto'\n");
    const Result diff = atoll("recipe diff openevolve " + other);
    EXPECT_EQ(diff.status, 0) << diff.output;
    EXPECT_THAT(diff.output, AllOf(HasSubstr("- archive.kind = \"grid\"\n+ archive.kind = "
                                             "\"pareto\"\n"),
                                   Not(HasSubstr("islands.count"))));
    EXPECT_EQ(atoll("recipe show opnevolve").status, 2);
}

TEST_F(RecipeCommand, AnImportNamesWhatItCouldNotHonour) {
    const std::string yaml =
        file("oe.yaml", "max_iterations: 4\nlog_level: INFO\ndatabase: {num_islands: 2}\n");
    const fs::path made = m_folder.path() / "made.toml";
    const Result result = atoll("recipe import " + yaml + " -o " + made.string());
    ASSERT_EQ(result.status, 0) << result.output;
    EXPECT_THAT(result.output, HasSubstr("not honoured: log_level (line 2): "));
    EXPECT_THAT(result.output, HasSubstr("database.num_islands -> islands.count=2"));
    EXPECT_THAT(text_of(made), HasSubstr("#   log_level: "));
    EXPECT_EQ(atoll("recipe import " + yaml + " -o " + made.string()).status, 2) << "is there";
    const auto json = nlohmann::json::parse(atoll("recipe import --json " + yaml).output);
    EXPECT_EQ(json.at("unhonoured").at(0).at("key"), "log_level");
    EXPECT_EQ(json.at("config"), text_of(made));
    const Result bad = atoll("recipe import " + file("bad.yaml", "a: [1\n"));
    EXPECT_EQ(bad.status, 2);
    EXPECT_THAT(bad.output, HasSubstr("not valid YAML"));
}

}  // namespace
}  // namespace atl
