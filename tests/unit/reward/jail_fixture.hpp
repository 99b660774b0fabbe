#pragma once

#include "reward/base/process.hpp"
#include "reward/worker_process.hpp"
#include "reward/workers/futex.hpp"
#include "reward/workers/messages.hpp"
#include "reward/workers/run_control.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace atl::testing {

using namespace std::chrono_literals;

/// Long enough for a loaded machine; tests pass on events, not on time.
inline constexpr auto k_patience = 60'000ms;

/// A memfd, mapped here too.
class SharedMemory {
  public:
    explicit SharedMemory(std::size_t bytes)
        : m_file(::memfd_create("buffer", MFD_CLOEXEC)), m_bytes(bytes) {
        EXPECT_EQ(::ftruncate(m_file.get(), static_cast<off_t>(bytes)), 0);
        m_data = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, m_file.get(), 0);
        EXPECT_NE(m_data, MAP_FAILED);
    }
    ~SharedMemory() { ::munmap(m_data, m_bytes); }
    SharedMemory(const SharedMemory&) = delete;
    SharedMemory& operator=(const SharedMemory&) = delete;

    template <class T>
    T* as() {
        return static_cast<T*>(m_data);
    }
    [[nodiscard]] FileHandle handle() const {
        return FileHandle(::fcntl(m_file.get(), F_DUPFD_CLOEXEC, 0));
    }

  private:
    FileHandle m_file;
    std::size_t m_bytes;
    void* m_data = nullptr;
};

/// Compiles outside every jail, for tests of the runner alone.
inline FileHandle build_shared_object(const std::string& source,
                                      std::vector<std::string> flags = {}) {
    std::string pattern = std::filesystem::temp_directory_path() / "atoll-test-XXXXXX";
    const std::filesystem::path folder = ::mkdtemp(pattern.data());
    std::ofstream(folder / "candidate.cpp") << source;
    SpawnOptions spawn;
    spawn.argv = {"/usr/bin/g++",
                  "-std=c++20",
                  "-O1",
                  "-w",
                  "-shared",
                  "-fPIC",
                  "-o",
                  folder / "candidate.so",
                  folder / "candidate.cpp"};
    spawn.argv.insert(spawn.argv.end(), flags.begin(), flags.end());
    spawn.environment = {"PATH=/usr/bin:/bin"};
    auto process = ChildProcess::spawn(spawn);
    EXPECT_TRUE(process.has_value());
    if (process->wait(k_patience)->text() != "exit status 0") {
        throw std::runtime_error("the test's own source does not compile");
    }
    auto bytes = read_file(folder / "candidate.so", 1u << 30);
    std::filesystem::remove_all(folder);
    FileHandle binary(::memfd_create("candidate.so", MFD_CLOEXEC));
    EXPECT_EQ(::write(binary.get(), bytes->data(), bytes->size()),
              static_cast<ssize_t>(bytes->size()));
    return binary;
}

/// A runner and the verifier's end of its channel.
class TestRunner {
  public:
    explicit TestRunner(SandboxLevel at_most = SandboxLevel::full) {
        auto ends = make_socket_pair();
        m_channel.emplace(std::move(ends->first));
        WorkerOptions options;
        options.program = ATOLL_BIN_DIR "/atoll-worker";
        options.required = SandboxLevel::none;
        options.at_most = at_most;
        auto worker = WorkerProcess::start(WorkerRole::runner, options, 1, std::move(ends->second));
        if (!worker) {
            throw std::runtime_error(worker.error().message());
        }
        m_worker.emplace(std::move(*worker));
    }
    FrameChannel& channel() { return *m_channel; }
    WorkerProcess& worker() { return *m_worker; }

  private:
    std::optional<FrameChannel> m_channel;
    std::optional<WorkerProcess> m_worker;
};

/// One run of a shared object with `tensors` one-page buffers and one launch per call.
class TestRun {
  public:
    static constexpr std::size_t k_bytes = 4096;

    TestRun(TestRunner& runner, const FileHandle& binary, std::vector<std::uint64_t> offsets,
            std::vector<double> scalars = {}, std::vector<std::int64_t> axes = {},
            std::uint64_t memory_bytes = 1ull << 30, bool trusted = false)
        : m_runner(runner), m_control(k_run_control_bytes) {
        Frame frame;
        frame.type = FrameType::start_run;
        frame.request = 42;
        frame.generation = 7;
        frame.handles.emplace_back(::fcntl(binary.get(), F_DUPFD_CLOEXEC, 0));
        frame.handles.push_back(m_control.handle());
        StartRun order;
        StartRun::LaunchArguments launch;
        for (std::size_t i = 0; i < offsets.size(); ++i) {
            m_buffers.push_back(std::make_unique<SharedMemory>(k_bytes));
            frame.handles.push_back(m_buffers.back()->handle());
            order.mappings.push_back({static_cast<std::uint32_t>(i + 2), k_bytes});
            launch.tensors.push_back({static_cast<std::uint32_t>(i), offsets[i]});
        }
        launch.scalars = std::move(scalars);
        launch.axes = std::move(axes);
        order.launches.push_back(std::move(launch));
        order.memory_bytes = memory_bytes;
        order.cpu_seconds = 60;
        order.trusted = trusted;
        frame.payload = to_json(order);
        EXPECT_TRUE(m_runner.channel().send(frame).has_value());
        auto started = m_runner.channel().receive(k_patience);
        if (!started || started->type != FrameType::run_started || started->handles.size() != 1) {
            throw std::runtime_error(started ? started->payload : started.error().message());
        }
        EXPECT_EQ(started->request, 42u);
        EXPECT_EQ(started->generation, 7u);
        m_pidfd = std::move(started->handles[0]);
    }

    RunControl& control() { return *m_control.as<RunControl>(); }
    template <class T>
    T* buffer(std::size_t i) {
        return m_buffers[i]->as<T>();
    }
    [[nodiscard]] std::string load_text() { return m_control.as<const char>() + k_run_text_offset; }

    /// Has the binary loaded; the state after that.
    std::uint32_t wait_loaded() {
        if (control().state.load() == k_run_starting) {
            control().launch = k_launch_load;
            control().command.fetch_add(1);
            futex_wake(control().command);
            wait_change(control().state, k_run_starting);
            wait_change(control().reply, control().command.load() - 1);
            control().launch = 0;
        }
        return control().state.load();
    }

    /// True when the launch came back, false when the process died instead.
    bool launch() {
        const std::uint32_t before = control().reply.load();
        const std::uint32_t command = control().command.load() + 1;
        control().command.store(command);
        futex_wake(control().command);
        wait_change(control().reply, before);
        return control().reply.load() == command;
    }

    [[nodiscard]] int pidfd() const { return m_pidfd.get(); }
    void kill() { kill_through(m_pidfd.get()); }

    RunEnded wait_ended() {
        auto frame = m_runner.channel().receive(k_patience);
        if (!frame || frame->type != FrameType::run_ended) {
            ADD_FAILURE() << (frame ? frame->payload : frame.error().message());
            return {};
        }
        EXPECT_EQ(frame->request, 42u);
        return *parse_run_ended(frame->payload);
    }

    /// For candidates that are expected to die in the launch.
    RunEnded launch_and_die() {
        EXPECT_EQ(wait_loaded(), k_run_loaded) << load_text();
        EXPECT_FALSE(launch()) << "the launch came back";
        return wait_ended();
    }

  private:
    static void wait_change(std::atomic<std::uint32_t>& word, std::uint32_t value) {
        const auto until = std::chrono::steady_clock::now() + k_patience;
        const timespec step{1, 0};
        while (word.load() == value && std::chrono::steady_clock::now() < until) {
            futex_wait(word, value, &step);
        }
    }

    TestRunner& m_runner;
    SharedMemory m_control;
    std::vector<std::unique_ptr<SharedMemory>> m_buffers;
    FileHandle m_pidfd;
};

inline std::string text_of(const RunEnded& ended) {
    return ProcessEnd{ended.signalled, ended.status}.text();
}

/// Wraps the body of a launch.
inline std::string entry(const std::string& body, const std::string& before = "") {
    return before +
           "\nextern \"C\" void atoll_entry(void* const* tensors, const double* scalars, "
           "const long long* axes) {\n" +
           body + "\n}\n";
}

}  // namespace atl::testing
