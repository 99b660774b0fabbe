#include "tests/support/shell.hpp"
#include "tests/unit/search/campaign_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace atl {
namespace {

using testing::Campaign;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::run_shell;
using testing::ShellResult;

/// A campaign of the real engine and a made-up evaluator on a task of its own folder.
class CheckDecisions : public ::testing::Test {
  protected:
    void SetUp() override {
        const std::filesystem::path shipped =
            std::filesystem::path(ATOLL_SOURCE_DIR) / "experiments/tasks/prefix_sum";
        std::filesystem::copy(shipped, m_task, std::filesystem::copy_options::recursive);
        auto task = load_task(m_task);
        ASSERT_TRUE(task) << task.error().message();
        m_campaign.config.campaign.task = m_task.string();
        m_campaign.config.stop.max_evaluations = 40;
        m_campaign.task = *task;
    }

    void run(const std::string& version) {
        m_campaign.version = version;
        const auto report = m_campaign.run();
        ASSERT_TRUE(report) << report.error().message();
    }

    // The same journal, with another probability of one operator.
    void tamper() {
        const std::filesystem::path file = m_campaign.path() / "journal";
        const auto reader = JournalReader::open(file);
        ASSERT_TRUE(reader);
        std::vector<Event> events = m_campaign.events();
        ASSERT_TRUE((*reader)->for_each(0, [](const auto&) { return Status(); }));
        const std::filesystem::path other = m_folder.path() / "other";
        {
            auto journal = JournalWriter::open(other);
            ASSERT_TRUE(journal);
            bool done = false;
            for (Event& event : events) {
                if (const auto* evaluated = std::get_if<Evaluated>(&event)) {
                    for (const Digest& id :
                         {evaluated->individual.source, evaluated->individual.verdict}) {
                        ASSERT_TRUE((*journal)->put_text(*(*reader)->text(id)));
                    }
                } else if (const auto* confirmed = std::get_if<Confirmed>(&event)) {
                    ASSERT_TRUE((*journal)->put_text(*(*reader)->text(confirmed->verdict)));
                } else if (auto* issued = std::get_if<TicketIssued>(&event);
                           issued != nullptr && !done && issued->operator_name != "starter") {
                    issued->operator_probability *= 0.5;
                    done = true;
                }
                ASSERT_TRUE((*journal)->append(event));
            }
            ASSERT_TRUE((*journal)->sync());
        }
        std::filesystem::rename(other, file);
        std::filesystem::remove_all(m_campaign.path() / "snapshots");
    }

    [[nodiscard]] ShellResult check(const std::string& flags = "") const {
        return run_shell(std::string(ATOLL_BIN_DIR) + "/atoll lineage " +
                         m_campaign.path().string() + " check " + flags);
    }

    testing::TemporaryFolder m_folder;
    std::filesystem::path m_task = m_folder.path() / "prefix_sum";
    Campaign m_campaign;
};

TEST_F(CheckDecisions, AllOfASoundCampaignComeOutAgain) {
    run(ATOLL_VERSION);
    const ShellResult sound = check();
    EXPECT_EQ(sound.status, 0) << sound.out;
    EXPECT_THAT(sound.out, HasSubstr(" decisions taken again"));
    EXPECT_THAT(check("--json").out, HasSubstr("\"decisions\": "));
}

TEST_F(CheckDecisions, AProbabilityThatWasChangedIsAProblem) {
    run(ATOLL_VERSION);
    tamper();
    const ShellResult damaged = check();
    EXPECT_EQ(damaged.status, 1) << damaged.out;
    EXPECT_THAT(damaged.out, HasSubstr("is decided otherwise"));
}

TEST_F(CheckDecisions, AnotherVersionMayDecideOtherwise) {
    run("0.0.1");
    tamper();
    const ShellResult other = check();
    EXPECT_EQ(other.status, 0) << other.out;
    EXPECT_THAT(other.out, HasSubstr("is decided otherwise by this version"));
}

TEST_F(CheckDecisions, WithoutItsTaskTheyAreNotTakenAgain) {
    run(ATOLL_VERSION);
    std::ofstream(m_task / "reference.cpp", std::ios::app) << "\nint changed;\n";
    const ShellResult changed = check();
    EXPECT_EQ(changed.status, 0) << changed.out;
    EXPECT_THAT(changed.out, HasSubstr("not taken again"));
    std::filesystem::remove_all(m_task);
    const ShellResult gone = check();
    EXPECT_EQ(gone.status, 0) << gone.out;
    EXPECT_THAT(gone.out, HasSubstr("not taken again"));
    EXPECT_THAT(gone.out, Not(HasSubstr("decisions taken again")));
}

}  // namespace
}  // namespace atl
