#pragma once

#include "reward/evaluator.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace atl::testing {

/// What a fake says about a candidate. Every function must be pure: it may be called on any
/// thread.
struct FakeEvaluatorOptions {
    /// Nanoseconds per launch on every workload. Default: fake_time_ns().
    std::function<double(const Candidate&)> time_ns;
    /// Of right candidates. Default: not measured.
    std::function<std::uint64_t(const Candidate&)> memory_bytes;
    /// Default: passed; a tune value or flag "broken" gives wrong_result, "syntax" compile_error.
    std::function<Outcome(const Candidate&)> outcome;
    /// Given the number of the submission (from 0): true gives an InfrastructureFault.
    std::function<bool(std::uint64_t number, const Candidate&)> fault;
    ErrorCode fault_code = ErrorCode::unavailable;
    /// True: jobs wait until the test calls finish(); false: `threads` threads answer in order.
    bool manual = false;
    bool from_cache = false;  ///< what its verdicts say of themselves
    int threads = 1;
    int parallelism = 4;
    std::string fingerprint = "fake device, fake toolchain, fake protocol";
    /// What the compiler makes of it. Default: not known.
    std::function<Digest(const Candidate&)> binary = {};
};

/// A smooth landscape over the tune values with one optimum: each numeric value v costs
/// (log2(v) - 6)^2, i.e. 64 is best for every macro; "-O2" and other flags cost nothing. The
/// length of the source adds a little, so that different sources differ.
[[nodiscard]] inline double fake_time_ns(const Candidate& candidate) {
    double time = 1000.0 + static_cast<double>(candidate.source.size() % 97);
    for (const auto& [name, text] : candidate.tune) {
        const double value = std::strtod(text.c_str(), nullptr);
        const double distance = std::log2(std::max(value, 1.0)) - 6.0;
        time += 100.0 * distance * distance;
    }
    return time;
}

[[nodiscard]] inline Outcome fake_outcome(const Candidate& candidate) {
    const auto mentions = [&](const std::string& word) {
        for (const auto& [name, value] : candidate.tune) {
            if (value == word) {
                return true;
            }
        }
        return std::find(candidate.flags.begin(), candidate.flags.end(), word) !=
               candidate.flags.end();
    };
    return mentions("broken")   ? Outcome::wrong_result
           : mentions("syntax") ? Outcome::compile_error
                                : Outcome::passed;
}

/// An Evaluator that compiles and runs nothing: deterministic answers, deliverable in any order
/// and with faults. Keeps the contract of Evaluator: `done` exactly once and never from inside
/// submit(); what is pending at destruction is answered with a fault. Thread-safe.
class FakeEvaluator final : public Evaluator {
  public:
    explicit FakeEvaluator(FakeEvaluatorOptions options = {}) : m_options(std::move(options)) {
        if (!m_options.time_ns) {
            m_options.time_ns = fake_time_ns;
        }
        if (!m_options.outcome) {
            m_options.outcome = fake_outcome;
        }
        for (int i = 0; !m_options.manual && i < m_options.threads; ++i) {
            m_threads.emplace_back([this] { serve(); });
        }
    }

    ~FakeEvaluator() override {
        {
            const std::lock_guard lock(m_mutex);
            m_closed = true;
        }
        m_changed.notify_all();
        for (std::thread& thread : m_threads) {
            thread.join();
        }
        for (Pending& job : m_pending) {
            job.done(tl::unexpected(fault_of("the evaluator shut down")));
        }
    }
    FakeEvaluator(const FakeEvaluator&) = delete;
    FakeEvaluator& operator=(const FakeEvaluator&) = delete;

    void submit(EvaluationRequest request, Done done) override {
        {
            const std::lock_guard lock(m_mutex);
            m_requests.push_back(request);
            m_pending.push_back({m_submitted++, std::move(request), std::move(done)});
        }
        m_changed.notify_all();
    }

    [[nodiscard]] EvaluatorStats stats() const override {
        const std::lock_guard lock(m_mutex);
        EvaluatorStats stats;
        stats.submitted = m_submitted;
        stats.completed = m_completed;
        stats.faults = m_faults;
        return stats;
    }
    [[nodiscard]] int parallelism() const override { return m_options.parallelism; }
    [[nodiscard]] std::string fingerprint() const override { return m_options.fingerprint; }
    [[nodiscard]] std::string description() const override { return "fake"; }

    // Manual mode. The test's thread is "the evaluator's thread".

    [[nodiscard]] std::size_t pending() const {
        const std::lock_guard lock(m_mutex);
        return m_pending.size();
    }
    /// Waits until `count` jobs are pending; false after `wait`.
    bool wait_for_pending(std::size_t count,
                          std::chrono::milliseconds wait = std::chrono::seconds(30)) {
        std::unique_lock lock(m_mutex);
        return m_changed.wait_for(lock, wait, [&] { return m_pending.size() >= count; });
    }
    /// Answers the pending job at `index` (0: oldest). False when there is none.
    bool finish(std::size_t index = 0) {
        std::unique_lock lock(m_mutex);
        if (index >= m_pending.size()) {
            return false;
        }
        Pending job = std::move(m_pending[index]);
        m_pending.erase(m_pending.begin() + static_cast<std::ptrdiff_t>(index));
        lock.unlock();
        answer(std::move(job));
        return true;
    }
    void finish_all() {
        while (finish()) {
        }
    }
    /// Every request so far, in order of submission.
    [[nodiscard]] std::vector<EvaluationRequest> requests() const {
        const std::lock_guard lock(m_mutex);
        return m_requests;
    }

    /// The verdict that the fake gives; also for tests that need one without an evaluator.
    [[nodiscard]] static Verdict verdict_for(const EvaluationRequest& request,
                                             const FakeEvaluatorOptions& options) {
        Verdict verdict;
        verdict.kind = request.candidate.kind;
        verdict.from_cache = options.from_cache;
        verdict.outcome = options.outcome(request.candidate);
        verdict.device = "fake";
        verdict.toolchain = "fake";
        verdict.key = candidate_digest(request.candidate);
        verdict.reason = std::string(to_string(verdict.outcome));
        if (verdict.outcome == Outcome::compile_error) {
            verdict.stage = Stage::compile;
            verdict.compile = CompileReport{"fake", {}, 0, false, 0, "error: syntax"};
            return verdict;
        }
        verdict.compile = CompileReport{"fake", {}, 0, false, 1000, ""};
        verdict.compile->binary = options.binary ? options.binary(request.candidate) : Digest{};
        if (!is_correct(verdict.outcome)) {
            verdict.stage = Stage::verify;
            return verdict;
        }
        verdict.stage = request.level == Level::verify    ? Stage::verify
                        : request.level == Level::measure ? Stage::measure
                                                          : Stage::confirm;
        if (options.memory_bytes && request.level != Level::confirm) {
            verdict.memory_bytes = options.memory_bytes(request.candidate);
        }
        if (request.level != Level::verify) {
            verdict.measure = measure_of(request, options);
        }
        return verdict;
    }

  private:
    struct Pending {
        std::uint64_t number = 0;
        EvaluationRequest request;
        Done done;
    };

    static Digest candidate_digest(const Candidate& candidate) {
        ContentHasher hasher;
        hasher.field(candidate.kind).field(candidate.source);
        for (const auto& [name, value] : candidate.tune) {
            hasher.field(name).field(value);
        }
        for (const std::string& flag : candidate.flags) {
            hasher.field(flag);
        }
        return hasher.finish();
    }

    static std::vector<WorkloadTiming> timings_of(const EvaluationRequest& request, double time) {
        std::vector<WorkloadTiming> timings;
        const auto add = [&](const std::string& id, bool hidden) {
            WorkloadTiming timing;
            timing.workload = id;
            timing.hidden = hidden;
            timing.samples_ns = {time * 0.99, time, time * 1.01};
            timing.median_ns = time;
            timing.low_ns = time * 0.99;
            timing.high_ns = time * 1.01;
            timing.light_ns = 100;
            timings.push_back(std::move(timing));
        };
        if (request.task) {
            for (const Workload& workload : request.task->workloads) {
                if (workload.use == Workload::Use::measure &&
                    (!workload.hidden || request.level == Level::confirm)) {
                    add(workload.id, workload.hidden);
                }
            }
        }
        if (timings.empty()) {
            add("w0", false);
        }
        return timings;
    }

    static MeasureReport measure_of(const EvaluationRequest& request,
                                    const FakeEvaluatorOptions& options) {
        MeasureReport report;
        report.protocol = "fake";
        report.workloads = timings_of(request, options.time_ns(request.candidate));
        for (const Rival& rival : request.rivals) {
            report.rivals[rival.name] = timings_of(request, options.time_ns(rival.candidate));
        }
        return report;
    }

    static InfrastructureFault fault_of(const std::string& what) {
        return {Error{ErrorCode::unavailable, what, "fake evaluator", ""}, 2};
    }

    void answer(Pending job) {
        const bool fault = m_options.fault && m_options.fault(job.number, job.request.candidate);
        EvaluationResult result = verdict_for(job.request, m_options);
        if (fault) {
            result = tl::unexpected(fault_of("made to fail"));
            result.error().error.code = m_options.fault_code;
        }
        {
            const std::lock_guard lock(m_mutex);
            ++m_completed;
            m_faults += fault ? 1 : 0;
        }
        job.done(std::move(result));
    }

    void serve() {
        while (true) {
            std::unique_lock lock(m_mutex);
            m_changed.wait(lock, [&] { return m_closed || !m_pending.empty(); });
            if (m_closed) {
                return;
            }
            Pending job = std::move(m_pending.front());
            m_pending.pop_front();
            lock.unlock();
            answer(std::move(job));
        }
    }

    FakeEvaluatorOptions m_options;
    mutable std::mutex m_mutex;
    std::condition_variable m_changed;
    std::deque<Pending> m_pending;
    std::vector<EvaluationRequest> m_requests;
    std::vector<std::thread> m_threads;
    std::uint64_t m_submitted = 0;
    std::uint64_t m_completed = 0;
    std::uint64_t m_faults = 0;
    bool m_closed = false;
};

}  // namespace atl::testing
