#pragma once

#include "reward/device_lane.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace atl::testing {

/// A device without processes. evaluate() answers with `behaviour`, or blocks while the test holds
/// the lane. Thread-safe for the test's thread beside the lane's.
class FakeLane final : public DeviceLane {
  public:
    using Behaviour = std::function<Expected<EvaluateReply>(const DeviceOrder&)>;

    explicit FakeLane(std::string device = "fake:1", Behaviour behaviour = passes)
        : m_device(std::move(device)), m_behaviour(std::move(behaviour)) {}

    /// Right everywhere, 1000 ns on one public workload.
    static Expected<EvaluateReply> passes(const DeviceOrder& order) {
        EvaluateReply reply;
        reply.stage = Stage::measure;
        reply.timed_seconds = 0.125;
        reply.memory_bytes = 4096;
        reply.stage_times = {{Stage::verify, 0.25}, {Stage::measure, 0.5}};
        WorkloadTiming timing;
        timing.workload = "w0";
        timing.median_ns = 1000;
        reply.measure = MeasureReport{"fake", {timing}, {}};
        for (const std::string& rival : order.evaluate.rivals) {
            reply.measure->rivals[rival] = {timing};
        }
        return reply;
    }
    static tl::unexpected<Error> died() {
        return failure(ErrorCode::unavailable, "the verifier died", "fake lane");
    }

    Expected<EvaluateReply> evaluate(const DeviceOrder& order) override {
        std::unique_lock lock(m_mutex);
        m_orders.push_back(order);
        m_inside = true;
        m_changed.notify_all();
        m_changed.wait(lock, [&] { return !m_held || m_aborted; });
        m_inside = false;
        if (m_aborted) {
            m_broken = true;
            return died();
        }
        lock.unlock();
        Expected<EvaluateReply> reply = m_behaviour(order);
        lock.lock();
        m_broken = !reply;
        return reply;
    }
    void abort() override {
        const std::lock_guard lock(m_mutex);
        m_aborted = true;
        ++m_aborts;
        m_changed.notify_all();
    }
    Status restart() override {
        const std::lock_guard lock(m_mutex);
        ++m_restarts;
        m_aborted = false;
        m_broken = m_refuse_to_start;
        return m_refuse_to_start ? Status(died()) : Status();
    }
    bool broken() const override {
        const std::lock_guard lock(m_mutex);
        return m_broken;
    }
    void stop() override {
        const std::lock_guard lock(m_mutex);
        m_stopped = true;
        if (m_on_stop) {
            m_on_stop();
        }
    }
    std::string device() const override { return m_device; }
    std::string description() const override { return "fake"; }

    /// While held, evaluate() blocks.
    void hold() { set_held(true); }
    void release() { set_held(false); }
    /// Waits until evaluate() is blocked.
    void wait_until_inside() {
        std::unique_lock lock(m_mutex);
        m_changed.wait(lock, [&] { return m_inside; });
    }
    void refuse_to_start(bool refuse) {
        const std::lock_guard lock(m_mutex);
        m_refuse_to_start = refuse;
    }
    void on_stop(std::function<void()> call) { m_on_stop = std::move(call); }
    [[nodiscard]] std::vector<DeviceOrder> orders() const {
        const std::lock_guard lock(m_mutex);
        return m_orders;
    }
    [[nodiscard]] int restarts() const {
        const std::lock_guard lock(m_mutex);
        return m_restarts;
    }
    [[nodiscard]] int aborts() const {
        const std::lock_guard lock(m_mutex);
        return m_aborts;
    }

  private:
    void set_held(bool held) {
        const std::lock_guard lock(m_mutex);
        m_held = held;
        m_changed.notify_all();
    }

    const std::string m_device;
    const Behaviour m_behaviour;
    mutable std::mutex m_mutex;
    std::condition_variable m_changed;
    std::vector<DeviceOrder> m_orders;
    std::function<void()> m_on_stop;
    int m_restarts = 0;
    int m_aborts = 0;
    bool m_held = false;
    bool m_inside = false;
    bool m_aborted = false;
    bool m_broken = true;
    bool m_stopped = false;
    bool m_refuse_to_start = false;
};

}  // namespace atl::testing
