// Our own kernels on a real device. What they must do is in
// tests/support/support_kernel_checks.hpp.

#include "reward/gpu/support_kernels.hpp"

#include "tests/gpu/gpu_fixture.hpp"
#include "tests/support/support_kernel_checks.hpp"

#include <chrono>
#include <cstdio>
#include <functional>

namespace atl {
namespace {

class RealSupportKernels : public testing::GpuTest {
  protected:
    void SetUp() override {
        static const std::string cubin = compile(support_kernel_source(), support_kernel_flags());
        m_stream.emplace(value_or_throw(GpuStream::create(gpu())));
        m_kernels.emplace(value_or_throw(SupportKernels::load(gpu(), cubin)));
    }
    [[nodiscard]] testing::SupportedDevice on() { return {gpu(), *m_kernels, stream()}; }
    [[nodiscard]] cuda::Stream stream() const { return m_stream->handle(); }

    /// Median time of one of many calls queued together, by the host's clock; printed.
    double time_us(const char* what, double bytes, const std::function<Status()>& queue) {
        using Clock = std::chrono::steady_clock;
        constexpr int k_calls = 50;
        std::vector<double> times;
        for (int round = 0; round < 11; ++round) {
            EXPECT_EQ(gpu().call().stream_synchronize(stream()), cuda::k_success);
            const Clock::time_point begin = Clock::now();
            for (int call = 0; call < k_calls; ++call) {
                const Status queued = queue();
                EXPECT_TRUE(queued) << queued.error().message();
            }
            EXPECT_EQ(gpu().call().stream_synchronize(stream()), cuda::k_success);
            const std::chrono::duration<double, std::micro> taken = Clock::now() - begin;
            times.push_back(taken.count() / k_calls);
        }
        std::nth_element(times.begin(), times.begin() + 5, times.end());
        std::printf("%-40s %9.1f us %8.1f GB/s\n", what, times[5], bytes / times[5] * 1e-3);
        return times[5];
    }

    std::optional<GpuStream> m_stream;
    std::optional<SupportKernels> m_kernels;
};

TEST_F(RealSupportKernels, InputsAreTheSameBytesAsOnTheHost) {
    testing::check_fills(on(), 20'011);
}

TEST_F(RealSupportKernels, LargeInputsAreTheSameBytesAsOnTheHost) {
    for (const char* kind : {"normal", "uniform", "wide", "spikes"}) {
        testing::expect_filled_as_on_the_host(on(), {kind, {}}, DType::f32, 5, 2, 8'000'003);
    }
}

TEST_F(RealSupportKernels, OutputsAreJudgedAsOnTheHost) {
    testing::check_comparisons(on(), 5003);
    testing::check_comparisons(on(), 3'000'017);
}

TEST_F(RealSupportKernels, EveryByteCountsInAChecksum) {
    testing::check_checksums(on());
    std::vector<std::byte> bytes = testing::random_bytes(20'000'003, 2);
    testing::SupportedDevice device = on();
    testing::OnDevice memory(device, bytes);
    const std::uint64_t sum = testing::checksum_of(device, memory.begin(), bytes.size());
    EXPECT_EQ(testing::checksum_of(device, memory.begin(), bytes.size()), sum);
    for (const std::size_t at : {std::size_t{0}, bytes.size() / 2, bytes.size() - 1}) {
        bytes[at] ^= std::byte{1};
        memory.write(bytes);
        EXPECT_NE(testing::checksum_of(device, memory.begin(), bytes.size()), sum) << at;
        bytes[at] ^= std::byte{1};
    }
}

TEST_F(RealSupportKernels, FillsAndCountsBytesAnywhere) {
    testing::check_bytes(on());
}

TEST_F(RealSupportKernels, FillsAndCountsManyPlacesAtOnce) {
    testing::check_many_bytes(on());
}

TEST_F(RealSupportKernels, ManyQuestionsAtOnceHaveTheAnswersOfEachAlone) {
    testing::check_batches(on());
}

TEST_F(RealSupportKernels, SumsSquaresOfWhatIsFinite) {
    testing::check_sums(on(), 10'007);
    testing::check_sums(on(), 5'000'011);
}

// No limits: devices differ. The numbers are for people.
TEST_F(RealSupportKernels, TellsItsSpeed) {
    constexpr std::int64_t k_count = 16 << 20;
    const testing::SupportedDevice device = on();
    const testing::OnDevice out(device, std::vector<std::byte>(k_count * 4));
    const testing::OnDevice want(device, std::vector<std::byte>(k_count * 8));
    std::printf("%s\n", gpu().limits().name.c_str());
    for (const char* kind : {"normal", "uniform", "wide", "spikes", "constant"}) {
        const std::string what = std::string("fill of 16 Mi floats, ") + kind;
        time_us(what.c_str(), k_count * 4.0, [&] {
            return m_kernels->fill({kind, {}}, DType::f32, 1, 0, k_count, out.begin(), stream());
        });
    }
    time_us("fill_bytes of 64 MiB", k_count * 4.0,
            [&] { return m_kernels->fill_bytes(out.begin(), 0, k_count * 4, stream()); });
    const auto asked = [&](const Status& status) {
        return status ? m_kernels->run_asked(stream()) : status;
    };
    time_us("compare 16 Mi floats", k_count * 12.0, [&] {
        return asked(m_kernels->compare(DType::f32, out.begin(), want.begin(), k_count, {}, 0));
    });
    time_us("checksum of 64 MiB", k_count * 4.0,
            [&] { return asked(m_kernels->checksum(out.begin(), k_count * 4, 0)); });
    time_us("sum_squares of 16 Mi doubles", k_count * 8.0,
            [&] { return asked(m_kernels->sum_squares(want.begin(), k_count, 0)); });
    const double flush = time_us("flush_l2", 0, [&] { return m_kernels->flush_l2(stream()); });
    const double both = time_us("flush_l2 and a copy of 64 MiB", 0, [&] {
        const Status flushed = m_kernels->flush_l2(stream());
        return flushed ? gpu().driver().check(gpu().call().copy_on_device(out.begin(), want.begin(),
                                                                          k_count * 4, stream()),
                                              "cuMemcpyDtoDAsync")
                       : flushed;
    });
    std::printf("copy of 64 MiB, cold %10.1f us %8.1f GB/s read and written\n", both - flush,
                k_count * 8e-3 / (both - flush));
    const double anchor = time_us("anchor", 0, [&] { return m_kernels->anchor(stream()); });
    EXPECT_GT(anchor, 3) << "it is no anchor when it takes no time";
    EXPECT_LT(anchor, 100);
}

}  // namespace
}  // namespace atl
