#include "reward/gpu/gpu_task.hpp"

#include "tests/unit/cuda/judged_task.hpp"
#include "tests/unit/cuda/simulated_support_kernels.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

namespace atl {
namespace {

using testing::JudgedTask;
using testing::SmallTask;

class GpuTaskTest : public ::testing::Test {
  protected:
    GpuTools tools() { return {m_gpu, m_kernels, m_stream.handle()}; }
    std::unique_ptr<GpuTask> load(const TaskPtr& task) {
        return value_or_throw(GpuTask::create(task, false, m_judged.reference(), tools()));
    }
    /// What a runner does with what is shared: memory of this process too, on this device.
    std::vector<GpuMapping> map(const std::vector<const GpuAllocation*>& allocations) {
        std::vector<GpuMapping> mappings;
        for (const GpuAllocation* allocation : allocations) {
            mappings.push_back(value_or_throw(GpuMapping::map(m_gpu, *allocation)));
        }
        return mappings;
    }
    static char* begin(const GpuMapping& mapping) {
        return reinterpret_cast<char*>(mapping.begin());  // NOLINT
    }

    JudgedTask m_judged;
    Gpu m_gpu = value_or_throw(Gpu::open(testing::simulated_driver(), 0));
    GpuStream m_stream = value_or_throw(GpuStream::create(m_gpu));
    SupportKernels m_kernels =
        value_or_throw(SupportKernels::load(m_gpu, testing::simulated_support_cubin()));
};

TEST_F(GpuTaskTest, ScrubbingOverwritesAllThatIsShared) {
    const auto task = load(m_judged.task());
    const std::vector<GpuMapping> mappings = map(task->shared());
    ASSERT_GE(mappings.size(), 3u * 16);
    for (const GpuMapping& mapping : mappings) {
        std::memset(begin(mapping), 0x42, mapping.bytes());
    }
    ASSERT_TRUE(task->scrub());
    for (const GpuMapping& mapping : mappings) {
        EXPECT_EQ(std::count(begin(mapping), begin(mapping) + mapping.bytes(), 0x42), 0);
    }
}

TEST_F(GpuTaskTest, KnowsWhatItTakesOfTheDevice) {
    const auto task = load(m_judged.task());
    std::uint64_t shared = 0;
    for (const GpuAllocation* allocation : task->shared()) {
        shared += allocation->bytes();
    }
    const std::uint64_t before = task->device_bytes();
    EXPECT_GT(before, shared) << "and what the verifier alone has";
    const std::size_t workload = task->layout().measured().front();
    value_or_throw(task->kept_case(workload, 0));
    const auto& bound = task->layout().workloads()[workload];
    EXPECT_EQ(task->device_bytes() - before, 8 * static_cast<std::uint64_t>(bound.counts.back()));
}

TEST_F(GpuTaskTest, MovesOutOfBuffersThatSomebodyWritesToAndHomeAgain) {
    const auto task = load(m_judged.task());
    const auto handles = [&] {
        std::vector<cuda::AllocationHandle> all;
        for (const GpuAllocation* allocation : task->shared()) {
            all.push_back(allocation->handle());
        }
        return all;
    };
    const auto home = handles();
    const std::uint64_t bytes = task->device_bytes();
    EXPECT_FALSE(task->spoilt());
    task->spoil();
    EXPECT_TRUE(task->spoilt());
    ASSERT_TRUE(task->move_out());
    EXPECT_FALSE(task->spoilt());
    EXPECT_EQ(task->device_bytes(), bytes) << "others do not give way to what stays for a while";
    EXPECT_GT(task->bytes_moved_out(), bytes);
    const auto other = handles();
    ASSERT_EQ(other.size(), home.size());
    for (std::size_t i = 0; i < home.size(); ++i) {
        EXPECT_EQ(std::count(home.begin(), home.end(), other[i]), 0);
    }
    ASSERT_TRUE(task->move_out());
    EXPECT_EQ(handles(), home) << "whoever wrote there has ended";
    ASSERT_TRUE(task->move_out());
    EXPECT_EQ(handles(), other);
    EXPECT_TRUE(task->move_home());
    EXPECT_EQ(handles(), home);
    EXPECT_EQ(task->device_bytes(), bytes);
    EXPECT_FALSE(task->move_home()) << "it is there";
}

TEST_F(GpuTaskTest, GoesOnInTheOtherBuffers) {
    const auto task = load(m_judged.task());
    const std::vector<GpuMapping> spoilt = map(task->shared());
    ASSERT_TRUE(task->move_out());
    GpuCase judged = task->small_case(0, 0, 0);
    const GpuTrial trial{&judged, task->places(0, 0, Placement::start), true};
    ASSERT_TRUE(task->prepare(std::span(&trial, 1)));
    for (const GpuMapping& mapping : spoilt) {
        std::memset(begin(mapping), 0x42, mapping.bytes());
    }
    const auto checks = value_or_throw(task->judge(std::span(&trial, 1)));
    ASSERT_TRUE(checks.front().fault);
    EXPECT_EQ(checks.front().fault->outcome, Outcome::wrong_result)
        << "never written, and inputs and canaries as they were: " << checks.front().fault->reason;
}

TEST_F(GpuTaskTest, ResultsOfATaskOfManyTensorsFit) {
    SmallTask many;
    std::string inputs;
    for (int i = 0; i < 30; ++i) {
        inputs += (i == 0 ? "" : ", ") + ("\"x" + std::to_string(i)) +
                  R"(": {"shape": ["rows"], "dtype": "float32"})";
    }
    many.write("definition.json", R"({"name": "many", "axes": {"rows": {"type": "var"}},
        "inputs": {)" + inputs + R"(},
        "outputs": {"y": {"shape": ["rows"], "dtype": "float32"}}, "atoll": {}})");
    many.write("workload.jsonl", R"({"workload": {"uuid": "a", "axes": {"rows": 4}, "inputs": {}},)"
                                 R"( "atoll": {"use": "verify"}})");
    const auto task = load(many.task());
    const std::size_t tensors = task->layout().tensors();
    ASSERT_EQ(tensors, 31u);
    EXPECT_GE(task->slots(true), 8u);
    EXPECT_LE(3 * tensors * task->slots(true), SupportKernels::k_result_slots);
    EXPECT_EQ(load(m_judged.task())->slots(true), 16u);
}

TEST_F(GpuTaskTest, OnlyAnswersOfLaunchesThatWereAreRepeated) {
    const auto task = load(m_judged.task());
    GpuCase judged = task->small_case(0, 0, 0);
    std::vector<std::vector<GpuTensorPlace>> places;
    std::vector<GpuTrial> trials;
    for (std::size_t slot = 0; slot < 3; ++slot) {
        places.push_back(task->places(0, slot, Placement::start));
        trials.push_back({&judged, places.back(), true});
    }
    ASSERT_TRUE(task->prepare(trials));
    // Slot 0 and slot 2 are alike, slot 1 is not.
    const std::uint32_t output = places[1].back().buffer;
    begin(map({task->shared()[output]}).front())[0] = 1;
    const auto repeats = [&](const std::vector<std::vector<GpuTensorPlace>>& others) {
        return value_or_throw(task->repeats_an_answer(trials[0], others));
    };
    EXPECT_FALSE(repeats({}));
    EXPECT_FALSE(repeats({places[0], places[1], places[1]}));
    EXPECT_TRUE(repeats({places[0], places[1], places[2]}));
}

// Their inputs lie in memory of the verifier's at the same time.
TEST_F(GpuTaskTest, AnswersToManyCasesAtOnceAreThoseToEachAlone) {
    const auto task = load(m_judged.task());
    const auto doubles = [&](const GpuCase& of) {
        const std::int64_t count = task->layout().workloads()[of.workload].counts.back();
        const auto* const begin = reinterpret_cast<const double*>(of.wants.front());  // NOLINT
        return std::vector<double>(begin, begin + count);
    };
    std::vector<GpuCase> cases;
    std::vector<GpuTrial> trials;
    for (std::size_t slot = 0; slot < task->slots(true); ++slot) {
        cases.push_back(task->small_case(slot % 4, slot / 4 % 2, slot));
    }
    for (std::size_t slot = 0; slot < cases.size(); ++slot) {
        trials.push_back(
            {&cases[slot], task->places(cases[slot].workload, slot, Placement::end), true});
    }
    ASSERT_TRUE(task->prepare(trials));
    for (const GpuCheck& check : value_or_throw(task->judge(trials))) {
        EXPECT_TRUE(check.fault) << "nothing was written";
    }
    for (const GpuCase& one : cases) {
        ASSERT_TRUE(one.answered);
        const std::vector<double> wants = doubles(one);
        GpuCase alone = one;
        alone.answered = false;
        const GpuTrial trial{&alone, task->places(one.workload, 0, Placement::end), true};
        ASSERT_TRUE(task->prepare(std::span(&trial, 1)));
        ASSERT_TRUE(task->judge(std::span(&trial, 1)));
        EXPECT_EQ(doubles(alone), wants);
        EXPECT_EQ(alone.checksums, one.checksums);
        EXPECT_EQ(alone.tolerances.front().atol, one.tolerances.front().atol);
    }
}

class SparseInputs : public GpuTaskTest {
  protected:
    SparseInputs() {
        m_sparse.write("definition.json", R"({
            "name": "sparse",
            "axes": {"rows": {"type": "var"}, "cols": {"type": "var"}},
            "inputs": {
                "columns": {"shape": ["3*rows"], "dtype": "int32"},
                "offsets": {"shape": ["rows + 1"], "dtype": "int64"}
            },
            "outputs": {"y": {"shape": ["rows"], "dtype": "float32"}},
            "atoll": {"distributions": {"graph": {
                "columns": {"kind": "csr_columns", "offsets": "offsets", "columns": "cols"},
                "offsets": {"kind": "csr_offsets", "entries": "3*rows", "columns": "cols"}}}}
        })");
        m_sparse.write("workload.jsonl",
                       R"({"workload": {"uuid": "a", "axes": {"rows": 40, "cols": 17}, )"
                       R"("inputs": {}}, "atoll": {"use": "verify"}})");
    }
    std::string filled(const GpuInputs& inputs, const TaskLayout& layout) {
        const std::uint64_t bytes = layout.workloads()[0].bytes[0];
        const GpuBuffer columns = value_or_throw(GpuBuffer::allocate(m_gpu, bytes));
        const GpuBuffer offsets =
            value_or_throw(GpuBuffer::allocate(m_gpu, layout.workloads()[0].bytes[1]));
        const std::vector<cuda::Address> to{columns.begin(), offsets.begin()};
        EXPECT_TRUE(inputs.fill(0, 0, 5, to, m_stream.handle()));
        m_gpu.call().stream_synchronize(m_stream.handle());
        return {reinterpret_cast<const char*>(columns.begin()), bytes};  // NOLINT
    }
    SmallTask m_sparse;
};

TEST_F(SparseInputs, ComeFromWhatNoRunnerReachesAndWhatItReachesIsMadeGood) {
    const TaskLayout layout = value_or_throw(TaskLayout::create(m_sparse.task(), false));
    ExportedBuffers buffers(m_gpu);
    GpuInputs inputs(m_gpu, m_kernels, layout, buffers);
    ASSERT_TRUE(inputs.make_donors(m_stream.handle()));
    m_gpu.call().stream_synchronize(m_stream.handle());
    const std::vector<const GpuAllocation*> shared = buffers.all();
    ASSERT_EQ(shared.size(), 2u * GpuInputs::k_donors);
    const std::string honest = filled(inputs, layout);
    const std::vector<GpuMapping> mappings = map(shared);
    std::vector<std::string> before;
    for (const GpuMapping& mapping : mappings) {
        before.emplace_back(begin(mapping), mapping.bytes());
        std::memset(begin(mapping), 0x42, mapping.bytes());
    }
    EXPECT_NE(std::find(before.begin(), before.end(),
                        honest + std::string(mappings[0].bytes() - honest.size(), '\0')),
              before.end())
        << "a runner copies the same values";
    EXPECT_EQ(filled(inputs, layout), honest);
    ASSERT_TRUE(inputs.restore(m_stream.handle()));
    m_gpu.call().stream_synchronize(m_stream.handle());
    for (std::size_t i = 0; i < mappings.size(); ++i) {
        EXPECT_TRUE(before[i] == std::string(begin(mappings[i]), mappings[i].bytes())) << i;
    }
}

TEST_F(SparseInputs, AreMadeGoodByScrubbing) {
    const auto task = load(m_sparse.task());
    ASSERT_TRUE(task->scrub());  // waits for what is queued
    const std::vector<const GpuAllocation*> shared = task->shared();
    const std::size_t donors = 2 * GpuInputs::k_donors;  // the last ones
    const std::vector<GpuMapping> mappings = map({shared.end() - donors, shared.end()});
    std::vector<std::string> before;
    for (const GpuMapping& mapping : mappings) {
        before.emplace_back(begin(mapping), mapping.bytes());
        std::memset(begin(mapping), 0x42, mapping.bytes());
    }
    ASSERT_TRUE(task->scrub());
    for (std::size_t i = 0; i < mappings.size(); ++i) {
        EXPECT_TRUE(before[i] == std::string(begin(mappings[i]), mappings[i].bytes())) << i;
    }
}

}  // namespace
}  // namespace atl
