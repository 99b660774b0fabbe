#include "reward/base/programs.hpp"
#include "reward/base/words.hpp"
#include "reward/compiler_discovery.hpp"
#include "reward/cuda/recorder.hpp"
#include "reward/cuda/recorder_trial.hpp"
#include "reward/cuda/toolkit.hpp"
#include "reward/gpu/device_probe.hpp"
#include "reward/gpu/sanitizer.hpp"
#include "reward/gpu_devices.hpp"
#include "tools/atoll/doctor_checks.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>

namespace atl {

namespace {

std::string fact_of(const std::optional<CudaLibrary>& library) {
    return library ? "CUDA " + std::to_string(library->major) + "." +
                         std::to_string(library->minor) + ": " + library->path
                   : "not found";
}

std::string compiling_fact(const CudaToolkit& toolkit) {
    if (!toolkit.nvrtc) {
        return "no, there is no NVRTC";
    }
    return toolkit.include.empty() ? "no, there are no CUDA headers" : "yes";
}

std::string measuring_fact(const CudaToolkit& toolkit) {
    if (!toolkit.driver) {
        return "no, there is no NVIDIA driver";
    }
    return toolkit.cupti ? "with CUPTI" : "with events, there is no CUPTI of CUDA 13";
}

/// What would judge CUDA candidates, or what keeps them from being judged.
std::string gpu_fact(const CudaToolkit& toolkit, const Status& launchers) {
    for (const Status& parts : {check_gpu_parts(toolkit), launchers}) {
        if (!parts) {
            return "no: " + parts.error().message();
        }
    }
    const Expected<DeviceLimits> device = probe_gpu(toolkit.driver->path, 0);
    return device ? "on GPU 0: " + device->name + ", " + device->arch
                  : "no: " + device.error().message();
}

/// Whether their compiler can record one.
Status check_launchers() {
    RecorderOptions options;
    options.required = SandboxLevel::none;
    ATOLL_TRY_ASSIGN(const std::unique_ptr<Recorder> recorder, Recorder::create(options));
    return try_recorder(*recorder, *device_limits_of("sm_90a"));
}

}  // namespace

std::string find_program(const std::string& name) {
    const std::vector<std::string> found = find_programs(name);
    return found.empty() ? "" : found.front();
}

std::string version_line(const std::string& program, const std::string& word) {
    const std::string command = shell_quoted(program) + " --version 2>/dev/null";
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
    if (!pipe) {
        return "";
    }
    std::array<char, 512> buffer{};
    while (std::fgets(buffer.data(), buffer.size(), pipe.get()) != nullptr) {
        std::string line = buffer.data();
        while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) {
            line.pop_back();
        }
        if (line.find(word) != std::string::npos) {
            return line;
        }
    }
    return "";
}

DoctorSection check_compilers() {
    DoctorSection section{"compilers", {}, {}, {}};
    std::vector<std::string> names = {"g++", "c++", "clang++"};
    const char* cxx = std::getenv("CXX");
    if (cxx != nullptr && *cxx != '\0') {
        names.insert(names.begin(), cxx);
    }
    for (const std::string& name : names) {
        const std::string path = find_program(name);
        section.facts.emplace_back(
            name, path.empty() ? "not found" : path + ": " + version_line(path, ""));
    }
    const Expected<FoundCompiler> chosen = find_compiler("");
    if (chosen) {
        section.facts.emplace_back("chosen", chosen->path + ": " + chosen->description);
    } else {
        section.problems.push_back(chosen.error().message());
    }
    return section;
}

DoctorSection check_cuda() {
    DoctorSection section{"cuda", {}, {}, {}};
    const CudaToolkit toolkit = find_cuda_toolkit();
    section.facts.emplace_back("driver", fact_of(toolkit.driver));
    section.facts.emplace_back("nvrtc", fact_of(toolkit.nvrtc));
    section.facts.emplace_back("nvjitlink", fact_of(toolkit.jit_link));
    section.facts.emplace_back("cupti", fact_of(toolkit.cupti));
    section.facts.emplace_back("compute_sanitizer", find_compute_sanitizer().value_or("not found"));
    section.facts.emplace_back("headers", toolkit.include.empty() ? "not found" : toolkit.include);
    section.facts.emplace_back("cutlass",
                               toolkit.cutlass.empty()
                                   ? "not configured ($ATOLL_CUTLASS)"
                                   : "CUTLASS " + toolkit.cutlass_version + ": " + toolkit.cutlass);
    section.facts.emplace_back("compiling", compiling_fact(toolkit));
    const Expected<std::string> launchers = find_recorder_compiler();
    section.facts.emplace_back(
        "launchers", launchers ? find_program(*launchers) + ": " + version_line(*launchers, "")
                               : "not found: neither clang++ nor g++");
    const Status records = launchers ? check_launchers() : Status{};
    section.facts.emplace_back("measuring", measuring_fact(toolkit));
    section.facts.emplace_back("gpu_evaluation", gpu_fact(toolkit, records));
    // Kernels for CPUs need none of it.
    section.advice = toolkit.problems;
    if (!records) {
        section.advice.push_back(records.error().message());
    }
    std::string nvcc = find_program("nvcc");
    if (nvcc.empty()) {
        nvcc = find_program("/usr/local/cuda/bin/nvcc");
    }
    section.facts.emplace_back(
        "nvcc", nvcc.empty() ? "not found" : nvcc + ": " + version_line(nvcc, "release"));
    return section;
}

}  // namespace atl
