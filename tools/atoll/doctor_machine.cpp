#include "population/lineage/text_layout.hpp"
#include "reward/base/memory_info.hpp"
#include "reward/base/sandbox.hpp"
#include "reward/cpu_layout.hpp"
#include "reward/device_peaks.hpp"
#include "reward/peaks_file.hpp"
#include "tools/atoll/doctor_checks.hpp"

#include <hdf5.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>

namespace atl {

namespace {

constexpr double k_gib = 1024.0 * 1024 * 1024;
constexpr rlim_t k_enough_files = 1024;

std::string number(const char* format, double value) {
    char text[64];
    std::snprintf(text, sizeof(text), format, value);
    return text;
}

std::string gib(double bytes) {
    return number("%.3g GiB", bytes / k_gib);
}

std::string limit_text(rlim_t limit) {
    return limit == RLIM_INFINITY ? "unlimited" : std::to_string(limit);
}

rlim_t soft_limit(int resource) {
    rlimit limit{};
    return getrlimit(static_cast<__rlimit_resource_t>(resource), &limit) == 0 ? limit.rlim_cur
                                                                              : RLIM_INFINITY;
}

// "number 0" and not "0", which reads as none.
std::string core_numbers(const std::vector<int>& cores) {
    return (cores.size() == 1 ? "number " : "numbers ") + core_list(cores);
}

std::string memory_text(const char* key) {
    const std::optional<std::uint64_t> bytes = memory_info_bytes(key);
    return bytes ? gib(static_cast<double>(*bytes)) : "unknown";
}

std::string cgroup_memory() {
    std::ifstream file("/sys/fs/cgroup/memory.max");
    std::string text;
    if (!(file >> text) || text == "max") {
        return "none";
    }
    return gib(std::strtod(text.c_str(), nullptr));
}

/// Why a file of the current folder cannot be read while it is written; empty when it can.
std::string swmr_problem() {
    const std::string name = ".atoll-doctor-" + std::to_string(getpid()) + ".h5";
    H5E_auto2_t report = nullptr;
    void* report_data = nullptr;
    H5Eget_auto2(H5E_DEFAULT, &report, &report_data);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    std::string problem;
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
    const hid_t file = H5Fcreate(name.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access);
    if (file < 0) {
        problem = "no file can be written here";
    } else {
        if (H5Fstart_swmr_write(file) < 0) {
            problem = "this file system does not allow it";
        }
        H5Fclose(file);
    }
    H5Pclose(access);
    H5Eset_auto2(H5E_DEFAULT, report, report_data);
    std::error_code ignored;
    std::filesystem::remove(name, ignored);
    return problem;
}

// What was measured now, and what it is compared with: the best that was ever seen here.
void add_peaks(const DevicePeaks& measured, DoctorSection& section) {
    const std::filesystem::path file = user_peaks_file();
    const KeptPeaks kept = kept_peaks(file, cpu_model(), measured);
    const auto add = [&section](const std::string& name, double value) {
        section.facts.emplace_back(name, value > 0 ? number("%.4g", value) : "none yet");
    };
    add("peak_gflops", measured.flops * 1e-9);
    add("kept_peak_gflops", kept.flops * 1e-9);
    add("bandwidth_gb_s", measured.bandwidth * 1e-9);
    add("kept_bandwidth_gb_s", kept.bandwidth * 1e-9);
    add("clock_ns", measured.core.clock_ns);
    add("reference_clock_ns", kept.core.clock_ns);
    section.facts.emplace_back("peaks_file",
                               file.empty() ? "none: $HOME is not set" : file.string());
}

}  // namespace

DoctorSection check_sandbox() {
    DoctorSection section{"sandbox", {}, {}, {}};
    const SandboxProbe probe = probe_sandbox();
    section.facts.emplace_back("level", std::string(to_string(probe.level)));
    for (const std::string& layer : probe.layers) {
        section.facts.emplace_back("works", layer);
    }
    for (const std::string& missing : probe.missing) {
        section.facts.emplace_back("missing", missing);
    }
    if (probe.level != SandboxLevel::full) {
        section.advice.push_back(
            "candidates run less confined than they could; by default Atoll refuses. See the "
            "missing layers above, or accept less with --sandbox " +
            std::string(to_string(probe.level)));
    }
    return section;
}

DoctorSection check_devices() {
    DoctorSection section{"devices", {}, {}, {}};
    const std::vector<int> allowed = allowed_cores();
    section.facts.emplace_back("cpu", cpu_model());
    section.facts.emplace_back("cores", core_numbers(allowed));
    const Expected<CpuLayout> layout = lay_out_cores(allowed, 1, 1);
    if (!layout) {
        section.problems.push_back(layout.error().message());
        return section;
    }
    section.facts.emplace_back("measuring_cores", core_numbers(layout->devices.front()));
    section.facts.emplace_back(
        "compiling_cores",
        core_numbers(layout->host) + (layout->shared ? ", the measuring core, in turns" : ""));
    if (layout->shared) {
        section.advice.push_back("with one core, compiling and measuring take turns");
    }
    const Expected<DevicePeaks> peaks = measure_device_peaks(layout->devices.front().front());
    if (!peaks) {
        section.problems.push_back(peaks.error().message());
        return section;
    }
    section.facts.emplace_back("vector_unit", peaks->vector_unit);
    add_peaks(*peaks, section);
    section.facts.emplace_back("last_level_cache_mib",
                               number("%.4g", static_cast<double>(peaks->cache_bytes) / 1048576));
    return section;
}

DoctorSection check_hdf5() {
    DoctorSection section{"hdf5", {}, {}, {}};
    unsigned major = 0;
    unsigned minor = 0;
    unsigned release = 0;
    H5get_libversion(&major, &minor, &release);
    section.facts.emplace_back("version", std::to_string(major) + "." + std::to_string(minor) +
                                              "." + std::to_string(release));
    hbool_t thread_safe = 0;
    H5is_library_threadsafe(&thread_safe);
    section.facts.emplace_back("thread_safe", thread_safe != 0 ? "yes" : "no");
    const std::string problem = swmr_problem();
    section.facts.emplace_back("readable_while_written_here",
                               problem.empty() ? "yes" : "no: " + problem);
    if (!problem.empty()) {
        section.advice.push_back("lineage.h5 cannot be read during a campaign in this folder (" +
                                 problem + "); its journal can");
    }
    return section;
}

DoctorSection check_limits() {
    DoctorSection section{"limits", {}, {}, {}};
    utsname system{};
    uname(&system);
    section.facts.emplace_back("kernel", std::string(system.sysname) + " " + system.release);
    const rlim_t files = soft_limit(RLIMIT_NOFILE);
    section.facts.emplace_back("open_files", limit_text(files));
    section.facts.emplace_back("processes", limit_text(soft_limit(RLIMIT_NPROC)));
    section.facts.emplace_back("address_space_bytes", limit_text(soft_limit(RLIMIT_AS)));
    section.facts.emplace_back("file_size_bytes", limit_text(soft_limit(RLIMIT_FSIZE)));
    section.facts.emplace_back(
        "memory", memory_text("MemTotal") + ", " + memory_text("MemAvailable") + " available");
    section.facts.emplace_back("cgroup_memory", cgroup_memory());
    std::error_code error;
    const std::filesystem::space_info space = std::filesystem::space(".", error);
    section.facts.emplace_back("disk_free_here",
                               error ? "unknown" : gib(static_cast<double>(space.available)));
    if (files < k_enough_files) {
        section.advice.push_back("few open files are allowed: ulimit -n 4096");
    }
    if (!error && static_cast<double>(space.available) < k_gib) {
        section.advice.push_back("less than 1 GiB is free here: free some before a campaign");
    }
    return section;
}

}  // namespace atl
