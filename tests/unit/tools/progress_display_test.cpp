#include "tests/unit/tools/made_up_campaign.hpp"
#include "tools/atoll/progress.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace atl {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::lines_of;
using testing::MadeUpCampaign;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr std::int64_t k_second = 1'000'000'000;

/// A display whose output is kept.
class Kept {
  public:
    explicit Kept(ProgressStyle style, std::uint64_t evaluations_before = 0)
        : m_display(style, m_file, config(), texts, evaluations_before) {}
    ~Kept() { std::fclose(m_file); }
    Kept(const Kept&) = delete;
    Kept& operator=(const Kept&) = delete;

    ProgressDisplay* operator->() { return &m_display; }
    /// What was printed since the last call.
    std::string text() {
        std::string all;
        std::fseek(m_file, m_read, SEEK_SET);
        for (int c = 0; (c = std::fgetc(m_file)) != EOF;) {
            all += static_cast<char>(c);
        }
        m_read = std::ftell(m_file);
        return all;
    }
    nlohmann::json json() { return nlohmann::json::parse(text()); }

    testing::MadeUpTexts texts;

  private:
    static CampaignConfig config() {
        CampaignConfig made;
        made.score = "speedup";
        made.campaign.name = "quick";
        made.stop.seconds = 60;
        return made;
    }

    std::FILE* m_file = std::tmpfile();
    long m_read = 0;
    ProgressDisplay m_display;
};

TEST(ProgressDisplay, TheRateIsThatOfThisSession) {
    MadeUpCampaign campaign(1);
    campaign.add(0, 1, 1);
    campaign.add(0, 2, 2);
    Kept display(ProgressStyle::lines, campaign.state().evaluations());
    display->tick(campaign.state(), 100 * k_second);
    EXPECT_THAT(display.text(), HasSubstr("01:40 of 01:00, 00:00 left  evaluations 2  confirmed"));
    for (int i = 0; i < 5; ++i) {
        campaign.add(0, 1, 102);
    }
    display->tick(campaign.state(), 110 * k_second);
    EXPECT_THAT(display.text(), HasSubstr("evaluations 7 (0.5/s)"));
}

TEST(ProgressDisplay, ALogGetsALineEveryFiveSeconds) {
    const MadeUpCampaign campaign(1);
    Kept display(ProgressStyle::lines);
    for (int i = 0; i <= 100; ++i) {
        display->tick(campaign.state(), i * k_second / 10);
    }
    EXPECT_THAT(lines_of(display.text()),
                ElementsAre(StartsWith("00:00 of"), StartsWith("00:05 of"), StartsWith("00:10")));
}

TEST(ProgressDisplay, ThePanelIsRedrawnInPlaceAndTakenAway) {
    MadeUpCampaign campaign(1);
    Kept display(ProgressStyle::panel);
    display->tick(campaign.state(), 0);
    EXPECT_THAT(lines_of(display.text()), SizeIs(7));
    display->tick(campaign.state(), k_second / 10);
    EXPECT_THAT(display.text(), IsEmpty());
    display->remark("the compiler\x1b[2J was restarted");
    display->tick(campaign.state(), k_second);
    const std::string second = display.text();
    EXPECT_THAT(second, StartsWith("\x1b[7A\x1b[Jatoll  quick   00:01 of 01:00, 00:59 left\n"));
    EXPECT_THAT(second, HasSubstr("\nnote         the compiler?[2J was restarted\n"));
    display->clear();
    EXPECT_EQ(display.text(), "\x1b[8A\x1b[Jnote: the compiler?[2J was restarted\n");
    display->clear();
    EXPECT_THAT(display.text(), IsEmpty());
}

TEST(ProgressDisplay, RemarksOutliveThePanel) {
    MadeUpCampaign campaign(1);
    Kept display(ProgressStyle::panel);
    display->remark("0 of many");
    for (int i = 0; i < 23; ++i) {
        display->remark(std::to_string(i) + " of many");
    }
    display->ending({"budget spent", 0, true});
    display->tick(campaign.state(), 0);
    EXPECT_THAT(display.text(), Not(HasSubstr("22 of many")));  // the panel shows the last
    display->clear();
    const std::string left = display.text();
    EXPECT_THAT(left, AllOf(HasSubstr("note: 0 of many\nnote: 1 of many\n"),
                            HasSubstr("note: 19 of many\nnote: and 3 more in the run's logs/\n"),
                            Not(HasSubstr("20 of many")), Not(HasSubstr("budget spent"))));
    EXPECT_THAT(lines_of(left), SizeIs(21));
}

TEST(ProgressDisplay, QuietSaysNothing) {
    MadeUpCampaign campaign(1);
    Kept display(ProgressStyle::none);
    display->tick(campaign.state(), 0);
    display->remark("a remark");
    display->ending({"signal SIGINT", 1, false});
    display->event(campaign.confirm(campaign.add(0, 1, 1), true, 1, 2), campaign.state());
    display->clear();
    EXPECT_THAT(display.text(), IsEmpty());
}

TEST(ProgressDisplay, TheEndIsAnnouncedOnceAndShownAtOnce) {
    const MadeUpCampaign campaign(1);
    Kept display(ProgressStyle::lines);
    display->tick(campaign.state(), k_second);
    static_cast<void>(display.text());
    display->ending({"signal SIGTERM", 2, false, "signal SIGTERM"});
    EXPECT_EQ(display.text(),
              "note: signal SIGTERM: stopping: waiting for 2 evaluations, then confirming; "
              "Ctrl-C again ends at once\n");
    display->tick(campaign.state(), k_second * 11 / 10);
    EXPECT_THAT(display.text(), HasSubstr("00:01, stopping: waiting for 2 evaluations  eval"));
    display->ending({"signal SIGTERM", 0, true, "signal SIGTERM"});
    EXPECT_THAT(display.text(), IsEmpty());
    display->tick(campaign.state(), 7 * k_second);
    EXPECT_THAT(display.text(), HasSubstr("00:07, confirming the best  eval"));
}

TEST(ProgressDisplay, ASignalDuringAnotherEndSaysOnceWhatTheNextOneDoes) {
    Kept display(ProgressStyle::lines);
    display->ending({"budget spent", 2, false});
    EXPECT_EQ(display.text(),
              "note: budget spent: stopping: waiting for 2 evaluations, then confirming\n");
    display->ending({"budget spent", 1, false, "signal SIGINT"});
    EXPECT_EQ(display.text(),
              "note: signal SIGINT: stopping: waiting for 1 evaluation, then confirming; "
              "Ctrl-C again ends at once\n");
    display->ending({"budget spent", 0, true, "signal SIGINT"});
    EXPECT_THAT(display.text(), IsEmpty());
}

TEST(ProgressDisplay, AConfirmationsShareOfTheSpeedOfLightIsShownAfterAResumeToo) {
    MadeUpCampaign campaign(1);
    Kept display(ProgressStyle::panel);
    const Digest verdict = display.texts.put(to_json(testing::confirmation(400, {})));
    const Digest slower = display.texts.put(to_json(testing::confirmation(800, {})));
    const IndividualId best = campaign.add(0, 2, 1);
    const IndividualId other = campaign.add(0, 3, 2);
    const Confirmed accepted = campaign.confirm(best, true, 2, 3, verdict);
    const Confirmed refused = campaign.confirm(other, false, 1, 4, slower);
    display->event(accepted, campaign.state());
    display->event(refused, campaign.state());
    display->tick(campaign.state(), 5 * k_second);
    EXPECT_THAT(display.text(), HasSubstr("confirmed    2.00x, 25 % of the speed of light"));

    Kept resumed(ProgressStyle::panel);
    resumed.texts = display.texts;
    resumed->tick(campaign.state(), 5 * k_second);
    EXPECT_THAT(resumed.text(), HasSubstr("confirmed    2.00x, 25 % of the speed of light"));
}

TEST(ProgressDisplay, ARefutedBestTakesItsShareOfTheSpeedOfLightAlong) {
    MadeUpCampaign campaign(1);
    Kept display(ProgressStyle::panel);
    const Digest verdict = display.texts.put(to_json(testing::confirmation(400, {})));
    const Digest faster = display.texts.put(to_json(testing::confirmation(200, {})));
    const IndividualId first = campaign.add(0, 2, 1);
    const IndividualId refuted = campaign.add(0, 4, 2);
    const auto confirm = [&](IndividualId who, bool accepted, double at, const Digest& text) {
        display->event(campaign.confirm(who, accepted, 2, at, text), campaign.state());
    };
    confirm(first, true, 3, verdict);
    confirm(refuted, true, 4, faster);
    confirm(refuted, false, 5, faster);
    display->tick(campaign.state(), 6 * k_second);
    EXPECT_THAT(display.text(), HasSubstr("confirmed    2.00x, 25 % of the speed of light"));
}

TEST(ProgressDisplay, JsonSaysWhatThePanelShows) {
    MadeUpCampaign campaign(2);
    Kept display(ProgressStyle::json);
    display->tick(campaign.state(), 0);
    EXPECT_EQ(display.json(),
              nlohmann::json::parse(R"({"event": "progress", "elapsed_s": 0, "seconds_left": 60,
                  "evaluations": 0, "evaluations_per_second": 0, "best": 0, "estimate": 0,
                  "confirmed": null, "outcomes": {}, "models": [],
                  "islands": [{"best": 0, "kept": 0}, {"best": 0, "kept": 0}]})"));
    const IndividualId first = campaign.add(0, 4, 1);
    campaign.add(1, 0, 2);
    display->event(campaign.confirm(first, true, 2, 3), campaign.state());
    EXPECT_EQ(display.json(), nlohmann::json::parse(R"({"event": "confirmed", "individual": "0.0",
                  "accepted": true, "fitness": 2, "light_share": 0, "outcome": "passed",
                  "elapsed_s": 3})"));
    campaign.add(1, 5, 4);
    display->tick(campaign.state(), 8 * k_second);
    EXPECT_EQ(display.json(),
              nlohmann::json::parse(R"({"event": "progress", "elapsed_s": 8, "seconds_left": 52,
                  "evaluations": 3, "evaluations_per_second": 0.375, "best": 5, "estimate": 2.5,
                  "confirmed": 2, "outcomes": {"passed": 2, "wrong_result": 1}, "models": [],
                  "islands": [{"best": 2, "kept": 1}, {"best": 2.5, "kept": 1}]})"));
}

TEST(ProgressDisplay, JsonNamesEachNewBestOnce) {
    MadeUpCampaign campaign(1);
    Kept display(ProgressStyle::json);
    const Digest verdict = display.texts.put(to_json(testing::confirmation(400, {})));
    campaign.add(0, 2, 1, [&](Individual& one) { one.verdict = verdict; });
    display->event(TicketCommitted{}, campaign.state());
    EXPECT_EQ(display.json(), nlohmann::json::parse(R"({"event": "best", "individual": "0.0",
                  "fitness": 2, "estimate": 2, "time_ns": 0, "light_share": 0.25,
                  "operator": "tune", "starter": "tiled", "elapsed_s": 1})"));
    campaign.add(0, 1, 2);
    display->event(TicketCommitted{}, campaign.state());
    EXPECT_THAT(display.text(), IsEmpty());
}

// Operators, compilers and journals may say any bytes; a line that cannot be written must not end
// the campaign.
TEST(ProgressDisplay, JsonIsJsonWhateverTheBytes) {
    MadeUpCampaign campaign(1);
    Kept display(ProgressStyle::json);
    display->remark("not UTF-8: \xFF\xC0, and a control: \x1b");
    EXPECT_THAT(display.json().at("text"), AllOf(HasSubstr("not UTF-8: "), HasSubstr(": ?")));
    campaign.add(0, 2, 1, [](Individual& one) { one.starter = one.operator_name = "\xFF"; });
    display->event(TicketCommitted{}, campaign.state());
    EXPECT_EQ(display.json().at("event"), "best");
}

/// A terminal of so many columns.
class Terminal {
  public:
    explicit Terminal(unsigned short columns) : m_master(::posix_openpt(O_RDWR | O_NOCTTY)) {
        winsize size{};
        size.ws_row = 24;
        size.ws_col = columns;
        if (m_master < 0 || ::grantpt(m_master) != 0 || ::unlockpt(m_master) != 0) {
            return;
        }
        m_out = std::fopen(::ptsname(m_master), "w");
        if (m_out != nullptr) {
            termios plain{};
            ::tcgetattr(::fileno(m_out), &plain);
            ::cfmakeraw(&plain);
            ::tcsetattr(::fileno(m_out), TCSANOW, &plain);
            ::ioctl(::fileno(m_out), TIOCSWINSZ, &size);
        }
    }
    ~Terminal() {
        if (m_out != nullptr) {
            std::fclose(m_out);
        }
        ::close(m_master);
    }
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;

    [[nodiscard]] std::FILE* out() const { return m_out; }
    [[nodiscard]] std::string shown() const {
        std::string text;
        char chunk[4096];
        // What was written arrives in parts.
        for (pollfd ready{m_master, POLLIN, 0}; ::poll(&ready, 1, 200) > 0;) {
            const ssize_t size = ::read(m_master, chunk, sizeof(chunk));
            if (size <= 0) {
                break;
            }
            text.append(chunk, static_cast<std::size_t>(size));
        }
        return text;
    }

  private:
    int m_master;
    std::FILE* m_out = nullptr;
};

// A line that wraps would take two rows, and the next panel would be drawn over the wrong ones.
TEST(ProgressDisplay, NoLineWrapsHoweverNarrowTheTerminal) {
    for (const unsigned short columns : {132, 40, 12}) {
        const Terminal terminal(columns);
        if (terminal.out() == nullptr) {
            GTEST_SKIP() << "needs a pseudo terminal";
        }
        MadeUpCampaign campaign(1);
        campaign.add(0, 2, 1, [](Individual& one) { one.starter = std::string(200, 's'); });
        const testing::MadeUpTexts texts;
        CampaignConfig config;
        config.campaign.name = std::string(200, 'n');
        ProgressDisplay display(ProgressStyle::panel, terminal.out(), config, texts, 0);
        display.remark(std::string(500, 'r'));
        display.tick(campaign.state(), k_second);
        const auto lines = lines_of(terminal.shown());
        EXPECT_THAT(lines, SizeIs(8));
        std::size_t longest = 0;
        for (const std::string& line : lines) {
            longest = std::max(longest, line.size());
        }
        EXPECT_EQ(longest, columns - 1u);
    }
}

}  // namespace
}  // namespace atl
