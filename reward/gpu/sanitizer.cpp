#include "reward/gpu/sanitizer.hpp"

#include "reward/base/files.hpp"
#include "reward/base/own_program.hpp"
#include "reward/base/private_folder.hpp"
#include "reward/base/programs.hpp"
#include "reward/gpu/gpu_package.hpp"
#include "reward/gpu/gpu_replay.hpp"
#include "reward/gpu/sanitizer_log.hpp"
#include "reward/input_sets.hpp"
#include "reward/kinds/judge_process.hpp"
#include "reward/worker_process.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace atl {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_most_workloads_played = 8;
constexpr std::uint64_t k_max_log_bytes = 4 << 20;
constexpr std::uint64_t k_seed = 20'240'229;
/// CUDA reserves address space for all of the device's memory and more.
constexpr std::uint64_t k_address_space = 1ull << 46;
constexpr const char* k_print_limit = "100";
/// Of our own program, which tells whether it was a kernel that faulted.
constexpr int k_played_with_fault = 2;

Status write_bytes(const fs::path& path, std::string_view bytes) {
    std::ofstream file(path, std::ios::binary);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    file.close();
    return file ? Status{} : tl::unexpected(errno_error("write", path, errno));
}

std::vector<std::size_t> workloads_to_play(const Task& task, const FrontEndReply& prepared) {
    std::vector<std::size_t> chosen;
    for (const auto use : {Workload::Use::verify, Workload::Use::measure}) {
        for (const auto& [index, plan] : prepared.plans) {
            const Workload& workload = task.workloads[index];
            if (!workload.hidden && workload.use == use &&
                chosen.size() < k_most_workloads_played) {
                chosen.push_back(index);
            }
        }
        if (!chosen.empty()) {
            break;
        }
    }
    return chosen;
}

Expected<std::string> inputs_of(const Task& task, const Workload& workload) {
    ATOLL_TRY_ASSIGN(const auto axes, bind_axes(task, workload));
    const Distribution none;
    const Distribution& distribution =
        task.distributions.empty() ? none : task.distributions.front();
    ATOLL_TRY_ASSIGN(const InputSet inputs,
                     make_input_set(task, workload, distribution, axes, k_seed));
    std::string bytes;
    for (const std::vector<std::byte>& tensor : inputs.tensors) {
        bytes.append(reinterpret_cast<const char*>(tensor.data()), tensor.size());
    }
    return bytes;
}

/// All that the program which is watched needs.
Status fill_folder(const Task& task, const FrontEndReply& prepared, const fs::path& folder) {
    GpuPackage package{prepared.cubin, {}};
    for (const std::size_t index : workloads_to_play(task, prepared)) {
        const auto plan = std::find_if(prepared.plans.begin(), prepared.plans.end(),
                                       [&](const auto& entry) { return entry.first == index; });
        package.plans.push_back(*plan);
        ATOLL_TRY_ASSIGN(const std::string inputs, inputs_of(task, task.workloads[index]));
        ATOLL_TRY(write_bytes(replay_inputs_file(folder, index), inputs));
    }
    ATOLL_TRY_ASSIGN(const FileHandle sealed, write_gpu_package(package));
    ATOLL_TRY_ASSIGN(const std::string bytes, read_whole_file(sealed, "package"));
    return write_bytes(folder / "package", bytes);
}

Expected<JudgeCommand> command_for(const std::string& tool, const SanitizerOptions& options,
                                   const fs::path& folder) {
    JudgeCommand command;
    command.argv = {options.program,
                    "--tool",
                    tool,
                    "--print-limit",
                    k_print_limit,
                    "--log-file",
                    (folder / (tool + ".log")).string()};
    std::string worker = options.worker_program;
    if (worker.empty()) {
        ATOLL_TRY_ASSIGN(worker, find_worker_program());
    }
    ATOLL_TRY_ASSIGN(const std::vector<std::string> start, started_like_this_program(worker));
    command.argv.insert(command.argv.end(), start.begin(), start.end());
    for (std::string& word : replay_words(options.driver, options.gpu, folder)) {
        command.argv.push_back(std::move(word));
    }
    command.environment = {"PATH=/usr/bin:/bin", "LC_ALL=C", "HOME=" + folder.string(),
                           "TMPDIR=" + folder.string()};
    command.folder = folder;
    command.timeout_s = options.timeout_s;
    command.memory_bytes = k_address_space;
    return command;
}

Outcome outcome_of(const std::string& tool) {
    return tool == "memcheck" ? Outcome::memory_fault : Outcome::inconsistent;
}

Status run_tool(const std::string& tool, const SanitizerOptions& options, const fs::path& folder,
                SanitizerReport& report) {
    ATOLL_TRY_ASSIGN(const JudgeCommand command, command_for(tool, options, folder));
    ATOLL_TRY_ASSIGN(const JudgeRun run, run_judge(command));
    const auto add = [&](Outcome outcome, std::string line) {
        line = tool + ": " + line;
        if (!report.fault) {
            report.fault = outcome;
            report.reason = line;
        }
        report.lines.push_back(std::move(line));
    };
    if (run.end == JudgeRun::End::timeout) {
        add(Outcome::timeout, fmt::format("not done in {} seconds", options.timeout_s));
        return {};
    }
    const Expected<std::string> log = read_regular_file(folder / (tool + ".log"), k_max_log_bytes);
    if (!log || log->find("COMPUTE-SANITIZER") == std::string::npos) {
        return failure(ErrorCode::unavailable,
                       fmt::format("wrote no report (exit status {}): {}", run.status,
                                   (run.error_tail + run.output).substr(0, 500)),
                       options.program + " --tool " + tool);
    }
    const std::vector<SanitizerFinding> findings = read_sanitizer_log(*log);
    for (const SanitizerFinding& finding : findings) {
        add(outcome_of(tool), finding.text());
    }
    if (findings.empty() && run.status == k_played_with_fault) {
        add(Outcome::crash, run.error_tail.substr(0, 200));
    } else if (findings.empty() && (run.end != JudgeRun::End::exited || run.status != 0)) {
        return failure(ErrorCode::unavailable,
                       fmt::format("ended with status {}: {}", run.status,
                                   (run.error_tail + *log).substr(0, 500)),
                       options.program + " --tool " + tool);
    }
    return {};
}

}  // namespace

const std::vector<std::string>& sanitizer_tools() {
    static const std::vector<std::string> tools{"memcheck", "racecheck", "initcheck"};
    return tools;
}

Expected<std::string> find_compute_sanitizer(const CudaPlaces& places) {
    for (const std::string& home : places.homes) {
        for (const char* name : {"bin/compute-sanitizer", "compute-sanitizer/compute-sanitizer"}) {
            const std::string path = home.empty() ? "" : (fs::path(home) / name).string();
            if (!path.empty() && !find_programs(path).empty()) {
                return path;
            }
        }
    }
    const std::vector<std::string> found = find_programs("compute-sanitizer");
    if (found.empty()) {
        return failure(ErrorCode::not_found, "compute-sanitizer is not installed", "",
                       "it comes with the CUDA toolkit (package cuda-sanitizer-<version>); put it "
                       "in $PATH, or name the toolkit's folder in CUDA_HOME");
    }
    return found.front();
}

Expected<SanitizerReport> sanitize(const Task& task, const FrontEndReply& prepared,
                                   const SanitizerOptions& options) {
    ATOLL_TRY_ASSIGN(const PrivateFolder folder, PrivateFolder::make("atoll-sanitize-"));
    ATOLL_TRY(fill_folder(task, prepared, folder.path()));
    SanitizerReport report;
    for (const std::string& tool : options.tools) {
        ATOLL_TRY(run_tool(tool, options, folder.path(), report));
    }
    return report;
}

}  // namespace atl
