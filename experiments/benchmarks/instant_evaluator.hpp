#pragma once

#include "reward/base/rng.hpp"
#include "reward/evaluator.hpp"
#include "reward/source_text.hpp"

#include <cmath>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace atl {

/// Passed, with three timed workloads of 20 samples, as a shipped task's.
inline Verdict verdict_of(const Candidate& candidate) {
    std::string text;
    for (const auto& [name, value] : candidate.tune) {
        text += name + value + ' ';
    }
    text += candidate.source;
    CounterRng random(1, RngPurpose::measurement, checksum64(text.data(), text.size()));
    const double time_ns = 1e6 * (1 + random.uniform());
    Verdict verdict;
    verdict.outcome = Outcome::passed;
    verdict.stage = Stage::measure;
    verdict.kind = candidate.kind;
    verdict.device = "instant";
    verdict.toolchain = "none";
    verdict.reason = "passed";
    verdict.compile = CompileReport{"none", {"-O3"}, 0.5, false, 16000, ""};
    verdict.measure = MeasureReport{"instant", {}, {}};
    for (int i = 0; i < 3; ++i) {
        WorkloadTiming timing;
        timing.workload = "workload-" + std::to_string(i);
        for (int sample = 0; sample < 20; ++sample) {
            timing.samples_ns.push_back(std::round(time_ns * (1 + 0.05 * random.uniform())));
        }
        timing.median_ns = time_ns;
        timing.low_ns = time_ns * 0.99;
        timing.high_ns = time_ns * 1.01;
        timing.light_ns = 12345;
        timing.reverified = 2;
        verdict.measure->workloads.push_back(std::move(timing));
    }
    return verdict;
}

/// Answers in order on a thread of its own.
class InstantEvaluator final : public Evaluator {
  public:
    InstantEvaluator() : m_thread([this] { serve(); }) {}
    ~InstantEvaluator() override {
        {
            const std::lock_guard lock(m_mutex);
            m_closed = true;
        }
        m_changed.notify_all();
        m_thread.join();
    }
    InstantEvaluator(const InstantEvaluator&) = delete;
    InstantEvaluator& operator=(const InstantEvaluator&) = delete;

    void submit(EvaluationRequest request, Done done) override {
        {
            const std::lock_guard lock(m_mutex);
            m_jobs.emplace_back(std::move(request), std::move(done));
        }
        m_changed.notify_all();
    }
    [[nodiscard]] EvaluatorStats stats() const override { return {}; }
    [[nodiscard]] int parallelism() const override { return 8; }
    [[nodiscard]] std::string fingerprint() const override { return "instant"; }
    [[nodiscard]] std::string description() const override { return "instant"; }

  private:
    void serve() {
        std::unique_lock lock(m_mutex);
        while (true) {
            m_changed.wait(lock, [this] { return m_closed || !m_jobs.empty(); });
            if (m_jobs.empty()) {
                return;
            }
            auto [request, done] = std::move(m_jobs.front());
            m_jobs.pop_front();
            lock.unlock();
            Verdict verdict = verdict_of(request.candidate);
            for (const Rival& rival : request.rivals) {
                verdict.measure->rivals[rival.name] =
                    verdict_of(rival.candidate).measure->workloads;
            }
            done(std::move(verdict));
            lock.lock();
        }
    }

    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::deque<std::pair<EvaluationRequest, Done>> m_jobs;
    bool m_closed = false;
    std::thread m_thread;  // last: starts when everything else is there
};

}  // namespace atl
