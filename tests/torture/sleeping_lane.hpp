#pragma once

#include "reward/compiler.hpp"
#include "reward/device_lane.hpp"

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <mutex>

namespace atl::torture {

/// Takes a source for its own machine code.
class EchoCompiler final : public Compiler {
  public:
    [[nodiscard]] Expected<CompileResult> compile(const CompileRequest& request) override;
    [[nodiscard]] std::string toolchain() const override { return "echo"; }
    [[nodiscard]] std::uint64_t restarts() const override { return 0; }
};

/// A device whose worker is a real process: it sleeps for 1 ms, as exactly as the system can, and
/// hands back the number that the candidate's source begins with ("// 17\n..."), which becomes the
/// verdict's reason. To be killed by anybody.
class SleepingLane final : public DeviceLane {
  public:
    ~SleepingLane() override { end_worker(); }

    [[nodiscard]] Expected<EvaluateReply> evaluate(const DeviceOrder& order) override;
    void abort() override { kill_worker(); }
    [[nodiscard]] bool broken() const override { return m_broken; }
    [[nodiscard]] Status restart() override;
    void stop() override { end_worker(); }
    [[nodiscard]] std::string device() const override { return "sleeping"; }
    [[nodiscard]] std::string description() const override { return "1 ms a job"; }

    /// SIGKILL; from any thread. False: there was no process.
    bool kill_worker();
    [[nodiscard]] int restarts() const { return m_restarts; }

  private:
    void end_worker();

    std::mutex m_mutex;  // of what kill_worker() uses
    pid_t m_worker = 0;
    FileHandle m_channel;
    std::atomic<bool> m_broken = true;
    std::atomic<int> m_restarts = 0;
};

}  // namespace atl::torture
