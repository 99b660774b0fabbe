#include "reward/cpu_layout.hpp"

#include <sched.h>

#include <fstream>
#include <iterator>

namespace atl {

std::vector<int> allowed_cores() {
    cpu_set_t set;
    CPU_ZERO(&set);
    std::vector<int> cores;
    if (sched_getaffinity(0, sizeof(set), &set) == 0) {
        for (int core = 0; core < CPU_SETSIZE; ++core) {
            if (CPU_ISSET(core, &set)) {
                cores.push_back(core);
            }
        }
    }
    if (cores.empty()) {
        cores.push_back(0);
    }
    return cores;
}

Expected<CpuLayout> lay_out_cores(const std::vector<int>& allowed, int devices,
                                  int cores_per_device) {
    if (devices < 1 || cores_per_device < 1) {
        return failure(ErrorCode::invalid_argument,
                       "devices and cores per device must be at least 1", "device layout");
    }
    CpuLayout layout;
    const std::size_t wanted =
        static_cast<std::size_t>(devices) * static_cast<std::size_t>(cores_per_device);
    if (devices == 1 && wanted == allowed.size()) {
        layout.devices = {allowed};
        layout.host = allowed;
        layout.shared = true;
        return layout;
    }
    if (wanted >= allowed.size()) {
        return failure(ErrorCode::invalid_argument,
                       std::to_string(devices) + " device(s) of " +
                           std::to_string(cores_per_device) + " core(s) need " +
                           std::to_string(wanted + 1) + " cores with one left to compile; " +
                           std::to_string(allowed.size()) + " may be used",
                       "device layout", "ask for fewer devices or cores");
    }
    auto next = allowed.end() - static_cast<std::ptrdiff_t>(wanted);
    layout.host.assign(allowed.begin(), next);
    for (int i = 0; i < devices; ++i) {
        layout.devices.emplace_back(next, next + cores_per_device);
        next += cores_per_device;
    }
    return layout;
}

CpuLayout lay_out_gpu_cores(const std::vector<int>& allowed, std::size_t gpus) {
    constexpr std::size_t k_cores_of_gpu = 3;
    constexpr std::size_t k_least_parts = 4;
    if (gpus > 0 && allowed.size() / k_least_parts >= gpus * k_cores_of_gpu) {
        if (auto layout = lay_out_cores(allowed, static_cast<int>(gpus), k_cores_of_gpu)) {
            return std::move(*layout);
        }
    }
    CpuLayout layout;
    layout.host = allowed;
    return layout;
}

std::string cpu_model() {
    std::ifstream file("/proc/cpuinfo");
    std::string line;
    while (std::getline(file, line)) {
        if (line.rfind("model name", 0) == 0) {
            const std::size_t colon = line.find(": ");
            if (colon != std::string::npos) {
                return line.substr(colon + 2);
            }
        }
    }
    return "unknown CPU";
}

std::string core_list(const std::vector<int>& cores) {
    std::string text;
    for (std::size_t i = 0; i < cores.size();) {
        std::size_t end = i;
        while (end + 1 < cores.size() && cores[end + 1] == cores[end] + 1) {
            ++end;
        }
        text += (text.empty() ? "" : ",") + std::to_string(cores[i]);
        if (end > i) {
            text += "-" + std::to_string(cores[end]);
        }
        i = end + 1;
    }
    return text;
}

}  // namespace atl
