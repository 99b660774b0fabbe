#pragma once

#include "reward/base/error.hpp"
#include "reward/cuda/gpu.hpp"
#include "reward/gpu/runner_messages.hpp"

#include <cstddef>
#include <memory>
#include <vector>

namespace atl {

/// Tells how long launches took on the device. For each launch, in order: mark(anchor), the anchor
/// kernel is queued, mark(anchor_end), mark(plan), the plan is queued, mark(plan_end). Used on the
/// thread of its Gpu.
class LaunchClock {
  public:
    enum class Mark { anchor, anchor_end, plan, plan_end };

    virtual ~LaunchClock() = default;
    /// As GpuTimed::clock has it.
    [[nodiscard]] virtual const char* name() const = 0;
    /// Begins anew, for so many launches that queue `operations` kernels, copies and fills each.
    /// REQUIRES an idle stream.
    [[nodiscard]] virtual Status begin(std::size_t launches, std::size_t operations,
                                       cuda::Stream stream) = 0;
    [[nodiscard]] virtual Status mark(std::size_t launch, Mark what, cuda::Stream stream) = 0;
    /// One sample per launch. REQUIRES an idle stream. unavailable: not all was seen.
    [[nodiscard]] virtual Expected<std::vector<GpuSample>> finish() = 0;
};

/// The driver's events (CUDA driver API, "Event Management"; resolution about 0.5 us). What two
/// events without anything between them are apart is subtracted; even so a launch reads 2 to 6 us
/// longer than by CUPTI (seen on an H200), so that times of the two clocks do not compare.
class EventClock final : public LaunchClock {
  public:
    explicit EventClock(const Gpu& gpu) : m_gpu(&gpu) {}
    EventClock(const EventClock&) = delete;
    EventClock& operator=(const EventClock&) = delete;

    [[nodiscard]] const char* name() const override { return "events"; }
    [[nodiscard]] Status begin(std::size_t launches, std::size_t operations,
                               cuda::Stream stream) override;
    [[nodiscard]] Status mark(std::size_t launch, Mark what, cuda::Stream stream) override;
    [[nodiscard]] Expected<std::vector<GpuSample>> finish() override;

  private:
    struct Destroy {
        cuda::Result (*destroy)(cuda::Event);
        void operator()(cuda::Event event) const { destroy(event); }
    };
    using Owned = std::unique_ptr<std::remove_pointer_t<cuda::Event>, Destroy>;

    [[nodiscard]] Status make_events(std::size_t count);
    [[nodiscard]] Status record(std::size_t event, cuda::Stream stream);
    [[nodiscard]] Expected<double> between(std::size_t event) const;
    [[nodiscard]] Status measure_nothing(cuda::Stream stream);

    const Gpu* m_gpu;
    std::vector<Owned> m_events;  ///< four per launch, by Mark; kept for the next call
    std::size_t m_launches = 0;
    double m_nothing_ns = 0;
};

}  // namespace atl
