#include "reward/inputs.hpp"
#include "reward/verifier/cases.hpp"
#include "tests/unit/reward/task_fixture.hpp"

#include <gtest/gtest.h>
#include <sys/time.h>

#include <memory>
#include <set>

namespace atl {
namespace {

/// y = the sum of everything: enough to see which inputs the oracle was asked about.
class CountingOracle final : public Oracle {
  public:
    Expected<ExpectedOutputs> run(const std::map<std::string, std::int64_t>& axes,
                                  const InputSet& inputs) const override {
        ++m_calls;
        m_seconds_left = seconds_left_now();
        double sum = inputs.scalars[2];
        for (std::int64_t i = 0; i < axes.at("rows") * axes.at("cols"); ++i) {
            sum += load_element(DType::f32, inputs.tensors[0].data(), i);
        }
        return ExpectedOutputs{
            std::vector<double>(static_cast<std::size_t>(axes.at("rows") * axes.at("cols")), sum)};
    }
    [[nodiscard]] int calls() const { return m_calls; }
    /// Of the timer that ran when it was asked last, rounded up.
    [[nodiscard]] long seconds_left() const { return m_seconds_left; }
    [[nodiscard]] static long seconds_left_now() {
        itimerval timer{};
        EXPECT_EQ(::getitimer(ITIMER_PROF, &timer), 0);
        return timer.it_value.tv_sec + (timer.it_value.tv_usec > 0 ? 1 : 0);
    }

  private:
    mutable int m_calls = 0;
    mutable long m_seconds_left = 0;
};

class VerifierCases : public ::testing::Test {
  protected:
    testing::SmallTask m_small;
    TaskLayout m_layout = value_or_throw(TaskLayout::create(m_small.task(), false));
    CountingOracle m_oracle;
};

TEST_F(VerifierCases, LayoutNumbersTensorsScalarsAndAxesAsALaunchDoes) {
    EXPECT_EQ(m_layout.tensor_inputs(), 2u);
    EXPECT_EQ(m_layout.tensors(), 3u);
    EXPECT_EQ(m_layout.tensor(2).name, "y");
    const BoundWorkload& odd = m_layout.workloads().front();
    EXPECT_EQ(odd.variable_axes, (std::vector<std::int64_t>{3, 17}));
    EXPECT_EQ(odd.scalars, std::vector<double>{1.5});
    EXPECT_EQ(odd.bytes, (std::vector<std::uint64_t>{3 * 17 * 4, 17 * 4, 3 * 17 * 4}));
}

// However many public workloads a file begins with.
TEST_F(VerifierCases, HiddenWorkloadsHavePlacesOfTheirOwn) {
    std::string lines;
    for (const bool hidden : {false, true}) {
        for (std::size_t i = 0; i <= k_most_workloads; ++i) {
            const int rows = hidden ? 3 : 2;
            const auto cols = static_cast<int>(100 + i);
            const std::string id = (hidden ? "h" : "p") + std::to_string(i);
            lines += testing::SmallTask::line("v" + id, rows, cols, "verify", hidden);
            lines += testing::SmallTask::line("m" + id, rows + 2, cols, "measure", hidden);
        }
    }
    m_small.write("workload.jsonl", lines);
    for (const bool with_hidden : {false, true}) {
        const TaskLayout layout = value_or_throw(TaskLayout::create(m_small.task(), with_hidden));
        const std::size_t expected = (with_hidden ? 2 : 1) * k_most_workloads;
        EXPECT_EQ(layout.verified().size(), expected);
        EXPECT_EQ(layout.measured().size(), expected);
    }
}

TEST_F(VerifierCases, HiddenWorkloadsTakePartOnlyWhenAskedFor) {
    const TaskLayout confirm = value_or_throw(TaskLayout::create(m_small.task(), true));
    EXPECT_EQ(m_layout.workloads().size(), 4u);
    EXPECT_EQ(confirm.workloads().size(), 6u);
    EXPECT_EQ(m_layout.measured().size(), 1u);
    EXPECT_EQ(confirm.measured().size(), 2u);
}

TEST_F(VerifierCases, LaunchIndicesFollowTheMessage) {
    auto buffers = SharedBuffers::create(m_layout.capacity(), m_layout.slots());
    ASSERT_TRUE(buffers);
    const auto launches = m_layout.launches(*buffers);
    ASSERT_EQ(launches.size(),
              m_layout.workloads().size() * 2 * static_cast<std::size_t>(m_layout.slots()));
    for (std::size_t w = 0; w < m_layout.workloads().size(); ++w) {
        for (int slot = 0; slot < m_layout.slots(); ++slot) {
            for (const Placement placement : {Placement::start, Placement::end}) {
                const auto& launch = launches[m_layout.launch_index(w, slot, placement)];
                EXPECT_EQ(launch.axes, m_layout.workloads()[w].variable_axes);
                EXPECT_EQ(launch.tensors[2].mapping, buffers->mapping_index(slot, 2));
                EXPECT_EQ(launch.tensors[2].offset,
                          buffers->offset(slot, 2, m_layout.workloads()[w].bytes[2], placement));
            }
        }
    }
}

TEST_F(VerifierCases, PoolHoldsEveryPairingSmallestFirstAndThreeLargeCases) {
    CasePool pool(m_layout, m_oracle);
    ASSERT_TRUE(pool.fill());
    EXPECT_EQ(pool.verified().size(), 3u * 2u);
    EXPECT_EQ(m_layout.workloads()[pool.verified().front().workload].workload->id, "one");
    ASSERT_EQ(pool.timed().size(), 1u);
    EXPECT_EQ(pool.timed()[0].cases.size(), 2u);
    ASSERT_EQ(pool.varied().size(), 1u);
    EXPECT_EQ(pool.varied()[0].workload, m_layout.measured()[0]);
    EXPECT_EQ(m_oracle.calls(), 9);
}

TEST_F(VerifierCases, TimedShapesMeetTheOtherDistributionsByTurns) {
    m_small.replace("definition.json", R"("ramp":)", R"("flat": {}, "wide": {}, "ramp":)");
    const TaskLayout layout = value_or_throw(TaskLayout::create(m_small.task(), false));
    CasePool pool(layout, m_oracle);
    ASSERT_TRUE(pool.fill());
    std::set<std::size_t> met;
    for (int i = 0; i < 3; ++i) {
        met.insert(pool.varied()[0].distribution);
        const auto old_inputs = pool.varied()[0].inputs.tensors[0];
        pool.varied()[0].exposed = i == 0;
        pool.varied()[0].uses = i == 1 ? CasePool::k_most_uses : 0;
        ASSERT_TRUE(pool.renew());
        EXPECT_EQ(pool.varied()[0].inputs.tensors[0] == old_inputs, i == 2);
    }
    EXPECT_EQ(met, (std::set<std::size_t>{1, 2, 3}));
}

TEST_F(VerifierCases, ATaskWithOneDistributionHasNoOtherOnes) {
    m_small.replace(
        "definition.json",
        R"("ramp": {"x": {"kind": "ramp", "start": -1, "step": 2}, "bias": {"kind": "uniform"}})",
        "");
    m_small.replace("definition.json", R"({"kind": "normal"}},)", R"({"kind": "normal"}})");
    const TaskLayout layout = value_or_throw(TaskLayout::create(m_small.task(), false));
    CasePool pool(layout, m_oracle);
    ASSERT_TRUE(pool.fill());
    EXPECT_TRUE(pool.varied().empty());
}

TEST_F(VerifierCases, CasesWithTheSameShapeNeverShareASeed) {
    const CaseMaker maker(m_layout, m_oracle);
    const auto first = maker.make(2, 0);
    const auto second = maker.make(2, 0);
    ASSERT_TRUE(first);
    ASSERT_TRUE(second);
    EXPECT_NE(first->inputs.tensors[0], second->inputs.tensors[0]);
    EXPECT_NE(first->inputs.tensors[1], second->inputs.tensors[1]);
}

TEST_F(VerifierCases, EveryCandidateGetsAFreshCaseAndExposedOnesAreReplaced) {
    CasePool pool(m_layout, m_oracle);
    ASSERT_TRUE(pool.fill());
    const int calls = m_oracle.calls();
    ASSERT_TRUE(pool.renew());
    EXPECT_GE(m_oracle.calls(), calls + 1);

    const auto old_inputs = pool.verified()[4].inputs.tensors[0];
    pool.verified()[4].exposed = true;
    ASSERT_TRUE(pool.renew());
    EXPECT_NE(pool.verified()[4].inputs.tensors[0], old_inputs);
    EXPECT_FALSE(pool.verified()[4].exposed);
}

TEST_F(VerifierCases, LargeCasesAreRenewedWhenIdleOrAtTheLatestWhenWornOut) {
    CasePool pool(m_layout, m_oracle);
    ASSERT_TRUE(pool.fill());
    while (pool.has_idle_work()) {
        ASSERT_TRUE(pool.do_idle_work());
    }
    EXPECT_EQ(pool.timed()[0].cases.size(), 4u);

    const auto old_inputs = pool.timed()[0].cases[1].inputs.tensors[0];
    pool.timed()[0].cases[1].uses = CasePool::k_uses_before_renewal;
    EXPECT_TRUE(pool.has_idle_work());
    ASSERT_TRUE(pool.renew());
    EXPECT_EQ(pool.timed()[0].cases[1].inputs.tensors[0], old_inputs) << "not yet worn out";
    pool.timed()[0].cases[1].uses = CasePool::k_most_uses;
    ASSERT_TRUE(pool.renew());
    EXPECT_NE(pool.timed()[0].cases[1].inputs.tensors[0], old_inputs);
    EXPECT_FALSE(pool.has_idle_work());

    pool.varied()[0].uses = CasePool::k_uses_before_renewal;
    EXPECT_TRUE(pool.has_idle_work());
    ASSERT_TRUE(pool.do_idle_work());
    EXPECT_EQ(pool.varied()[0].uses, 0);
    EXPECT_FALSE(pool.has_idle_work());
}

TEST_F(VerifierCases, AReferencesProcessorTimeIsLimitedWhileItIsAsked) {
    ASSERT_TRUE(CaseMaker(m_layout, m_oracle).make(0, 0));
    EXPECT_GT(m_oracle.seconds_left(), 0);
    EXPECT_LE(m_oracle.seconds_left(), k_most_oracle_seconds + 1) << "the kernel may round up";
    EXPECT_EQ(CountingOracle::seconds_left_now(), 0) << "it still runs after the answer";
}

}  // namespace
}  // namespace atl
