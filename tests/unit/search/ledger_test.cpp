#include "search/ledger.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atl {
namespace {

/// Takes everything, keeps nothing.
class NoJournal final : public JournalWriter {
  public:
    Expected<std::string> text(const Digest&) const override {
        return failure(ErrorCode::not_found, "no texts here");
    }
    Expected<Digest> put_text(std::string_view text, const Digest&) override {
        return content_id(text);
    }
    Status append(const Event&) override {
        ++m_events;
        return {};
    }
    Status sync() override { return {}; }
    std::uint64_t event_count() const override { return m_events; }
    std::uint64_t position() const override { return m_events; }

  private:
    std::uint64_t m_events = 0;
};

// A snapshot costs as much as the state is large: at a fixed distance their sum would grow with the
// square of the events.
TEST(Ledger, SnapshotsGetRarerAsTheStateGrows) {
    NoJournal journal;
    std::vector<std::uint64_t> taken;
    Ledger::Options options;
    options.snapshot_every = 10;
    options.snapshot = [&](const CampaignState& state, std::uint64_t position) {
        EXPECT_EQ(position, state.events_applied());
        taken.push_back(position);
        return Status();
    };
    Ledger ledger(CampaignState(StateSettings{}), journal, options);
    ASSERT_TRUE(ledger.record(CampaignStarted{}));
    std::uint64_t last = 0;
    for (std::uint64_t i = 1; i < 100'000; ++i) {
        ASSERT_TRUE(ledger.record(CampaignStopped{"", false, 0}));
        ASSERT_TRUE(ledger.sync());
        last = taken.empty() ? 0 : taken.back();
        ASSERT_LE(ledger.state().events_applied() - last,
                  std::max<std::uint64_t>(10, ledger.state().events_applied() / 4));
    }
    std::uint64_t cost = 0;
    for (const std::uint64_t events : taken) {
        cost += events;
    }
    EXPECT_EQ(taken.front(), 10u);
    EXPECT_LT(cost, 500'000u);
    EXPECT_LT(taken.size(), 50u);
}

}  // namespace
}  // namespace atl
