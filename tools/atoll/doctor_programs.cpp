#include "reward/base/programs.hpp"
#include "reward/base/words.hpp"
#include "reward/compiler_discovery.hpp"
#include "tools/atoll/doctor_checks.hpp"

#include <dlfcn.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>

namespace atl {

namespace {

struct CloseLibrary {
    void operator()(void* handle) const { dlclose(handle); }
};
using Library = std::unique_ptr<void, CloseLibrary>;

struct Found {
    Library library;
    std::string name;
};

Found open_first(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
        // NODELETE: what CUPTI allocates in its initialisers it does not free when it is unloaded.
        if (Library library{dlopen(name.c_str(), RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE)}) {
            return {std::move(library), name};
        }
    }
    return {};
}

std::string dotted(int version) {
    return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

std::string driver_fact() {
    const Found found = open_first({"libcuda.so.1"});
    if (!found.library) {
        return "not found";
    }
    using Call = int (*)(int*);
    const auto call = reinterpret_cast<Call>(dlsym(found.library.get(), "cuDriverGetVersion"));
    int version = 0;
    if (call == nullptr || call(&version) != 0) {
        return found.name + ", which does not tell its version";
    }
    return found.name + ", CUDA " + dotted(version);
}

std::string nvrtc_fact() {
    const Found found = open_first({"libnvrtc.so", "libnvrtc.so.13", "libnvrtc.so.12",
                                    "libnvrtc.so.11.2", "/usr/local/cuda/lib64/libnvrtc.so"});
    if (!found.library) {
        return "not found";
    }
    using Call = int (*)(int*, int*);
    const auto call = reinterpret_cast<Call>(dlsym(found.library.get(), "nvrtcVersion"));
    int major = 0;
    int minor = 0;
    if (call == nullptr || call(&major, &minor) != 0) {
        return found.name + ", which does not tell its version";
    }
    return found.name + " " + std::to_string(major) + "." + std::to_string(minor);
}

std::string cupti_fact() {
    const Found found = open_first({"libcupti.so", "libcupti.so.13", "libcupti.so.12",
                                    "/usr/local/cuda/extras/CUPTI/lib64/libcupti.so"});
    if (!found.library) {
        return "not found";
    }
    using Call = int (*)(std::uint32_t*);
    const auto call = reinterpret_cast<Call>(dlsym(found.library.get(), "cuptiGetVersion"));
    std::uint32_t version = 0;
    if (call == nullptr || call(&version) != 0) {
        return found.name + ", which does not tell its version";
    }
    return found.name + ", API version " + std::to_string(version);
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
    section.facts.emplace_back("driver", driver_fact());
    section.facts.emplace_back("nvrtc", nvrtc_fact());
    section.facts.emplace_back("cupti", cupti_fact());
    std::string nvcc = find_program("nvcc");
    if (nvcc.empty()) {
        nvcc = find_program("/usr/local/cuda/bin/nvcc");
    }
    section.facts.emplace_back(
        "nvcc", nvcc.empty() ? "not found" : nvcc + ": " + version_line(nvcc, "release"));
    return section;
}

}  // namespace atl
