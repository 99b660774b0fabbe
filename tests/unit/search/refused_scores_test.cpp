#include "tests/unit/search/campaign_fixture.hpp"

namespace atl {
namespace {

using testing::Campaign;
using ::testing::Contains;
using ::testing::MatchesRegex;

/// A judge whose second word on a candidate is that it is hardly worth anything.
class FickleJudge final : public Evaluator {
  public:
    void submit(EvaluationRequest request, Done done) override {
        const bool again = request.level == Level::confirm;
        const bool starter = request.candidate.tune.empty();
        m_fake.submit(std::move(request), [again, starter, done](EvaluationResult result) {
            if (result) {
                result->scores = {{"score", again ? 1e-9 : starter ? 0.01 : 0.5}};
            }
            done(std::move(result));
        });
    }
    [[nodiscard]] EvaluatorStats stats() const override { return m_fake.stats(); }
    [[nodiscard]] int parallelism() const override { return m_fake.parallelism(); }
    [[nodiscard]] std::string fingerprint() const override { return m_fake.fingerprint(); }
    [[nodiscard]] std::string description() const override { return m_fake.description(); }

  private:
    testing::FakeEvaluator m_fake;
};

TEST(RefusedScores, TheRemarkSaysWhatWasScoredAndWhoseScoreStands) {
    auto task = std::make_shared<Task>(*testing::small_task());
    task->external.emplace();
    Campaign campaign(testing::small_config(), task);
    campaign.config.stop.max_evaluations = 20;
    FickleJudge judge;
    const auto report = campaign.run_with(judge);
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_THAT(campaign.recorder.remarks,
                Contains(MatchesRegex("individual .* was not confirmed: judged again it scored "
                                      "1e-09, and the first starter 0.[0-9]+")));
}

}  // namespace
}  // namespace atl
