#pragma once

#include "reward/cuda/cupti_library.hpp"
#include "reward/gpu/launch_clock.hpp"

namespace atl {

/// The device's own times of every kernel, copy and fill (CUPTI activity API 13.0). What belongs to
/// a launch is known by the id that was current when it was queued, never by a name. One per
/// process, because CUPTI has one.
class CuptiClock final : public LaunchClock {
  public:
    /// After Gpu::open(), before the stream (11 ms, measured on an H200).
    [[nodiscard]] static Expected<CuptiClock> open(const std::string& path);

    [[nodiscard]] const char* name() const override { return "cupti"; }
    [[nodiscard]] Status begin(std::size_t launches, std::size_t operations,
                               cuda::Stream stream) override;
    [[nodiscard]] Status mark(std::size_t launch, Mark what, cuda::Stream stream) override;
    [[nodiscard]] Expected<std::vector<GpuSample>> finish() override;

    /// Drops the records that came since the last finish().
    static void forget();
    /// Lets CUPTI see nothing until the next begin().
    [[nodiscard]] Status pause();

  private:
    explicit CuptiClock(const CuptiLibrary& library) : m_library(library) {}
    [[nodiscard]] Status resume();
    [[nodiscard]] Status check_dropped() const;

    CuptiLibrary m_library;
    bool m_running = false;
    std::size_t m_launches = 0;
    std::size_t m_operations = 0;
    std::uint64_t m_next_id = 1;   ///< ids of earlier calls must not come back
    std::uint64_t m_first_id = 1;  ///< of this call: two per launch, anchor and plan
};

}  // namespace atl
