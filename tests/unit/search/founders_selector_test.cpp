#include "search/config.hpp"
#include "search/selectors/selector.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atl {
namespace {

using ::testing::ElementsAre;

std::vector<SelectorEntry> entries(std::vector<bool> founders) {
    std::vector<SelectorEntry> made;
    for (const bool founder : founders) {
        SelectorEntry entry;
        entry.fitness = 10 - static_cast<double>(made.size());
        entry.founder = founder;
        made.push_back(entry);
    }
    return made;
}

TEST(FoundersSelector, ChoosesStartersAloneAndAlike) {
    SelectorSettings settings;
    settings.name = "founders";
    const Selector selector = make_selector(settings);
    EXPECT_THAT(selector.probabilities(entries({false, true, false, true})),
                ElementsAre(0, 0.5, 0, 0.5));
    EXPECT_THAT(selector.probabilities(entries({true})), ElementsAre(1));
    EXPECT_THAT(selector.probabilities(entries({false, false})), ElementsAre(0.5, 0.5))
        << "an archive that kept none";
}

}  // namespace
}  // namespace atl
