#pragma once

#include "reward/base/error.hpp"
#include "reward/compiler.hpp"
#include "reward/cuda/plan.hpp"
#include "reward/cuda/record.hpp"
#include "reward/cuda/recording_source.hpp"
#include "reward/task.hpp"
#include "reward/verifier/candidate_fault.hpp"
#include "reward/verifier/runner_link.hpp"
#include "reward/verifier/shared_buffers.hpp"
#include "reward/worker_process.hpp"

#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

namespace atl {

struct RecorderOptions {
    std::string compiler;        ///< empty: find_recorder_compiler()
    std::string worker_program;  ///< empty: atoll-worker beside this program
    SandboxLevel required = SandboxLevel::full;
    std::vector<int> cores;       ///< workers are pinned to these; empty: anywhere
    double launch_timeout_s = 2;  ///< wall time of one launch(); also its CPU time
};

struct RecordRequest {
    const Task* task = nullptr;
    RecordingSource host_source;          ///< recording_source() of the split candidate
    CudaEntry entry = CudaEntry::launch;  ///< the one that it calls
    std::vector<const Workload*> workloads = {};
    DeviceLimits device = {};
    /// Of the candidate's cubin; without them occupancy queries are answered for 64 registers.
    std::span<const KernelFacts> kernels = {};
    double compile_timeout_s = 30;
    /// Once nobody wants the result, the compiler is killed and the call fails (interrupted).
    std::stop_token cancel{};
};

struct RecordReply {
    std::optional<RecordFault> fault;  ///< the candidate's; then there are no plans
    std::string workload = {};         ///< where the fault was; empty: while compiling
    std::vector<Plan> plans = {};      ///< one per workload, not yet checked against the device
    std::string compile_log = {};
    std::string whole_because = {};  ///< see CompileResult
    double compile_seconds = 0;      ///< zero when the last request had the same source
    double record_seconds = 0;
    int processes = 0;  ///< that the launcher was run in
};

/// What launchers are compiled with where nothing is named: clang++ or clang++-22 to -14 of $PATH,
/// else g++ (plain_launches.hpp says what it cannot record); unavailable without any.
[[nodiscard]] Expected<std::string> find_recorder_compiler();

/// Runs host launchers in the CPU jail against the recording runtime: a launcher is compiled
/// for the host alone and run as a CPU candidate whose output is the record, once more with
/// other addresses in another process, so that neither recording can know the other. Where
/// can_start_afresh() holds, one process records all workloads, with variables put back between
/// them; otherwise, and for what fails in such a process, each workload has a process of its own.
/// Not thread-safe; the workers
/// die with the thread that made it. Errors of its functions are faults of ours.
class Recorder {
  public:
    /// unavailable when there is no compiler or no jail of the level that is required.
    [[nodiscard]] static Expected<std::unique_ptr<Recorder>> create(const RecorderOptions& options);

    [[nodiscard]] Expected<RecordReply> record(const RecordRequest& request);
    [[nodiscard]] std::string toolchain() const { return m_compiler->toolchain(); }

  private:
    struct Bound {
        RecordTensors tensors;
        std::vector<double> scalars;
        std::vector<std::int64_t> axes;
    };
    struct Runner {
        WorkerProcess worker;
        RunnerLink link;
    };
    struct RecordOrFault {
        std::optional<RecordFault> fault;
        Record record = {};
        bool unexplained = false;
    };
    /// Of the workloads in their order, up to the first that failed.
    struct Recording {
        std::vector<Record> records;
        std::optional<RecordFault> fault;
        bool unexplained = false;
    };

    Recorder(RecorderOptions options, std::unique_ptr<Compiler> compiler, SharedBuffers buffers)
        : m_options(std::move(options)),
          m_compiler(std::move(compiler)),
          m_plain(m_compiler->toolchain().find("clang") == std::string::npos),
          m_buffers(std::move(buffers)) {}

    [[nodiscard]] Status start_runner();
    [[nodiscard]] Expected<CompileResult> compile(const RecordRequest& request);
    [[nodiscard]] Status compile_unless_known(const RecordRequest& request);
    [[nodiscard]] static Expected<Bound> bind(const RecordRequest& request,
                                              const Workload& workload);
    void write_facts(std::span<const KernelFacts> kernels);
    void begin_record(std::size_t bytes_to_clear);
    [[nodiscard]] StartRun order_for(const DeviceLimits& device, std::span<const Bound> bounds,
                                     bool second) const;
    [[nodiscard]] Expected<Recording> run(const FileHandle& binary, const StartRun& order,
                                          const std::stop_token& cancel);
    [[nodiscard]] Expected<Recording> run_all(const FileHandle& binary,
                                              const RecordRequest& request,
                                              std::span<const Bound> bounds, bool second,
                                              bool in_one);
    [[nodiscard]] Expected<Recording> run_once(const FileHandle& binary, StartRun order,
                                               const std::stop_token& cancel);
    [[nodiscard]] RecordOrFault read_record(const CandidateFault* death) const;
    [[nodiscard]] Status record_all(const FileHandle& binary, const RecordRequest& request,
                                    RecordReply& reply);

    const RecorderOptions m_options;
    std::unique_ptr<Compiler> m_compiler;
    bool m_plain;                          ///< it knows nothing of CUDA
    SharedBuffers m_buffers;               ///< the record and the facts of kernels
    std::span<const KernelFacts> m_facts;  ///< of the request at work
    RecordingSource m_last_source;         ///< a launcher is recorded again once facts are known
    CompileResult m_last;                  ///< of that source
    std::unique_ptr<Runner> m_runner;
    int m_processes = 0;  ///< of the request at work
};

}  // namespace atl
