#pragma once

#include "reward/base/sandbox.hpp"
#include "tests/adversarial/candidate_file.hpp"
#include "tests/support/processes.hpp"
#include "tests/support/sanitizer.hpp"
#include "tests/support/skip_or_fail.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <future>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace atl::testing {

struct BatchLimits {
    double compile_timeout_s = 120;
    double launch_timeout_s = 20;
};

/// A real evaluator for one group of candidates. All are handed over at once, so that the next one
/// compiles while the last one runs; each test then waits for its own verdict.
class CandidateBatch {
  public:
    explicit CandidateBatch(const BatchLimits& limits)
        : m_task(value_or_throw(load_task(k_adversarial_folder / "task"))) {
        LocalEvaluatorOptions options;
        options.required_sandbox = std::string(to_string(probe_sandbox().level));
        options.limits.compile_timeout_s = limits.compile_timeout_s;
        options.limits.launch_timeout_s = limits.launch_timeout_s;
        options.limits.memory_bytes = 256U << 20;
        options.limits.measure_seconds = 0.05;
        m_evaluator = value_or_throw(make_local_evaluator(options));
    }
    ~CandidateBatch() {
        m_evaluator.reset();
        EXPECT_TRUE(descendants(::getpid()).empty()) << "processes are left";
    }
    CandidateBatch(const CandidateBatch&) = delete;
    CandidateBatch& operator=(const CandidateBatch&) = delete;

    [[nodiscard]] Evaluator& evaluator() { return *m_evaluator; }
    [[nodiscard]] const TaskPtr& task() const { return m_task; }

    void submit(const ListedCandidate& file) {
        EvaluationRequest request;
        request.task = m_task;
        request.candidate.source = file.source;
        request.level = file.level;
        request.deadline = std::chrono::hours(1);
        if (file.level == Level::confirm) {
            request.rivals.push_back({"honest", {}, {}});
            request.rivals.back().candidate.source =
                text_of_file(k_adversarial_folder / "honest" / "sum_forward_double.cpp");
        }
        auto promise = std::make_shared<std::promise<EvaluationResult>>();
        m_results[file.name] = promise->get_future();
        m_evaluator->submit(std::move(request), [promise](EvaluationResult result) {
            promise->set_value(std::move(result));
        });
    }
    [[nodiscard]] EvaluationResult result_of(const ListedCandidate& file) {
        return m_results.at(file.name).get();
    }

  private:
    TaskPtr m_task;
    std::unique_ptr<Evaluator> m_evaluator;
    std::map<std::string, std::future<EvaluationResult>> m_results;
};

/// The tests of one suite share a batch that holds those of its candidates that will run.
template <class Suite>
class BatchTest : public ::testing::TestWithParam<ListedCandidate> {
  protected:
    static void SetUpTestSuite() {
        if (probe_sandbox().level == SandboxLevel::none) {
            return;
        }
        s_batch = std::make_unique<CandidateBatch>(Suite::k_limits);
        const ::testing::TestSuite& suite =
            *::testing::UnitTest::GetInstance()->current_test_suite();
        for (int i = 0; i < suite.total_test_count(); ++i) {
            const ListedCandidate& file = Suite::candidates().at(static_cast<std::size_t>(i));
            if (suite.GetTestInfo(i)->should_run() && can_be_limited(file)) {
                s_batch->submit(file);
            }
        }
    }
    static void TearDownTestSuite() { s_batch.reset(); }

    void SetUp() override {
        if (!s_batch) {
            ATOLL_SKIP_OR_FAIL("no jail on this machine, so no attack runs: see atoll doctor");
        }
        if (!can_be_limited(GetParam())) {
            GTEST_SKIP() << "no address space limits under a sanitizer";
        }
    }

    /// What holds for every candidate, friend or foe.
    static void check(const ListedCandidate& file) {
        const EvaluationResult result = s_batch->result_of(file);
        ASSERT_TRUE(result) << "a fault of ours: " << result.error().error.message();
        const std::string outcome(to_string(result->outcome));
        ::testing::Test::RecordProperty("outcome", outcome);
        std::cout << "           " << outcome << ": " << result->reason.substr(0, 150) << "\n";
        EXPECT_TRUE(file.expected.contains(result->outcome)) << outcome << ": " << result->reason;
        EXPECT_FALSE(result->reason.empty());
        check_secrets(file, *result);
        if (result->outcome == Outcome::passed) {
            check_times(file, *result);
            check_memory(file, *result);
        }
    }

  private:
    /// What needs the limit on memory could otherwise take all that the machine has.
    static bool can_be_limited(const ListedCandidate& file) {
        return file.limits != "memory" || !k_under_sanitizer;
    }
    static void check_secrets(const ListedCandidate& file, const Verdict& verdict) {
        const std::string all = to_json(verdict);
        for (const std::string& secret : {std::string("root:"), file.never_says}) {
            if (!secret.empty()) {
                EXPECT_EQ(all.find(secret), std::string::npos) << verdict.reason;
            }
        }
    }
    static void check_times(const ListedCandidate& file, const Verdict& verdict) {
        ASSERT_EQ(verdict.measure.has_value(), file.level != Level::verify);
        if (!verdict.measure || file.at_least_us == 0) {
            return;
        }
        ASSERT_FALSE(verdict.measure->workloads.empty());
        for (const WorkloadTiming& timing : verdict.measure->workloads) {
            // Times on the clock are divided by both ratios; their limit has to be, too.
            EXPECT_GE(timing.median_ns, 1000 * file.at_least_us /
                                            std::max(1.0, timing.anchor_ratio) /
                                            std::max(1.0, timing.clock_ratio))
                << timing.workload << " of " << timing.samples_ns.size() << " samples, ratios "
                << timing.anchor_ratio << " and " << timing.clock_ratio;
        }
    }
    static void check_memory(const ListedCandidate& file, const Verdict& verdict) {
        EXPECT_EQ(verdict.memory_bytes.has_value(), file.level != Level::confirm);
        if (file.at_least_mib > 0) {
            EXPECT_GE(static_cast<double>(verdict.memory_bytes.value_or(0)),
                      file.at_least_mib * (1 << 20));
        }
    }

    inline static std::unique_ptr<CandidateBatch> s_batch;
};

}  // namespace atl::testing
