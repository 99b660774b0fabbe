#pragma once

#include "reward/cuda/driver_types.hpp"

#include <atomic>
#include <condition_variable>
#include <csetjmp>
#include <csignal>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

/// The threads and faults of tests/support/simulated_driver.cpp.
namespace atl::cuda::simulated {

inline std::atomic<Result> g_fault = k_success;  ///< sticks

inline thread_local sigjmp_buf* t_after_fault = nullptr;

inline void on_bad_access(int signal) {
    if (t_after_fault != nullptr) {
        siglongjmp(*t_after_fault, 1);
    }
    std::signal(signal, SIG_DFL);
    std::raise(signal);
}

/// Runs what is queued, one after the other, until something faults. Who queues more than a stream
/// takes (as many as seen on an H200) waits.
class Queue {
  public:
    Queue() : m_thread([this] { work(); }) {}

    void push(std::function<Result()> job) {
        std::unique_lock lock(m_mutex);
        m_changed.wait(lock, [this] { return m_jobs.size() < k_most_jobs; });
        m_jobs.push_back(std::move(job));
        m_changed.notify_all();
    }
    bool idle() {
        const std::lock_guard lock(m_mutex);
        return m_jobs.empty();
    }
    void wait() {
        std::unique_lock lock(m_mutex);
        m_changed.wait(lock, [this] { return m_jobs.empty(); });
    }
    /// A hung kernel keeps its thread, and its queue, for ever.
    static void end(Queue* queue) {
        if (!queue->idle()) {
            queue->m_thread.detach();
            return;
        }
        {
            const std::lock_guard lock(queue->m_mutex);
            queue->m_ended = true;
            queue->m_changed.notify_all();
        }
        queue->m_thread.join();
        delete queue;
    }

  private:
    void work() {
        for (;;) {
            std::function<Result()> job;
            {
                std::unique_lock lock(m_mutex);
                m_changed.wait(lock, [this] { return m_ended || !m_jobs.empty(); });
                if (m_jobs.empty()) {
                    return;
                }
                job = m_jobs.front();
            }
            if (g_fault == k_success) {
                if (const Result result = guarded(job); result != k_success) {
                    g_fault = result;
                }
            }
            const std::lock_guard lock(m_mutex);
            m_jobs.pop_front();
            m_changed.notify_all();
        }
    }

    static Result guarded(const std::function<Result()>& job) {
        sigjmp_buf after_fault;
        if (sigsetjmp(after_fault, 1) != 0) {
            t_after_fault = nullptr;
            return k_illegal_address;
        }
        t_after_fault = &after_fault;
        const Result result = job();
        t_after_fault = nullptr;
        return result;
    }

    static constexpr std::size_t k_most_jobs = 1024;

    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::deque<std::function<Result()>> m_jobs;  // the first one is at work
    bool m_ended = false;
    std::thread m_thread;
};

}  // namespace atl::cuda::simulated
