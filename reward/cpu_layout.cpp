#include "reward/cpu_layout.hpp"

#include <sched.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <fstream>
#include <iterator>
#include <utility>

namespace atl {

namespace {

/// False when somebody has claimed it. Where claims cannot be made none is seen either.
bool claim_core(int core, std::vector<FileHandle>& claims) {
    const std::string name = "atoll/core-of-a-gpu/" + std::to_string(core);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path + 1, name.size());  // a first byte of 0: abstract
    const auto bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    FileHandle socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), bytes) == 0) {
        claims.push_back(std::move(socket));
        return true;
    }
    return errno != EADDRINUSE;
}

}  // namespace

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

GpuCores claim_gpu_cores(std::vector<int> allowed, std::size_t gpus) {
    while (true) {
        GpuCores cores{lay_out_gpu_cores(allowed, gpus), {}};
        std::vector<int> taken;
        for (const std::vector<int>& device : cores.layout.devices) {
            std::copy_if(device.begin(), device.end(), std::back_inserter(taken),
                         [&](int core) { return !claim_core(core, cores.claims); });
        }
        if (taken.empty()) {
            return cores;
        }
        std::erase_if(allowed, [&](int core) {
            return std::find(taken.begin(), taken.end(), core) != taken.end();
        });
    }
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
