#pragma once

#include "reward/server/answer_cache.hpp"
#include "reward/server/baselines.hpp"
#include "reward/server/job.hpp"
#include "reward/server/job_ids.hpp"
#include "reward/server/job_interest.hpp"
#include "reward/server/job_limits.hpp"
#include "reward/server/job_room.hpp"
#include "reward/server/known_jobs.hpp"
#include "reward/server/metrics.hpp"
#include "reward/server/threads.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace atl {

/// The jobs of a server: hands them to evaluators, and publishes one document for each, once.
/// Belongs to the server's thread.
class JobTable : public std::enable_shared_from_this<JobTable> {
  public:
    /// `log`: may be nullptr; then nothing is kept.
    JobTable(Threads threads, Metrics& metrics, JobLimits limits,
             std::shared_ptr<EvaluationLog> log);

    /// The job of this request: a new one or, with an idempotency key that is known, the one that
    /// has it. One whose answer is known has ended already. Whoever gets another one joins it at
    /// once, unless it is `kept`: then it goes on, and can be found, without anybody who waits.
    /// `from`: where the request comes from. `promised`: check_room() has said that there is room,
    /// perhaps some time ago. Refusals: 503 draining, 429 queue_full (both only where nothing was
    /// promised), 503 log_behind, 422 idempotency_key_reused.
    [[nodiscard]] Answered<JobPtr> submit(JobRequest request, const Asker& from, bool kept = false,
                                          bool promised = false);
    /// Whose turn a request from there takes: its own client's, where it names one.
    [[nodiscard]] static Asker asker_of(const JobRequest& request, const Asker& from);
    /// Whether so many more jobs of that client with so many bytes of sources would be taken now.
    [[nodiscard]] Answered<void> check_room(const std::string& client, std::size_t jobs,
                                            std::size_t bytes) const;
    /// The same of these, of which known answers and jobs that there are already need no room.
    [[nodiscard]] Answered<void> check_room(const std::string& client,
                                            const std::vector<const JobRequest*>& requests);
    /// Whether submit() would not evaluate it, and not take part in an evaluation: because it has
    /// been answered before, or because there is no code in it.
    [[nodiscard]] bool is_answered(const JobRequest& request);
    /// nullptr when there is none, or none any more.
    [[nodiscard]] JobPtr find(const std::string& id) { return m_known.find(id); }
    /// The same by its idempotency key.
    [[nodiscard]] JobPtr find_by_key(const std::string& key) { return m_known.find_by_key(key); }
    /// `on_end` is called at most once and must not release interests. REQUIRES a pending job.
    [[nodiscard]] Interest join(const JobPtr& job, std::function<void()> on_end);
    /// The job goes on, and can be found, without anybody who waits.
    void keep(const JobPtr& job) { job->kept = true; }
    /// Nothing when it has ended.
    void cancel(const JobPtr& job, const std::string& why);
    /// From now on only what was taken before is worked on.
    void begin_drain() { m_draining = true; }
    [[nodiscard]] bool draining() const { return m_draining; }
    /// Every pending job ends as a fault of ours.
    void end_all(const std::string& why);

    [[nodiscard]] std::size_t pending() const { return m_pending; }
    /// Since it was made.
    [[nodiscard]] double uptime_s() const {
        return std::chrono::duration<double>(Clock::now() - m_made).count();
    }
    [[nodiscard]] std::size_t in_evaluators() const { return m_room.jobs(); }
    /// When to try again, by how fast jobs have ended of late.
    [[nodiscard]] std::chrono::seconds retry_after() const { return m_room.retry_after(); }

  private:
    using Clock = std::chrono::steady_clock;

    [[nodiscard]] Answered<JobPtr> find_equal(const JobRequest& request);
    JobPtr add(JobRequest request, Asker asker, bool kept);
    [[nodiscard]] Answered<void> check_log() const;
    void evaluate(const JobPtr& job);
    void arrived(const JobPtr& job, EvaluationResult result);
    /// After a fault of ours: at once, later, or never. REQUIRES a job that counts as in an
    /// evaluator.
    void try_again(const JobPtr& job, InfrastructureFault fault);
    /// After a pause; meanwhile it still counts.
    void evaluate_later(const JobPtr& job);
    void conclude(const JobPtr& job, Verdict verdict);
    void write(const JobPtr& job, Verdict verdict, BaselineTimes baseline);
    void tell(const JobPtr& job, const ReadyAnswer& answer);
    void fail(const JobPtr& job, const InfrastructureFault& fault);
    void end(const JobPtr& job, JobState state, std::string document, const std::string& metric);

    Threads m_threads;
    Metrics& m_metrics;
    JobLimits m_limits;
    std::shared_ptr<Baselines> m_baselines;
    AnswerCache m_ready;
    JobIds m_ids;
    std::shared_ptr<EvaluationLog> m_log;
    KnownJobs m_known;
    JobRoom m_room;
    std::size_t m_pending = 0;
    Clock::time_point m_made = Clock::now();
    bool m_draining = false;
};

}  // namespace atl
