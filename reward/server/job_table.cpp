#include "reward/server/job_table.hpp"

#include "reward/server/give_back.hpp"
#include "reward/server/job_document.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <utility>

namespace atl {

namespace {

/// Beyond the evaluator's own retry: so often a job is handed over before a dead worker or a lost
/// device becomes the client's trouble.
constexpr int k_most_submissions = 4;
/// Between tries beyond those.
constexpr std::chrono::milliseconds k_longest_pause{60'000};

/// What another worker, or the same one later, may do better.
bool is_worth_another_try(ErrorCode code) {
    return code == ErrorCode::unavailable || code == ErrorCode::internal || code == ErrorCode::io;
}

bool has_answer(const ServerJob& job) {
    return job.state == JobState::pending || job.state == JobState::done;
}

}  // namespace

JobTable::JobTable(Threads threads, Metrics& metrics, JobLimits limits,
                   std::shared_ptr<EvaluationLog> log)
    : m_threads(threads),
      m_metrics(metrics),
      m_limits(limits),
      m_baselines(std::make_shared<Baselines>(threads)),
      m_ready(limits.ready_bytes),
      m_log(std::move(log)),
      m_known(limits),
      m_room(limits) {}

Answered<void> JobTable::check_room(const std::string& client, std::size_t jobs,
                                    std::size_t bytes) const {
    if (m_draining) {
        return tl::unexpected(Refusal{503,
                                      "draining",
                                      {ErrorCode::unavailable, "the server is shutting down",
                                       "server", "ask another one, or this one when it is back"},
                                      retry_after()});
    }
    const Answered<void> room = m_room.check(client, jobs, bytes);
    return room ? check_log() : room;
}

Answered<void> JobTable::check_log() const {
    if (!m_log || m_log->waiting_bytes() <= m_limits.log_bytes) {
        return {};
    }
    return tl::unexpected(
        Refusal{503,
                "log_behind",
                {ErrorCode::unavailable, "the log's disk is slower than the evaluations", "--log",
                 "try again after the time that Retry-After says"},
                retry_after()});
}

Answered<void> JobTable::check_room(const std::string& client,
                                    const std::vector<const JobRequest*>& requests) {
    std::size_t jobs = 0;
    std::size_t bytes = 0;
    bool any_is_new = m_draining;
    for (const JobRequest* request : requests) {
        const Answered<JobPtr> equal = find_equal(*request);
        if (equal && *equal != nullptr) {
            continue;
        }
        any_is_new = true;
        if (!request->no_code && !m_ready.find(request->content)) {
            ++jobs;
            bytes += request->bytes();
        }
    }
    if (jobs > 0 || m_draining) {
        return check_room(client, jobs, bytes);
    }
    return any_is_new ? check_log() : Answered<void>();
}

bool JobTable::is_answered(const JobRequest& request) {
    const Answered<JobPtr> equal = find_equal(request);
    if (equal && *equal != nullptr) {
        return (*equal)->state != JobState::pending;
    }
    return request.no_code || m_ready.find(request.content);
}

Answered<JobPtr> JobTable::find_equal(const JobRequest& request) {
    if (request.idempotency_key.empty()) {
        return JobPtr();
    }
    JobPtr found = m_known.find_by_key(request.idempotency_key);
    // What ended without an answer is tried again.
    if (!found || !has_answer(*found)) {
        return JobPtr();
    }
    if (found->request.digest() != request.digest()) {
        return refuse(422, "idempotency_key_reused",
                      {ErrorCode::invalid_argument,
                       "another request has the idempotency key '" + request.idempotency_key + "'",
                       "idempotency_key", "give each request a key of its own"});
    }
    return found;
}

Asker JobTable::asker_of(const JobRequest& request, const Asker& from) {
    Asker asker = from;
    if (!request.client.empty()) {
        asker.client = "named " + request.client;  // never what an address stands for
    }
    return asker;
}

JobPtr JobTable::add(JobRequest request, Asker asker, bool kept) {
    JobPtr job = std::make_shared<ServerJob>();
    job->id = m_ids.next();
    job->asker = std::move(asker);
    job->request = std::move(request);
    job->submitted = Clock::now();
    job->kept = kept;
    if (!m_log) {
        give_back(job->request.rollout);
    }
    job->bytes = job->request.bytes();
    m_known.add(job);
    ++m_pending;
    return job;
}

Answered<JobPtr> JobTable::submit(JobRequest request, const Asker& from, bool kept, bool promised) {
    if (Answered<JobPtr> known = find_equal(request); !known || *known != nullptr) {
        if (known && kept) {
            keep(*known);
        }
        return known;
    }
    Asker asker = asker_of(request, from);
    const std::optional<ReadyAnswer> ready = m_ready.find(request.content);
    // A known answer needs no room, but becomes a record as others do.
    const bool needs_room = !promised && (m_draining || !(ready || request.no_code));
    const Answered<void> room =
        needs_room ? check_room(asker.client, 1, request.bytes()) : check_log();
    if (!room) {
        return tl::unexpected(room.error());
    }
    JobPtr job = add(std::move(request), std::move(asker), kept);
    if (ready) {
        tell(job, *ready);
        return job;
    }
    if (job->request.no_code) {
        write(job, no_code_verdict(job->request), {});
        return job;
    }
    EvaluationRequest like_it;
    like_it.task = job->request.task;
    like_it.level = job->request.level;
    like_it.rivals = job->request.rivals;
    const ServedDevice& device = *job->request.device;
    job->deadline = job->submitted +
                    job->request.deadline.value_or(deadline_for(
                        like_it, device.limits, m_limits.deadline, m_room.jobs(), device.count));
    if (job->request.wants_baseline()) {
        // So that it is measured while the candidate waits.
        m_baselines->want(job->request.task, device, [](const Baselines::Answer&) {});
    }
    evaluate(job);
    return job;
}

void JobTable::evaluate(const JobPtr& job) {
    ++job->submissions;
    m_room.enter(*job);
    EvaluationRequest request;
    request.task = job->request.task;
    request.candidate = job->request.candidate;
    request.level = job->request.level;
    request.profile = job->request.profile;
    request.rivals = job->request.rivals;
    request.cutoff_ns = job->request.cutoff_ns;
    request.use_cache = !job->request.fresh;
    request.priority = job->request.priority;
    request.asker = job->asker;
    request.quarantine = true;
    request.cancel = job->cancel.get_token();
    request.deadline =
        std::max(std::chrono::seconds(1),
                 std::chrono::ceil<std::chrono::seconds>(job->deadline - Clock::now()));
    auto done = [self = weak_from_this(), io = &m_threads.io, job](EvaluationResult result) {
        boost::asio::post(*io, [self, job, result = std::move(result)]() mutable {
            if (const std::shared_ptr<JobTable> table = self.lock()) {
                table->arrived(job, std::move(result));
            }
        });
    };
    boost::asio::post(m_threads.pool,
                      [evaluator = job->request.device->evaluator.get(),
                       request = std::move(request), done = std::move(done)]() mutable {
                          evaluator->submit(std::move(request), std::move(done));
                      });
}

void JobTable::arrived(const JobPtr& job, EvaluationResult result) {
    if (job->state != JobState::pending) {
        return m_room.leave(*job);  // cancelled meanwhile
    }
    if (result) {
        return conclude(job, std::move(*result));
    }
    try_again(job, std::move(result.error()));
}

void JobTable::try_again(const JobPtr& job, InfrastructureFault fault) {
    const bool may_pass = job->state == JobState::pending &&
                          is_worth_another_try(fault.error.code) && Clock::now() < job->deadline;
    const bool at_once = job->submissions < k_most_submissions;
    if (may_pass && !at_once && job->request.until_deadline && !m_draining) {
        return evaluate_later(job);
    }
    m_room.leave(*job);
    if (may_pass && at_once) {
        return evaluate(job);
    }
    fault.attempts += job->submissions - 1;
    fail(job, fault);
}

void JobTable::evaluate_later(const JobPtr& job) {
    const int doublings = std::min(job->submissions - k_most_submissions, 6);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(job->deadline - Clock::now());
    auto timer = std::make_shared<boost::asio::steady_timer>(m_threads.io);
    timer->expires_after(
        std::min({m_limits.first_pause * (1 << doublings), k_longest_pause, left}));
    timer->async_wait([self = weak_from_this(), job, timer](boost::system::error_code) {
        const std::shared_ptr<JobTable> table = self.lock();
        if (!table) {
            return;
        }
        table->m_room.leave(*job);
        if (job->state == JobState::pending) {
            table->evaluate(job);
        }
    });
}

void JobTable::conclude(const JobPtr& job, Verdict verdict) {
    if (!job->request.wants_baseline() || !is_correct(verdict.outcome)) {
        m_room.leave(*job);
        return write(job, std::move(verdict), {});
    }
    m_baselines->want(job->request.task, *job->request.device,
                      [self = weak_from_this(), job,
                       verdict = std::move(verdict)](const Baselines::Answer& times) {
                          const std::shared_ptr<JobTable> table = self.lock();
                          if (table && times) {
                              table->m_room.leave(*job);
                              table->write(job, verdict, *times);
                          } else if (table) {
                              table->try_again(job, {times.error(), 1});
                          }
                      });
}

void JobTable::write(const JobPtr& job, Verdict verdict, BaselineTimes baseline) {
    boost::asio::post(m_threads.pool, [self = weak_from_this(), io = &m_threads.io, job,
                                       is_logged = m_log != nullptr, verdict = std::move(verdict),
                                       baseline = std::move(baseline)] {
        const Expected<NamedScores> scores = scores_of(job->request, verdict, baseline);
        if (!scores) {
            return boost::asio::post(*io, [self, job, error = scores.error()] {
                if (const std::shared_ptr<JobTable> table = self.lock()) {
                    table->fail(job, {error, job->submissions});
                }
            });
        }
        ReadyAnswer answer{verdict.outcome,
                           std::make_shared<const std::string>(
                               verdict_text(job->request, verdict, baseline, *scores)),
                           is_logged ? std::make_shared<const EvaluationFacts>(
                                           evaluation_facts(verdict, baseline, *scores))
                                     : nullptr};
        // What will be said in the same words to whoever asks the same.
        const bool is_ready = verdict.from_cache || job->request.no_code;
        boost::asio::post(*io, [self, job, is_ready, answer = std::move(answer)]() mutable {
            if (const std::shared_ptr<JobTable> table = self.lock()) {
                table->tell(job, answer);
                if (is_ready) {
                    table->m_ready.insert(job->request.content, std::move(answer));
                }
            }
        });
    });
}

void JobTable::tell(const JobPtr& job, const ReadyAnswer& answer) {
    if (job->state != JobState::pending) {
        return;  // cancelled meanwhile
    }
    if (!m_log) {
        return end(job, JobState::done, verdict_document(*job, *answer.text, {}),
                   std::string(to_string(answer.outcome)));
    }
    // Told when it is durable: what a client was told is in the log, whatever happens then.
    m_log->record(evaluation_record(*job, answer.facts, ""),
                  [self = weak_from_this(), io = &m_threads.io, job, text = answer.text,
                   outcome = answer.outcome](bool durable) {
                      boost::asio::post(*io, [self, job, text, outcome, durable] {
                          if (const std::shared_ptr<JobTable> table = self.lock()) {
                              table->end(job, JobState::done,
                                         verdict_document(*job, *text, durable),
                                         std::string(to_string(outcome)));
                          }
                      });
                  });
}

void JobTable::fail(const JobPtr& job, const InfrastructureFault& fault) {
    job->fault_code = fault.error.code;
    if (m_log && job->state == JobState::pending) {
        m_log->record(evaluation_record(*job, nullptr, fault.error.message()), [](bool) {});
    }
    end(job, JobState::fault, fault_document(*job, fault), "fault");
}

void JobTable::cancel(const JobPtr& job, const std::string& why) {
    if (job->state == JobState::pending) {
        job->cancel.request_stop();
        end(job, JobState::cancelled, cancelled_document(*job, why), "cancelled");
    }
}

void JobTable::end_all(const std::string& why) {
    for (const JobPtr& job : m_known.pending()) {
        job->cancel.request_stop();
        fail(job, {Error{ErrorCode::interrupted, why, "server", ""}, job->submissions});
    }
}

void JobTable::end(const JobPtr& job, JobState state, std::string document,
                   const std::string& metric) {
    if (job->state != JobState::pending) {
        return;
    }
    job->state = state;
    job->document = std::make_shared<const std::string>(std::move(document));
    give_back(job->request.candidate.source);
    give_back(job->request.candidate.tune);
    give_back(job->request.candidate.flags);
    give_back(job->request.rivals);
    give_back(job->request.rollout);
    --m_pending;
    m_metrics.job_ended(metric, job->age_s());
    m_room.ended();
    m_known.ended(job);
    for (const std::function<void()>& on_end : job->interested) {
        if (on_end) {
            on_end();
        }
    }
}

Interest JobTable::join(const JobPtr& job, std::function<void()> on_end) {
    return Interest(weak_from_this(), job, std::move(on_end));
}

}  // namespace atl
