#include "reward/verifier/anchor.hpp"
#include "reward/verifier/cache_flush.hpp"
#include "reward/verifier/light.hpp"
#include "reward/verifier/shuffle.hpp"
#include "tests/unit/reward/task_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace atl {
namespace {

TEST(Anchor, KnowsItsBestAfterTheCalibration) {
    Anchor anchor;
    double least_clock = 1e9;
    double least_issue = 1e9;
    for (int i = 0; i < 200; ++i) {
        const Anchor::Reading reading = anchor.read();
        least_clock = std::min(least_clock, reading.clock);
        least_issue = std::min(least_issue, reading.issue);
    }
    // The best burst's median is about what undisturbed readings take, not a lucky one of them.
    EXPECT_GT(least_clock, 0.3);
    EXPECT_GT(least_issue, 0.3);
}

TEST(Anchor, RefersToWhatIsKnownFromElsewhere) {
    Anchor anchor;
    anchor.refer_to({1e12, 1e-9});
    const Anchor::Reading reading = anchor.read();
    EXPECT_LT(reading.clock, 1e-3);
    EXPECT_GT(reading.issue, 1e3);
    // A known best that is worse than what was learned counts for the frequency only.
    anchor.refer_to({1e12, 1e9});
    EXPECT_GT(anchor.read().issue, 0.1);
}

TEST(Anchor, WaitsNoLongerThanItIsTold) {
    Anchor anchor;
    EXPECT_EQ(anchor.wait_until(1e9, 100).seconds, 0);
    EXPECT_EQ(anchor.wait_until(0, 0).seconds, 0);
    const Anchor::Wait wait = anchor.wait_until(0, 0.01);
    EXPECT_GE(wait.seconds, 0.01);
    EXPECT_LT(wait.seconds, 5);
    EXPECT_GT(wait.last.issue, 0);
}

TEST(CacheFlusher, LeavesContentsAlone) {
    std::vector<std::byte> bytes(100'000, std::byte{7});
    CacheFlusher flusher(1 << 20);
    flusher.flush(bytes);
    flusher.finish();
    EXPECT_EQ(bytes, std::vector<std::byte>(100'000, std::byte{7}));
}

TEST(CacheFlusher, FillsExactlyWhatItIsGiven) {
    const CacheFlusher flusher(1 << 20);
    for (const std::size_t begin : {0, 1, 15, 64, 100}) {
        for (const std::size_t size : {0, 1, 63, 64, 65, 1000, 4096}) {
            std::vector<std::byte> bytes(8192, std::byte{7});
            std::vector<std::byte> wanted = bytes;
            std::fill_n(wanted.begin() + static_cast<std::ptrdiff_t>(begin), size, std::byte{9});
            flusher.fill(std::span(bytes).subspan(begin, size), std::byte{9});
            EXPECT_EQ(bytes, wanted) << begin << " + " << size;
        }
    }
}

TEST(CacheFlusher, CopiesExactlyWhatItIsGiven) {
    const CacheFlusher flusher(1 << 20);
    std::vector<std::byte> source(8192);
    for (std::size_t i = 0; i < source.size(); ++i) {
        source[i] = static_cast<std::byte>(i * 37 >> 3);
    }
    for (const std::size_t begin : {0, 1, 64, 100}) {
        for (const std::size_t size : {0, 1, 63, 64, 65, 1000, 4096}) {
            std::vector<std::byte> bytes(8192, std::byte{7});
            std::vector<std::byte> wanted = bytes;
            std::copy_n(source.begin() + 3, size,
                        wanted.begin() + static_cast<std::ptrdiff_t>(begin));
            flusher.copy(std::span(bytes).subspan(begin, size), std::span(source).subspan(3, size));
            EXPECT_EQ(bytes, wanted) << begin << " + " << size;
        }
    }
}

TEST(Shuffle, ChunksCoverTheTensorInOrderAndStayInsideTheDonor) {
    CounterRng rng(1, RngPurpose::measurement, 0);
    for (const std::size_t width : {1, 2, 4, 8}) {
        for (const std::uint64_t elements : {0, 1, 7, 100, 5000, 1'000'003}) {
            const std::uint64_t bytes = elements * width;
            std::uint64_t next = 0;
            const auto chunks = shuffled(rng, bytes, width);
            for (const Chunk& chunk : chunks) {
                EXPECT_EQ(chunk.to, next);
                EXPECT_EQ(chunk.to % 64, 0u);
                EXPECT_EQ(chunk.from % width, 0u);
                EXPECT_LE(chunk.from + chunk.length, bytes);
                next += chunk.length;
            }
            EXPECT_EQ(next, bytes);
            if (bytes >= 64 * 64) {
                EXPECT_GE(chunks.size(), 8u);
            }
        }
    }
}

class Light : public ::testing::Test {
  protected:
    [[nodiscard]] SpeedOfLight of_large(const EvaluateOrder& order) const {
        const TaskLayout layout = value_or_throw(TaskLayout::create(m_small.task(), false));
        return value_or_throw(
            speed_of_light(layout, layout.workloads()[layout.measured()[0]], order));
    }
    testing::SmallTask m_small;
};

// The workload "large" has 64 x 256: 3 * 16384 flops and 8 * 16384 + 4 * 256 = 132096 bytes.
TEST_F(Light, IsTheLargerOfComputeAndMemoryTime) {
    EvaluateOrder order;
    order.peak_flops = 1e9;
    order.peak_bandwidth = 1e9;
    EXPECT_DOUBLE_EQ(of_large(order).report_ns, 132096);
    order.peak_flops = 1e8;
    EXPECT_DOUBLE_EQ(of_large(order).report_ns, 491520);
}

TEST_F(Light, JudgingCountsNoOutputsThatFitIntoTheCache) {
    EvaluateOrder order;
    order.peak_bandwidth = 1e9;
    order.cache_bytes = 32096;
    EXPECT_DOUBLE_EQ(of_large(order).report_ns, 132096);
    EXPECT_DOUBLE_EQ(of_large(order).judge_ns, 0.8 * 100000);
    order.cache_bytes = 1 << 20;
    EXPECT_DOUBLE_EQ(of_large(order).judge_ns, 0.8 * (132096 - 64 * 256 * 4));
}

// Where a processor does four times as much of a narrow type, its peak says only a quarter.
TEST_F(Light, OfNarrowTensorsIsThatOfTheirTypeWhereThePeakIs) {
    m_small.replace("definition.json", R"("y": {"shape": ["rows", "cols"], "dtype": "float32"})",
                    R"("y": {"shape": ["rows", "cols"], "dtype": "float16"})");
    EvaluateOrder order;
    order.peak_flops = 1e8;
    EXPECT_DOUBLE_EQ(of_large(order).judge_ns, 0.8 * 491520 / 4);
    order.peak_is_of_type = true;
    EXPECT_DOUBLE_EQ(of_large(order).judge_ns, 0.8 * 491520);
}

TEST_F(Light, UnknownPeaksGiveNoBound) {
    EXPECT_DOUBLE_EQ(of_large({}).report_ns, 0);
    EXPECT_DOUBLE_EQ(of_large({}).judge_ns, 0);
}

TEST(BeatsLight, NeedsTheClockAndTheCorrectedTimesToAgree) {
    const std::vector<double> honest = {900, 1000, 1100};
    const std::vector<double> overcorrected = {9, 10, 11};  // the anchor was held up a hundredfold
    EXPECT_FALSE(beats_light(honest, overcorrected, 500));
    EXPECT_FALSE(beats_light(overcorrected, honest, 500));
    EXPECT_TRUE(beats_light(overcorrected, overcorrected, 500));
    EXPECT_FALSE(beats_light({}, {}, 500));
}

}  // namespace
}  // namespace atl
