#include "experiments/benchmarks/machine_limits.hpp"

#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

namespace machine {

namespace {

using Clock = std::chrono::steady_clock;

template <class Work>
double seconds_of(int processes, const Work& work) {
    const auto begin = Clock::now();
    for (int i = 0; i < processes; ++i) {
        if (::fork() == 0) {
            work();
            ::_exit(0);
        }
    }
    while (::wait(nullptr) > 0) {
    }
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

template <class Work>
double scaling_of(int processes, const Work& work) {
    const double one = seconds_of(1, work);
    return one * processes / seconds_of(processes, work);
}

void compute() {
    std::uint64_t value = 1;
    for (long i = 0; i < 200'000'000; ++i) {
        value = value * 6364136223846793005u + 1442695040888963407u;
        value ^= value >> 7;
    }
    asm volatile("" : : "r"(value));
}

void fork_and_touch() {
    constexpr int k_children = 40;
    constexpr std::size_t k_bytes = 16u << 20;
    for (int i = 0; i < k_children; ++i) {
        const pid_t child = ::fork();
        if (child == 0) {
            auto* const memory = static_cast<volatile char*>(::mmap(
                nullptr, k_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
            for (std::size_t at = 0; at < k_bytes; at += 4096) {
                memory[at] = 1;
            }
            ::_exit(0);
        }
        ::waitpid(child, nullptr, 0);
    }
}

struct Process {
    pid_t parent = 0;
    double own_seconds = 0;
    double children_seconds = 0;  ///< that it has waited for
    std::string role;             ///< of a worker
};

/// The word behind the worker's path. That need not be the first one: a bundle starts the program
/// through its own dynamic loader, which has options before it.
std::string role_in(std::istream& words) {
    bool worker = false;
    for (std::string word; std::getline(words, word, '\0');) {
        if (worker) {
            return word;
        }
        worker = word.ends_with("/atoll-worker");
    }
    return {};
}

/// Of "PID (name) S ppid ... utime stime cutime cstime ...".
Process process_of(const std::filesystem::path& folder) {
    Process process;
    std::string line;
    std::getline(std::ifstream(folder / "stat"), line);
    std::istringstream rest(line.substr(std::min(line.rfind(')') + 1, line.size())));
    std::string skipped;
    double user = 0;
    double system = 0;
    double children_user = 0;
    double children_system = 0;
    rest >> skipped >> process.parent;
    for (int i = 5; i <= 13; ++i) {
        rest >> skipped;
    }
    rest >> user >> system >> children_user >> children_system;
    const auto tick = static_cast<double>(::sysconf(_SC_CLK_TCK));
    process.own_seconds = (user + system) / tick;
    process.children_seconds = (children_user + children_system) / tick;
    std::ifstream words(folder / "cmdline");
    process.role = role_in(words);
    return process;
}

std::map<pid_t, Process> all_processes() {
    std::map<pid_t, Process> processes;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const std::string name = entry.path().filename().string();
        pid_t pid = 0;
        const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (error == std::errc() && end == name.data() + name.size()) {
            processes.emplace(pid, process_of(entry.path()));
        }
    }
    return processes;
}

bool descends_from(const std::map<pid_t, Process>& processes, pid_t pid, pid_t ancestor) {
    for (auto at = processes.find(pid); at != processes.end() && pid > 1;
         at = processes.find(pid)) {
        pid = at->second.parent;
        if (pid == ancestor) {
            return true;
        }
    }
    return false;
}

}  // namespace

double scaling_of_arithmetic(int processes) {
    return scaling_of(processes, compute);
}

double scaling_of_forks(int processes) {
    return scaling_of(processes, fork_and_touch);
}

std::vector<int> allowed_cores() {
    cpu_set_t set;
    std::vector<int> cores;
    if (::sched_getaffinity(0, sizeof(set), &set) == 0) {
        for (int core = 0; core < CPU_SETSIZE; ++core) {
            if (CPU_ISSET(core, &set)) {
                cores.push_back(core);
            }
        }
    }
    return cores;
}

void use_cores(const std::vector<int>& cores) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const int core : cores) {
        CPU_SET(core, &set);
    }
    (void)::sched_setaffinity(0, sizeof(set), &set);
}

double cpu_seconds_of(std::string_view role) {
    const std::map<pid_t, Process> processes = all_processes();
    const pid_t self = ::getpid();
    double seconds = 0;
    for (const auto& [pid, process] : processes) {
        if (role.empty() && pid == self) {
            seconds += process.own_seconds;
        } else if (!role.empty() && process.role == role && descends_from(processes, pid, self)) {
            seconds += process.own_seconds + process.children_seconds;
        }
    }
    return seconds;
}

}  // namespace machine
