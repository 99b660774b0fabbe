#include "reward/worker_calls.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace atl {

namespace {

/// Beyond a question's own limit, before its worker is taken for hung.
constexpr std::chrono::seconds k_grace{20};
constexpr std::chrono::seconds k_stop_patience{2};

}  // namespace

class WorkerCalls::Keeper {
  public:
    Keeper(WorkerRole role, WorkerOptions options) : m_role(role), m_options(std::move(options)) {}
    ~Keeper();
    Keeper(const Keeper&) = delete;
    Keeper& operator=(const Keeper&) = delete;

    [[nodiscard]] Status start();
    [[nodiscard]] Expected<Frame> ask(Frame& question, double timeout_s,
                                      const std::stop_token& cancel);
    [[nodiscard]] std::uint64_t restarts() const { return m_restarts.load(); }

  private:
    /// A call that waits for its answer.
    struct Waiting {
        std::optional<Expected<Frame>> answer;
    };

    [[nodiscard]] std::string name() const { return std::string(to_string(m_role)); }
    [[nodiscard]] Status wait_for_worker(std::unique_lock<std::mutex>& lock);
    void keep_worker();
    void start_worker(std::unique_lock<std::mutex>& lock);
    void read_answers();
    void fail_all(const Error& error);

    const WorkerRole m_role;
    const WorkerOptions m_options;
    std::atomic<std::uint64_t> m_restarts{0};

    std::mutex m_mutex;  ///< guards what follows
    std::condition_variable_any m_changed;
    std::optional<WorkerProcess> m_worker;
    std::optional<Error> m_start_error;
    bool m_wanted = true;  ///< a worker should be running
    bool m_stopping = false;
    std::map<std::uint64_t, Waiting*> m_waiting;
    std::uint64_t m_last_request = 0;
    std::uint32_t m_generation = 0;
    /// Starts the worker and reads its answers. One thread for all workers in turn, because a
    /// worker dies with the thread that started it.
    std::thread m_keeper;
};

WorkerCalls::Keeper::~Keeper() {
    {
        const std::lock_guard lock(m_mutex);
        m_stopping = true;
        if (m_worker) {
            m_worker->stop(k_stop_patience);
        }
    }
    m_changed.notify_all();
    if (m_keeper.joinable()) {
        m_keeper.join();
    }
}

Status WorkerCalls::Keeper::start() {
    m_keeper = std::thread([this] { keep_worker(); });
    std::unique_lock lock(m_mutex);
    return wait_for_worker(lock);
}

Status WorkerCalls::Keeper::wait_for_worker(std::unique_lock<std::mutex>& lock) {
    if (!m_worker) {
        m_wanted = true;
        m_start_error.reset();
        m_changed.notify_all();
    }
    m_changed.wait(lock, [&] { return m_worker || m_start_error || m_stopping; });
    if (m_worker) {
        return {};
    }
    return tl::unexpected(m_start_error.value_or(
        Error{ErrorCode::unavailable, "the worker is being stopped", name(), ""}));
}

void WorkerCalls::Keeper::keep_worker() {
    std::unique_lock lock(m_mutex);
    while (!m_stopping) {
        m_changed.wait(lock, [&] { return m_wanted || m_stopping; });
        if (m_stopping) {
            break;
        }
        start_worker(lock);
        if (m_worker) {
            lock.unlock();
            read_answers();
            lock.lock();
            m_worker.reset();
            // Restarted when the next request comes: nobody may be waiting.
            fail_all({ErrorCode::unavailable, "the worker died", name(), ""});
        }
    }
}

void WorkerCalls::Keeper::start_worker(std::unique_lock<std::mutex>& lock) {
    m_wanted = false;
    const std::uint32_t generation = ++m_generation;
    lock.unlock();
    auto worker = WorkerProcess::start(m_role, m_options, generation);
    lock.lock();
    if (worker) {
        m_worker.emplace(std::move(*worker));
        m_restarts += generation > 1 ? 1 : 0;
    } else {
        m_start_error = worker.error();
    }
    if (m_stopping) {
        m_worker.reset();
    }
    m_changed.notify_all();
}

void WorkerCalls::Keeper::read_answers() {
    // Only this thread replaces the worker, and receiving beside a sender is permitted.
    while (true) {
        Expected<Frame> frame = m_worker->channel().receive(std::chrono::milliseconds(-1));
        if (!frame) {
            return;
        }
        const std::lock_guard lock(m_mutex);
        const auto waiting = m_waiting.find(frame->request);
        if (waiting != m_waiting.end() && frame->generation == m_generation) {
            waiting->second->answer = std::move(frame);
            m_waiting.erase(waiting);
            m_changed.notify_all();
        }
    }
}

void WorkerCalls::Keeper::fail_all(const Error& error) {
    for (const auto& [request, waiting] : m_waiting) {
        waiting->answer = tl::unexpected(error);
    }
    m_waiting.clear();
    m_changed.notify_all();
}

Expected<Frame> WorkerCalls::Keeper::ask(Frame& question, double timeout_s,
                                         const std::stop_token& cancel) {
    std::unique_lock lock(m_mutex);
    ATOLL_TRY(wait_for_worker(lock));
    Waiting waiting;
    question.request = ++m_last_request;
    question.generation = m_generation;
    if (Status sent = m_worker->channel().send(question); !sent) {
        if (sent.error().code == ErrorCode::unavailable) {
            // The keeper has not seen this death yet: who asks again at once would meet it again.
            m_changed.wait(lock, [&] {
                return !m_worker || m_generation != question.generation || m_stopping;
            });
        }
        return tl::unexpected(std::move(sent.error()));
    }
    m_waiting.emplace(question.request, &waiting);
    const auto until = std::chrono::steady_clock::now() + k_grace +
                       std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                           std::chrono::duration<double>(timeout_s));
    const auto answered = [&] { return waiting.answer.has_value(); };
    m_changed.wait_until(lock, cancel, until, answered);
    const bool cancelled = !answered() && cancel.stop_requested();
    if (cancelled && m_worker) {
        Frame frame;
        frame.type = FrameType::cancel;
        frame.request = question.request;
        frame.generation = question.generation;
        static_cast<void>(m_worker->channel().send(frame));  // if it is gone, the keeper answers
    }
    // Also after a cancel: nobody else may use the core before the compiler is dead.
    if (!m_changed.wait_until(lock, until, answered)) {
        // Hung: its death makes the keeper answer everybody.
        if (m_worker && m_generation == question.generation) {
            m_worker->process().kill();
        }
        m_changed.wait(lock, answered);
    }
    if (cancelled) {
        return failure(ErrorCode::interrupted, "the compilation was cancelled", name());
    }
    return std::move(*waiting.answer);
}

WorkerCalls::WorkerCalls(WorkerRole role, WorkerOptions options)
    : m_keeper(std::make_unique<Keeper>(role, std::move(options))) {}

WorkerCalls::~WorkerCalls() = default;

Status WorkerCalls::start() {
    return m_keeper->start();
}

Expected<Frame> WorkerCalls::ask(Frame& question, double timeout_s, std::stop_token cancel) {
    Expected<Frame> answer = m_keeper->ask(question, timeout_s, cancel);
    if (!answer && answer.error().code == ErrorCode::unavailable) {
        answer = m_keeper->ask(question, timeout_s, cancel);
    }
    return answer;
}

std::uint64_t WorkerCalls::restarts() const {
    return m_keeper->restarts();
}

Expected<FileHandle> memory_file_of(std::string_view bytes) {
    FileHandle file(::memfd_create("bytes", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!file) {
        return tl::unexpected(errno_error("memfd_create", "frame", errno));
    }
    for (std::size_t done = 0; done < bytes.size();) {
        const ssize_t step = ::write(file.get(), bytes.data() + done, bytes.size() - done);
        if (step < 0 && errno != EINTR) {
            return tl::unexpected(errno_error("write", "frame", errno));
        }
        done += static_cast<std::size_t>(std::max<ssize_t>(step, 0));
    }
    return file;
}

}  // namespace atl
