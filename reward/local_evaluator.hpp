#pragma once

#include "reward/base/clock.hpp"
#include "reward/bounded_queue.hpp"
#include "reward/compile_service.hpp"
#include "reward/device_lane.hpp"
#include "reward/evaluator.hpp"
#include "reward/flights.hpp"
#include "reward/job_queue.hpp"
#include "reward/kinds/kind.hpp"
#include "reward/serial_executor.hpp"
#include "reward/verdict_cache.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace atl {

/// What a local evaluator is made of, so that tests can put fakes in place of compiler, devices,
/// kinds and clock.
struct EvaluatorParts {
    std::unique_ptr<CompileService> compiler;
    std::vector<std::unique_ptr<DeviceLane>> lanes;  ///< alike: a verdict of one stands for all
    std::function<const CandidateKind*(const std::string&)> find_kind = atl::find_kind;
    std::shared_ptr<const Clock> clock = std::make_shared<SystemClock>();
    int compile_workers = 1;
    /// Compilers share the device's cores, so a compile and a measurement exclude each other.
    bool shared_cores = false;
    std::vector<int> host_cores;               ///< our threads stay on these; empty: anywhere
    std::vector<FileHandle> core_claims = {};  ///< GpuCores::claims
    EvaluationLimits limits;
    std::string cache_folder;                            ///< empty: memory only
    std::function<void(const Error&)> on_cache_trouble;  ///< see LocalEvaluatorOptions
    std::string sandbox;                                 ///< for the description: "full"
    std::shared_ptr<const DeviceFacts> device_facts;     ///< see Evaluator
    std::size_t queue_capacity = 1 << 16;
    std::chrono::milliseconds lease_time{30'000};
};

/// Jobs go queue -> compile lanes -> bounded hand-over -> device lanes; each lane is a thread. A
/// monitor thread keeps leases alive and enforces deadlines from outside; one more runs the
/// callbacks, and one writes verdicts to the cache folder.
class LocalEvaluator final : public Evaluator {
  public:
    explicit LocalEvaluator(EvaluatorParts parts);
    /// Drains nothing: what is not answered yet gets a fault; every process has ended.
    ~LocalEvaluator() override;
    LocalEvaluator(const LocalEvaluator&) = delete;
    LocalEvaluator& operator=(const LocalEvaluator&) = delete;

    void submit(EvaluationRequest request, Done done) override;
    [[nodiscard]] EvaluatorStats stats() const override;
    [[nodiscard]] int parallelism() const override;
    [[nodiscard]] std::string fingerprint() const override;
    [[nodiscard]] std::string description() const override;
    [[nodiscard]] std::shared_ptr<const DeviceFacts> device_facts() const override {
        return m_parts.device_facts;
    }

  private:
    /// A candidate that waits for a device.
    struct HandedOver {
        Lease lease;
        const CandidateKind* kind = nullptr;
        Prepared prepared;
    };

    [[nodiscard]] Digest cache_key(const EvaluationRequest& request, const Digest& candidate) const;
    [[nodiscard]] Digest suspect_key(const EvaluationRequest& request,
                                     const Digest& candidate) const;
    [[nodiscard]] Verdict blank_verdict(const Job& job, const CandidateKind* kind) const;
    [[nodiscard]] std::optional<Verdict> find_in_cache(const Digest& key,
                                                       const EvaluationRequest& request);
    /// Says in the verdict what was made. An error is a fault of ours.
    [[nodiscard]] Status name_binary(const EvaluationRequest& request, Prepared& prepared) const;
    /// What is on record of another source of which the same was made: it is the same program, and
    /// need not be run again.
    [[nodiscard]] std::optional<Verdict> find_binary(const Job& job, const Prepared& prepared);
    /// What is on record of a source that has died or hung here before.
    [[nodiscard]] std::optional<Verdict> find_in_quarantine(const Job& job);

    void serve_compiles();
    void compile_one(const Lease& lease);
    [[nodiscard]] Expected<Prepared> prepare(const CandidateKind& kind, const Job& job,
                                             const Verdict& blank, int& attempts);
    void serve_device(DeviceLane& lane);
    void run_one(DeviceLane& lane, const HandedOver& item);
    [[nodiscard]] Expected<Verdict> execute(DeviceLane& lane, const HandedOver& item,
                                            int& attempts);
    [[nodiscard]] Status restart(DeviceLane& lane);
    void count_busy(std::chrono::nanoseconds since);
    void monitor();
    [[nodiscard]] std::unique_lock<std::mutex> claim_cores();

    void finish(const Lease& lease, Verdict verdict);
    void keep(VerdictCache& cache, const Verdict& verdict);
    void save(const VerdictCache& cache, const Verdict& verdict);
    void fail(const Lease& lease, Error error, int attempts);
    void drop(const Lease& lease);
    void answer(std::vector<Flights::Waiter> waiters, const EvaluationResult& result);

    EvaluatorParts m_parts;
    VerdictCache m_cache;
    VerdictCache m_binaries;    ///< by what was made of the source; in memory only
    VerdictCache m_quarantine;  ///< by Job::suspect; in the same folder
    std::unique_ptr<JobQueue> m_queue;
    BoundedQueue<HandedOver> m_hand_over;
    Flights m_flights;
    std::mutex m_core_mutex;
    std::atomic<bool> m_closing = false;
    mutable std::mutex m_stats_mutex;
    EvaluatorStats m_stats;
    bool m_cache_trouble = false;  // used by m_writer's thread alone
    SerialExecutor m_writer;       // waits for the disk, so that no lane does
    SerialExecutor m_answers;
    std::vector<std::thread> m_threads;
};

}  // namespace atl
