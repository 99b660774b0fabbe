#include "reward/compiler.hpp"

#include "reward/compiler_discovery.hpp"
#include "reward/worker_process.hpp"
#include "reward/workers/compile_messages.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

namespace atl {

namespace {

/// Beyond a request's own limit, before its worker is taken for hung.
constexpr std::chrono::seconds k_grace{20};
constexpr std::chrono::seconds k_stop_patience{2};

Expected<FileHandle> memory_file_of(const std::string& text) {
    FileHandle file(::memfd_create("source", MFD_CLOEXEC));
    if (!file) {
        return tl::unexpected(errno_error("memfd_create", "compile", errno));
    }
    for (std::size_t done = 0; done < text.size();) {
        const ssize_t step = ::write(file.get(), text.data() + done, text.size() - done);
        if (step < 0 && errno != EINTR) {
            return tl::unexpected(errno_error("write", "source", errno));
        }
        done += static_cast<std::size_t>(std::max<ssize_t>(step, 0));
    }
    return file;
}

Expected<CompileResult> result_of(Frame frame) {
    if (frame.type == FrameType::failed) {
        return tl::unexpected(parse_failed_frame(frame));
    }
    ATOLL_TRY_ASSIGN(CompileReply reply, parse_compile_reply(frame.payload));
    const bool ok = reply.status == CompileResult::Status::ok;
    if (frame.type != FrameType::compiled || frame.handles.size() != (ok ? 1 : 0)) {
        return failure(ErrorCode::corrupt, "an answer that fits no question", "compiler");
    }
    CompileResult result;
    result.status = reply.status;
    result.log = std::move(reply.log);
    result.seconds = reply.seconds;
    if (ok) {
        result.binary = std::move(frame.handles[0]);
    }
    return result;
}

class JailedCompiler final : public Compiler {
  public:
    JailedCompiler(FoundCompiler compiler, WorkerOptions options)
        : m_compiler(std::move(compiler)), m_options(std::move(options)) {
        m_options.compiler = m_compiler.path;
    }
    ~JailedCompiler() override;
    JailedCompiler(const JailedCompiler&) = delete;
    JailedCompiler& operator=(const JailedCompiler&) = delete;

    /// Starts the worker for the first time.
    [[nodiscard]] Status start();
    [[nodiscard]] Expected<CompileResult> compile(const CompileRequest& request) override;
    [[nodiscard]] std::string toolchain() const override {
        return m_compiler.description + " at " + m_compiler.path;
    }
    [[nodiscard]] std::uint64_t restarts() const override { return m_restarts.load(); }

  private:
    /// A call that waits for its answer.
    struct Waiting {
        std::optional<Expected<Frame>> answer;
    };

    [[nodiscard]] Expected<Frame> ask(const CompileRequest& request);
    [[nodiscard]] Status wait_for_worker(std::unique_lock<std::mutex>& lock);
    void keep_worker();
    void start_worker(std::unique_lock<std::mutex>& lock);
    void read_answers();
    void fail_all(const Error& error);

    const FoundCompiler m_compiler;
    WorkerOptions m_options;
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

JailedCompiler::~JailedCompiler() {
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

Status JailedCompiler::start() {
    m_keeper = std::thread([this] { keep_worker(); });
    std::unique_lock lock(m_mutex);
    return wait_for_worker(lock);
}

Status JailedCompiler::wait_for_worker(std::unique_lock<std::mutex>& lock) {
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
        Error{ErrorCode::unavailable, "the compiler is being stopped", "compiler", ""}));
}

void JailedCompiler::keep_worker() {
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
            fail_all({ErrorCode::unavailable, "the compile worker died", "compiler", ""});
        }
    }
}

void JailedCompiler::start_worker(std::unique_lock<std::mutex>& lock) {
    m_wanted = false;
    const std::uint32_t generation = ++m_generation;
    lock.unlock();
    auto worker = WorkerProcess::start(WorkerRole::compiler, m_options, generation);
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

void JailedCompiler::read_answers() {
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

void JailedCompiler::fail_all(const Error& error) {
    for (const auto& [request, waiting] : m_waiting) {
        waiting->answer = tl::unexpected(error);
    }
    m_waiting.clear();
    m_changed.notify_all();
}

Expected<Frame> JailedCompiler::ask(const CompileRequest& request) {
    Frame frame;
    frame.type = FrameType::compile;
    frame.payload = to_json(CompileOrder{request.flags, request.libraries, request.timeout_s,
                                         request.memory_bytes, request.binary_bytes});
    ATOLL_TRY_ASSIGN(frame.handles.emplace_back(), memory_file_of(request.source));
    std::unique_lock lock(m_mutex);
    ATOLL_TRY(wait_for_worker(lock));
    Waiting waiting;
    frame.request = ++m_last_request;
    frame.generation = m_generation;
    ATOLL_TRY(m_worker->channel().send(frame));
    m_waiting.emplace(frame.request, &waiting);
    const auto until = std::chrono::steady_clock::now() + k_grace +
                       std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                           std::chrono::duration<double>(request.timeout_s));
    const auto answered = [&] { return waiting.answer.has_value(); };
    m_changed.wait_until(lock, request.cancel, until, answered);
    const bool cancelled = !answered() && request.cancel.stop_requested();
    if (cancelled && m_worker) {
        frame.type = FrameType::cancel;
        frame.payload.clear();
        frame.handles.clear();
        static_cast<void>(m_worker->channel().send(frame));  // if it is gone, the keeper answers
    }
    // Also after a cancel: nobody else may use the core before the compiler is dead.
    if (!m_changed.wait_until(lock, until, answered)) {
        // Hung: its death makes the keeper answer everybody.
        if (m_worker && m_generation == frame.generation) {
            m_worker->process().kill();
        }
        m_changed.wait(lock, answered);
    }
    if (cancelled) {
        return failure(ErrorCode::interrupted, "the compilation was cancelled", "compiler");
    }
    return std::move(*waiting.answer);
}

Expected<CompileResult> JailedCompiler::compile(const CompileRequest& request) {
    Expected<Frame> answer = ask(request);
    if (!answer && answer.error().code == ErrorCode::unavailable) {
        // Once more: the worker may have died of another request.
        answer = ask(request);
    }
    if (!answer) {
        return tl::unexpected(answer.error());
    }
    return result_of(std::move(*answer));
}

class NoCompiler final : public Compiler {
  public:
    [[nodiscard]] Expected<CompileResult> compile(const CompileRequest&) override {
        return failure(ErrorCode::unavailable, "this evaluator was made without a compiler",
                       "compiler", "evaluate one task's candidates with one evaluator");
    }
    [[nodiscard]] std::string toolchain() const override { return ""; }
    [[nodiscard]] std::uint64_t restarts() const override { return 0; }
};

}  // namespace

std::unique_ptr<Compiler> make_no_compiler() {
    return std::make_unique<NoCompiler>();
}

namespace {

/// What cannot compile this would otherwise be a compile error of every candidate.
Status try_out(Compiler& compiler, const std::string& path) {
    CompileRequest request;
    request.source = "int nothing;\n";
    request.flags = standard_flags();
    Expected<CompileResult> result = compiler.compile(request);
    if (result && result->status == CompileResult::Status::ok) {
        return {};
    }
    const std::string log = result ? result->log : result.error().what;
    return failure(result ? ErrorCode::invalid_argument : result.error().code,
                   "does not compile even \"int nothing;\" in its jail: " +
                       log.substr(0, std::min<std::size_t>(log.find('\n'), 500)),
                   path, "is it a C++ compiler, and all of it installed beside it?");
}

}  // namespace

Expected<std::unique_ptr<Compiler>> make_jailed_compiler(const CompilerOptions& options) {
    ATOLL_TRY_ASSIGN(FoundCompiler found, find_compiler(options.compiler));
    const std::string path = found.path;
    WorkerOptions worker;
    worker.program = options.worker_program;
    worker.required = options.required;
    worker.at_most = options.at_most;
    worker.cores = options.cores;
    auto compiler = std::make_unique<JailedCompiler>(std::move(found), std::move(worker));
    ATOLL_TRY(compiler->start());
    ATOLL_TRY(try_out(*compiler, path));
    return compiler;
}

const std::vector<std::string>& standard_flags() {
    // No semantic interposition: without it g++ may not inline an external function into launch().
    // -z defs: what a candidate does not define itself must come from libraries named here, so
    // that nothing is left to be resolved at run time.
    static const std::vector<std::string> flags{"-std=c++20",
                                                "-O3",
                                                "-march=native",
                                                "-shared",
                                                "-fPIC",
                                                "-fno-plt",
                                                "-fno-semantic-interposition",
                                                "-fopenmp-simd",
                                                "-w",
                                                "-fmax-errors=20",
                                                "-Wl,-z,defs",
                                                "-Wl,--as-needed"};
    return flags;
}

}  // namespace atl
