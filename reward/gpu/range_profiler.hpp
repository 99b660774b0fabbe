#pragma once

#include "reward/base/error.hpp"
#include "reward/cuda/cupti_profiler.hpp"
#include "reward/cuda/gpu.hpp"
#include "reward/gpu/launch_clock.hpp"
#include "reward/profile_report.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace atl {

/// Counts what the device does during the plan of one launch, kernel by kernel, each alone (CUPTI
/// 13's range profiler: one range per kernel, kernel replay). In the place of a clock, so that the
/// launch is one like those that are timed; its times are none. The device is set for counting as
/// long as this lives: nothing is to be timed meanwhile. After it times are as before (on an H200:
/// a copy's and a computing kernel's median within 0.3 %). Used on the thread of its Gpu.
class RangeProfiler final : public LaunchClock {
  public:
    /// unavailable: no CUPTI 13, no permission to read counters, or a chip without them.
    [[nodiscard]] static Expected<RangeProfiler> open(const std::string& cupti, const Gpu& gpu);

    [[nodiscard]] const char* name() const override { return "counters"; }
    [[nodiscard]] Status begin(std::size_t launches, std::size_t operations,
                               cuda::Stream stream) override;
    [[nodiscard]] Status mark(std::size_t launch, Mark what, cuda::Stream stream) override;
    /// One sample without times.
    [[nodiscard]] Expected<std::vector<GpuSample>> finish() override;

    /// After finish(): by name, of each kernel in the order of the launches; what is no number is
    /// left out. The names of kernels are not known here.
    [[nodiscard]] const std::vector<std::map<std::string, double>>& counted() const {
        return m_counted;
    }

  private:
    struct Disable {
        cupti::Result (*disable)(cupti::ProfilerParameters*);
        void operator()(cupti::RangeProfiler* ranges) const;
    };

    RangeProfiler(const Gpu& gpu, const CuptiProfiler& profiler, CuptiMetrics metrics)
        : m_gpu(&gpu), m_profiler(profiler), m_metrics(std::move(metrics)) {}
    [[nodiscard]] Status enable(std::size_t ranges);
    [[nodiscard]] Status read_ranges();

    const Gpu* m_gpu;
    CuptiProfiler m_profiler;
    CuptiMetrics m_metrics;
    std::unique_ptr<cupti::RangeProfiler, Disable> m_ranges{nullptr, {nullptr}};
    std::vector<std::uint8_t> m_data;
    std::vector<std::map<std::string, double>> m_counted;
};

}  // namespace atl
