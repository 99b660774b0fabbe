#include "reward/worker_process.hpp"

#include "reward/base/json_reader.hpp"
#include "reward/base/own_program.hpp"

#include <nlohmann/json.hpp>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace atl {

namespace {

constexpr const char* k_program_name = "atoll-worker";

std::string join_cores(const std::vector<int>& cores) {
    std::string text;
    for (const int core : cores) {
        text += (text.empty() ? "" : ",") + std::to_string(core);
    }
    return text;
}

/// Nothing of the user's environment reaches a worker but where temporary folders go and what a
/// sanitizer build is steered by.
std::vector<std::string> worker_environment() {
    std::vector<std::string> environment{"PATH=/usr/bin:/bin", "LC_ALL=C"};
    for (const char* name :
         {"TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "CUDA_VISIBLE_DEVICES"}) {
        if (const char* value = std::getenv(name)) {
            environment.push_back(std::string(name) + "=" + value);
        }
    }
    return environment;
}

/// `argv`: the words that start the program.
std::vector<std::string> worker_arguments(WorkerRole role, const WorkerOptions& options,
                                          std::vector<std::string> argv, std::uint32_t generation) {
    argv.emplace_back(to_string(role));
    const auto add = [&argv](const char* name, std::string value) {
        argv.emplace_back(name);
        argv.push_back(std::move(value));
    };
    add("--parent", std::to_string(::getpid()));
    add("--generation", std::to_string(generation));
    add("--required", std::string(to_string(options.required)));
    add("--at-most", std::string(to_string(options.at_most)));
    if (!options.cores.empty()) {
        add("--cores", join_cores(options.cores));
    }
    if (!options.compiler.empty()) {
        add("--compiler", options.compiler);
    }
    if (!options.nvrtc.empty()) {
        add("--nvrtc", options.nvrtc);
    }
    if (!options.jit_link.empty()) {
        add("--jit-link", options.jit_link);
    }
    for (const std::string& folder : options.include) {
        add("--include", folder);
    }
    if (!options.architecture.empty()) {
        add("--architecture", options.architecture);
    }
    if (!options.driver.empty()) {
        add("--driver", options.driver);
        add("--gpu", std::to_string(options.gpu));
    }
    if (!options.cupti.empty()) {
        add("--cupti", options.cupti);
    }
    if (options.counters) {
        add("--counters", "1");
    }
    return argv;
}

}  // namespace

std::string_view to_string(WorkerRole role) {
    switch (role) {
        case WorkerRole::compiler:
            return "compiler";
        case WorkerRole::nvrtc:
            return "nvrtc";
        case WorkerRole::runner:
            return "runner";
        case WorkerRole::verifier:
            return "verifier";
        case WorkerRole::gpu_runner:
            return "gpu_runner";
        case WorkerRole::gpu_verifier:
            return "gpu_verifier";
        case WorkerRole::gpu_probe:
            return "gpu_probe";
    }
    return "unknown";
}

std::string to_json(const WorkerReady& message) {
    return nlohmann::json{{"level", std::string(to_string(message.level))},
                          {"layers", message.layers}}
        .dump();
}

Expected<WorkerReady> parse_worker_ready(std::string_view json) {
    const auto parsed = nlohmann::json::parse(json, nullptr, false);
    WorkerReady ready;
    std::string level;
    JsonReader fields(parsed, "ready frame");
    fields.text("level", level, 32).texts("layers", ready.layers, 32, 256);
    ATOLL_TRY(fields.finish());
    ATOLL_TRY_ASSIGN(ready.level, sandbox_level_from(level));
    return ready;
}

Expected<std::string> find_worker_program() {
    ATOLL_TRY_ASSIGN(const std::filesystem::path self, own_program());
    const auto program = self.parent_path() / k_program_name;
    if (::access(program.c_str(), X_OK) != 0) {
        return failure(ErrorCode::not_found, "there is no program atoll-worker", program.string(),
                       "install it beside this program, or build it");
    }
    return program.string();
}

Expected<WorkerProcess> WorkerProcess::start(WorkerRole role, const WorkerOptions& options,
                                             std::uint32_t generation, FileHandle peer) {
    std::vector<std::string> program{options.program};
    if (options.program.empty()) {
        ATOLL_TRY_ASSIGN(const std::string found, find_worker_program());
        ATOLL_TRY_ASSIGN(program, started_like_this_program(found));
    }
    ATOLL_TRY_ASSIGN(auto ends, make_socket_pair());
    SpawnOptions spawn;
    spawn.argv = worker_arguments(role, options, std::move(program), generation);
    spawn.environment = worker_environment();
    spawn.handles.push_back(ends.second.get());
    if (peer) {
        spawn.handles.push_back(peer.get());
    }
    ATOLL_TRY_ASSIGN(ChildProcess process, ChildProcess::spawn(spawn));
    // Ours of its ends must be closed before waiting, or its death would go unseen.
    ends.second.reset();
    peer.reset();
    WorkerProcess worker(std::move(process), std::move(ends.first), generation);
    ATOLL_TRY(worker.wait_until_ready(role, options.start_timeout));
    return worker;
}

void WorkerProcess::stop(std::chrono::milliseconds patience) {
    Frame frame;
    frame.type = FrameType::stop;
    frame.generation = m_generation;
    if (!m_channel.send(frame) || !m_process.wait(patience)) {
        m_process.kill();
    }
}

Status WorkerProcess::wait_until_ready(WorkerRole role, std::chrono::milliseconds wait) {
    Expected<Frame> frame = m_channel.receive(wait);
    if (!frame) {
        Error error = frame.error();
        error.where = "starting the " + std::string(to_string(role));
        if (error.code == ErrorCode::unavailable) {
            if (const auto end = m_process.wait(std::chrono::milliseconds(1000))) {
                error.what = "it ended at once: " + end->text();
            }
        }
        return tl::unexpected(error);
    }
    if (frame->type == FrameType::failed) {
        return tl::unexpected(parse_failed_frame(*frame));
    }
    if (frame->type != FrameType::ready || frame->generation != m_generation) {
        return failure(ErrorCode::corrupt, "the first frame is not a ready frame",
                       "starting the " + std::string(to_string(role)));
    }
    return parse_worker_ready(frame->payload).map([](const WorkerReady&) {});
}

}  // namespace atl
