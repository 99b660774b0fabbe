#pragma once

#include "reward/base/error.hpp"
#include "reward/cuda/device_compiler.hpp"
#include "reward/cuda/device_limits.hpp"
#include "reward/cuda/explicit_source.hpp"
#include "reward/cuda/kernel_facts.hpp"
#include "reward/cuda/plan.hpp"
#include "reward/cuda/prepared_cache.hpp"
#include "reward/cuda/recorder.hpp"
#include "reward/outcome.hpp"
#include "reward/task.hpp"

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace atl {

/// One CUDA source for the stages that need no device.
struct FrontEndRequest {
    TaskPtr task;
    SourceForm form = SourceForm::cuda;
    std::string source;
    std::map<std::string, std::string> tune = {};
    std::vector<std::string> flags = {};  ///< of NVRTC; checked by check_device_flag()
    bool reference = false;    ///< the task's reference.cu: reference() with outputs of double
    bool with_hidden = false;  ///< record hidden workloads too
    double compile_timeout_s = 30;
    std::stop_token cancel = {};
};

/// What became of it: a fault of the candidate's, or machine code with plans that fit it.
struct FrontEndReply {
    std::optional<Outcome> fault;  ///< compile_error, compile_limit, rejected, timeout, crash...
    std::string reason;            ///< one sentence; hidden workloads unnamed
    std::string log;               ///< of the compiler that refused, trimmed
    std::string cubin;
    /// By index of Task::workloads; each has passed check_plan() with the cubin's facts.
    std::vector<std::pair<std::size_t, Plan>> plans;
    std::vector<KernelFacts> kernels;
    bool touches_variables = true;  ///< NvrtcOutput::touches_variables
    double host_compile_seconds = 0;
    double record_seconds = 0;
    double device_compile_seconds = 0;
    bool cached = false;
};

struct FrontEndOptions {
    DeviceCompilerOptions device_compiler;
    RecorderOptions recorder;
    DeviceLimits device;
    /// The driver is of CUDA 12.4 or later, which tells the parameters of machine code from
    /// elsewhere; cubins are unavailable otherwise.
    bool takes_cubins = true;
};

/// Split, record, compile, check (DESIGN section 5): text to plans. A launcher that asks for
/// occupancy is recorded again with what the cubin says of its kernels. Answers without a fault are
/// kept in memory, so that a task's reference is prepared once. Thread-safe; each thread that calls
/// has a recorder of its own, whose workers die with the thread.
class CudaFrontEnd {
  public:
    [[nodiscard]] static Expected<std::unique_ptr<CudaFrontEnd>> make(FrontEndOptions options);
    /// An error is a fault of ours, as for Recorder and DeviceCompiler.
    [[nodiscard]] Expected<FrontEndReply> prepare(const FrontEndRequest& request);
    /// "NVRTC 13.0, clang 14.0.6": part of verdicts' keys.
    [[nodiscard]] std::string toolchain() const;
    /// Wall seconds spent in compilers so far, all threads together.
    [[nodiscard]] double seconds() const;
    [[nodiscard]] const DeviceLimits& device() const { return m_options.device; }
    [[nodiscard]] DeviceCompiler& device_compiler() { return *m_compiler; }

  private:
    CudaFrontEnd(FrontEndOptions options, std::unique_ptr<DeviceCompiler> compiler)
        : m_options(std::move(options)), m_compiler(std::move(compiler)) {}
    [[nodiscard]] Expected<Recorder*> own_recorder();
    [[nodiscard]] Expected<FrontEndReply> prepare_by_form(const FrontEndRequest& request);
    [[nodiscard]] Expected<FrontEndReply> prepare_now(const FrontEndRequest& request);

    const FrontEndOptions m_options;
    const std::unique_ptr<DeviceCompiler> m_compiler;
    std::string m_clang;
    PreparedCache m_cache;
    mutable std::mutex m_mutex;
    std::map<std::thread::id, std::unique_ptr<Recorder>> m_recorders;
    double m_seconds = 0;
};

}  // namespace atl
