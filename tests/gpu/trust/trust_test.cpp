// Every CUDA candidate of tests/adversarial through the evaluator of a real GPU: none that cheats
// may pass, every honest one must.

#include "reward/base/sandbox.hpp"
#include "tests/gpu/trust/trust_fixture.hpp"

#include <cstdio>
#include <set>

namespace atl {
namespace {

using testing::Judged;
using testing::ListedCandidate;

std::string test_name(const ::testing::TestParamInfo<ListedCandidate>& info) {
    return info.param.name;
}

/// All of them are submitted before the first is waited for, so that compilers and device are busy.
class Trust : public ::testing::TestWithParam<ListedCandidate> {
  public:
    static void SetUpTestSuite() {
        const ::testing::TestSuite& suite =
            *::testing::UnitTest::GetInstance()->current_test_suite();
        for (int i = 0; i < suite.total_test_count(); ++i) {
            const ListedCandidate& file = all().at(static_cast<std::size_t>(i));
            if (suite.GetTestInfo(i)->should_run() && may_run(file)) {
                s_waiting[file.name] = testing::submit(file);
            }
        }
        s_begin = std::chrono::steady_clock::now();
    }

    static void TearDownTestSuite() {
        const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - s_begin;
        std::printf("%zu candidates in %.1f s (%.1f a second); %zu misfits\n", s_count,
                    taken.count(), static_cast<double>(s_count) / taken.count(), s_misfits.size());
        for (const std::string& line : s_misfits) {
            std::printf("  %s\n", line.c_str());
        }
        s_waiting.clear();
    }

    static const std::vector<ListedCandidate>& all() {
        static const std::vector<ListedCandidate> files = [] {
            std::vector<ListedCandidate> loaded = testing::load_candidates("cuda/attacks");
            for (ListedCandidate& file : testing::load_candidates("cuda/honest")) {
                file.name = "honest_" + file.name;
                loaded.push_back(std::move(file));
            }
            return loaded;
        }();
        return files;
    }

  protected:
    void SetUp() override {
        if (!may_run(GetParam())) {
            GTEST_SKIP() << "there is no jail here, and this one would do harm";
        }
    }
    void check(const ListedCandidate& file) {
        const EvaluationResult result = s_waiting.at(file.name).get().result;
        ++s_count;
        if (!result) {
            ADD_FAILURE() << "a fault of ours: " << result.error().error.message();
            s_misfits.push_back(file.name + ": fault of ours");
            return;
        }
        check_verdict(file, *result);
        if (HasFailure()) {
            s_misfits.push_back(file.name + ": " + std::string(to_string(result->outcome)) + ", " +
                                result->reason.substr(0, 120));
        }
    }

  private:
    static bool may_run(const ListedCandidate& file) {
        static const bool jail = probe_sandbox().level != SandboxLevel::none;
        return jail || file.limits != "jail";
    }
    static void check_verdict(const ListedCandidate& file, const Verdict& verdict) {
        const std::string outcome(to_string(verdict.outcome));
        RecordProperty("outcome", outcome);
        std::printf("           %s: %.150s\n", outcome.c_str(), verdict.reason.c_str());
        EXPECT_TRUE(file.expected.contains(verdict.outcome)) << outcome << ": " << verdict.reason;
        EXPECT_FALSE(verdict.reason.empty());
        for (const std::string& secret : {std::string("root:"), file.never_says}) {
            if (!secret.empty()) {
                EXPECT_EQ(to_json(verdict).find(secret), std::string::npos) << verdict.reason;
            }
        }
        if (verdict.outcome == Outcome::passed && file.level != Level::verify) {
            check_times(file, verdict);
        }
    }
    static void check_times(const ListedCandidate& file, const Verdict& verdict) {
        ASSERT_TRUE(verdict.measure.has_value());
        ASSERT_FALSE(verdict.measure->workloads.empty());
        for (const WorkloadTiming& timing : verdict.measure->workloads) {
            EXPECT_GE(timing.median_ns, 1000 * file.at_least_us) << timing.workload;
            EXPECT_GT(timing.reverified, 0) << timing.workload;
        }
    }

    inline static std::map<std::string, std::future<Judged>> s_waiting;
    inline static std::chrono::steady_clock::time_point s_begin;
    inline static std::vector<std::string> s_misfits;
    inline static std::size_t s_count = 0;
};

TEST_P(Trust, GetsItsVerdict) {
    check(GetParam());
}
INSTANTIATE_TEST_SUITE_P(Gpu, Trust, ::testing::ValuesIn(Trust::all()), test_name);

}  // namespace
}  // namespace atl
