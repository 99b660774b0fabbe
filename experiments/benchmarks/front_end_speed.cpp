// How long a CUDA candidate takes from text to machine code with plans (what needs no GPU), for two
// populations (front_end_population): starters of small tasks, and those of all CUDA tasks, by
// turns. Each candidate is distinct: other values of the tune macros, and a device function of its
// own, so that nothing is cached but what a campaign has cached too (precompiled headers). Values
// that do not fit the device are refused; their candidate is then made with the default ones, and
// only that is timed.
//
// A folder of .cu files is a population too (files_of): other people's kernels.
//
// First with all processes on one core, then with 1, 4 and 16 candidates at once on all cores. Per
// candidate: wall time and the stages in it, and CPU time by process. Stages overlap in part (NVRTC
// beside the others), so that their sum may be more than the whole; "rest" is what no stage covers:
// splitting, facts of the cubin, checks, frames between processes. The ratio is that of candidates
// a second; beside it stands what the machine gives processes that share nothing.

#include "experiments/benchmarks/front_end_population.hpp"
#include "experiments/benchmarks/machine_limits.hpp"
#include "reward/cuda/front_end.hpp"
#include "reward/cuda/toolkit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using population::Source;
using Clock = std::chrono::steady_clock;

constexpr double k_target_p50_ms = 60;
constexpr double k_target_p95_ms = 200;
constexpr double k_target_ratio = 12;
constexpr int k_most_at_once = 16;

/// Workers by role, as a table has them; "" is this process.
constexpr std::array<const char*, 4> k_roles{"compiler", "runner", "nvrtc", ""};
using CpuSeconds = std::array<double, k_roles.size()>;

CpuSeconds cpu_seconds_now() {
    CpuSeconds seconds{};
    for (std::size_t i = 0; i < k_roles.size(); ++i) {
        seconds[i] = machine::cpu_seconds_of(k_roles[i]);
    }
    return seconds;
}

struct Sample {
    const Source* source = nullptr;
    double wall_ms = 0;
    double host_ms = 0;
    double record_ms = 0;
    double device_ms = 0;
};

double percentile(std::vector<double> values, double share) {
    if (values.empty()) {
        return 0;
    }
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1) + 0.5)];
}

template <class Get>
std::vector<double> all_of(const std::vector<Sample>& samples, const Get& get) {
    std::vector<double> values;
    for (const Sample& sample : samples) {
        values.push_back(get(sample));
    }
    return values;
}

/// Distinct candidates, numbered through all phases.
class Candidates {
  public:
    /// Every `step`-th of the sources in turn, so that a short phase has light and heavy ones as a
    /// long one has.
    Candidates(atl::CudaFrontEnd& front_end, const std::vector<Source>& sources,
               std::size_t step = 1)
        : m_front_end(front_end), m_sources(sources), m_step(step) {}

    /// nullopt, with a message, when it did not come through.
    std::optional<Sample> prepare(std::size_t serial, const std::string& before = "") {
        const std::size_t number = serial * m_step;
        const Source& source = m_sources[number % m_sources.size()];
        atl::FrontEndRequest request;
        request.task = source.task;
        request.source = before + source.text +
                         fmt::format("\n__device__ int unique_{}_{}(int x) {{ return x + {}; }}\n",
                                     m_salt, number, number);
        request.tune = population::tune_of(source, number / m_sources.size());
        request.compile_timeout_s = 60;
        std::optional<Sample> sample = timed(source, request, false);
        if (!sample) {
            ++m_refused;
            request.tune.clear();
            sample = timed(source, request, true);
        }
        return sample;
    }
    [[nodiscard]] std::size_t refused() const { return m_refused; }

  private:
    std::optional<Sample> timed(const Source& source, const atl::FrontEndRequest& request,
                                bool tell) {
        const auto begin = Clock::now();
        const atl::Expected<atl::FrontEndReply> reply = m_front_end.prepare(request);
        const std::chrono::duration<double, std::milli> wall = Clock::now() - begin;
        if (!reply || reply->fault) {
            if (tell || !reply) {
                std::fprintf(
                    stderr, "%s: %s\n", source.name.c_str(),
                    reply ? (reply->reason + reply->log).c_str() : reply.error().message().c_str());
            }
            return std::nullopt;
        }
        return Sample{&source, wall.count(), 1e3 * reply->host_compile_seconds,
                      1e3 * reply->record_seconds, 1e3 * reply->device_compile_seconds};
    }

    atl::CudaFrontEnd& m_front_end;
    const std::vector<Source>& m_sources;
    std::size_t m_step;
    const long m_salt = Clock::now().time_since_epoch().count() % 1000000007L;
    std::atomic<std::size_t> m_refused = 0;
};

struct Phase {
    std::vector<Sample> samples;
    /// Until the first of the lanes finds nothing left: after that not all of them are busy, and
    /// one kernel that takes seconds would decide. How many were done by then.
    double busy_seconds = 0;
    std::size_t done_busy = 0;
    CpuSeconds cpu_seconds{};
    [[nodiscard]] double rate() const { return static_cast<double>(done_busy) / busy_seconds; }
    [[nodiscard]] double cpu_ms(std::size_t role) const {
        return 1e3 * cpu_seconds[role] / static_cast<double>(samples.size());
    }
};

/// Where threads wait for each other; the last one to come does something first.
class Meeting {
  public:
    explicit Meeting(std::size_t threads) : m_left(threads) {}
    template <class Last>
    void arrive(const Last& last) {
        if (--m_left == 0) {
            last();
            m_over = true;
            m_over.notify_all();
        }
        m_over.wait(false);
    }

  private:
    std::atomic<std::size_t> m_left;
    std::atomic<bool> m_over = false;
};

/// `count` candidates in `lanes` threads. Each has prepared two before, with headers of the host
/// and without, so that its workers run.
std::optional<Phase> run_phase(Candidates& candidates, std::atomic<std::size_t>& serial,
                               std::size_t count, std::size_t lanes) {
    Phase phase;
    std::mutex mutex;
    std::atomic<std::size_t> taken = 0;
    std::atomic<bool> failed = false;
    Clock::time_point begin;
    CpuSeconds before{};
    Meeting start(lanes);
    Meeting end(lanes);
    const auto work = [&] {
        for (const char* header : {"", "#include <vector>\n"}) {
            failed = !candidates.prepare(serial++, header) || failed;
        }
        start.arrive([&] {
            before = cpu_seconds_now();
            begin = Clock::now();
        });
        while (taken++ < count && !failed) {
            const std::optional<Sample> sample = candidates.prepare(serial++);
            const std::lock_guard lock(mutex);
            failed = !sample || failed;
            if (sample) {
                phase.samples.push_back(*sample);
            }
        }
        {
            const std::lock_guard lock(mutex);
            if (phase.done_busy == 0) {
                phase.done_busy = phase.samples.size();
                phase.busy_seconds = std::chrono::duration<double>(Clock::now() - begin).count();
            }
        }
        end.arrive([&] { phase.cpu_seconds = cpu_seconds_now(); });
    };
    std::vector<std::thread> threads;
    for (std::size_t lane = 0; lane < lanes; ++lane) {
        threads.emplace_back(work);
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    for (std::size_t i = 0; i < before.size(); ++i) {
        phase.cpu_seconds[i] -= before[i];
    }
    return failed ? std::nullopt : std::optional(std::move(phase));
}

void print_head() {
    std::printf(
        "\n| at once | cores | n | p50, ms (target %.0f) | p95, ms (target %.0f) | longest, ms | "
        "candidates/s | p50 of clang and link, ms | record | NVRTC | rest | CPU a candidate: clang "
        "and link, ms | record | NVRTC | own |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
        k_target_p50_ms, k_target_p95_ms);
}

void print_phase(const Phase& phase, std::size_t lanes, std::size_t cores) {
    const auto median = [&](const auto& get) {
        return percentile(all_of(phase.samples, get), 0.5);
    };
    const std::vector<double> wall =
        all_of(phase.samples, [](const Sample& s) { return s.wall_ms; });
    std::printf("| %zu | %zu | %zu | %.1f | %.1f | %.0f | %.1f | %.1f | %.1f | %.1f | %.1f |",
                lanes, cores, phase.samples.size(), percentile(wall, 0.5), percentile(wall, 0.95),
                percentile(wall, 1), phase.rate(),
                median([](const Sample& s) { return s.host_ms; }),
                median([](const Sample& s) { return s.record_ms; }),
                median([](const Sample& s) { return s.device_ms; }), median([](const Sample& s) {
                    return s.wall_ms - std::max(s.host_ms + s.record_ms, s.device_ms);
                }));
    std::printf(" %.1f | %.1f | %.1f | %.1f |\n", phase.cpu_ms(0), phase.cpu_ms(1), phase.cpu_ms(2),
                phase.cpu_ms(3));
}

/// Which starters take longest, by their medians.
void print_slowest(const Phase& phase) {
    constexpr std::size_t k_most = 6;
    std::map<std::string, std::vector<double>> by_name;
    for (const Sample& sample : phase.samples) {
        by_name[sample.source->name].push_back(sample.wall_ms);
    }
    std::vector<std::pair<double, std::string>> medians;
    for (const auto& [name, times] : by_name) {
        medians.emplace_back(percentile(times, 0.5), name);
    }
    std::sort(medians.rbegin(), medians.rend());
    medians.resize(std::min(medians.size(), k_most));
    std::printf("\nslowest of %zu starters, p50, ms:", by_name.size());
    for (const auto& [time, name] : medians) {
        std::printf(" %s %.0f", name.c_str(), time);
    }
    std::printf("\n");
}

atl::Expected<std::unique_ptr<atl::CudaFrontEnd>> make_front_end() {
    const atl::CudaToolkit toolkit = atl::find_cuda_toolkit();
    if (!toolkit.nvrtc || toolkit.include.empty()) {
        return atl::failure(atl::ErrorCode::unavailable, "NVRTC or its headers are not found",
                            "CUDA", "run: atoll doctor");
    }
    atl::FrontEndOptions options;
    options.device = *atl::device_limits_of("sm_90a");
    options.device_compiler.nvrtc = toolkit.nvrtc->path;
    options.device_compiler.include = toolkit.include;
    options.device_compiler.architecture = options.device.arch;
    options.device_compiler.required = options.recorder.required = atl::SandboxLevel::restricted;
    return atl::CudaFrontEnd::make(std::move(options));
}

/// nullopt when something failed; it has been told.
std::optional<std::vector<Phase>> run_on(const std::vector<int>& cores,
                                         const std::vector<std::size_t>& lanes,
                                         const std::vector<Source>& sources, std::size_t count,
                                         std::size_t step = 1) {
    machine::use_cores(cores);
    const auto begin = Clock::now();
    const auto front_end = make_front_end();
    if (!front_end) {
        std::fprintf(stderr, "%s\n", front_end.error().message().c_str());
        return std::nullopt;
    }
    const std::chrono::duration<double> start = Clock::now() - begin;
    Candidates candidates(**front_end, sources, step);
    std::atomic<std::size_t> serial = 0;
    std::vector<Phase> phases;
    for (const std::size_t at_once : lanes) {
        std::optional<Phase> phase = run_phase(candidates, serial, count, at_once);
        if (!phase) {
            return std::nullopt;
        }
        print_phase(*phase, at_once, cores.size());
        phases.push_back(std::move(*phase));
    }
    std::printf("<!-- %s; started in %.1f s; %zu refused -->\n", (*front_end)->toolchain().c_str(),
                start.count(), candidates.refused());
    return phases;
}

/// Without those that are refused, which are told; nothing is timed.
std::vector<Source> those_that_compile(std::vector<Source> sources) {
    const auto front_end = make_front_end();
    if (!front_end) {
        std::fprintf(stderr, "%s\n", front_end.error().message().c_str());
        return {};
    }
    Candidates candidates(**front_end, sources);
    std::vector<char> passed(sources.size());
    std::atomic<std::size_t> next = 0;
    std::vector<std::thread> threads;
    for (std::size_t lane = 0; lane < machine::allowed_cores().size(); ++lane) {
        threads.emplace_back([&] {
            for (std::size_t i = next++; i < sources.size(); i = next++) {
                passed[i] = candidates.prepare(i) ? 1 : 0;
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    std::vector<Source> kept;
    for (std::size_t i = 0; i < sources.size(); ++i) {
        if (passed[i] != 0) {
            kept.push_back(std::move(sources[i]));
        }
    }
    std::printf("%zu of %zu files are accepted\n", kept.size(), sources.size());
    return kept;
}

bool run_population(const char* name, const std::vector<Source>& sources, std::size_t count) {
    if (sources.empty()) {
        std::fprintf(stderr, "no CUDA task of that name; set ATOLL_TASKS\n");
        return false;
    }
    std::printf("\n%s: %zu starters\n", name, sources.size());
    print_head();
    const std::vector<int> cores = machine::allowed_cores();
    // Every fourth of them: one core takes long, and its rate is what is asked for.
    constexpr std::size_t k_step = 4;
    const auto one_core =
        run_on({cores[0]}, {1}, sources, std::max<std::size_t>(count / k_step, 1), k_step);
    machine::use_cores(cores);
    const auto all_cores = one_core ? run_on(cores, {1, 4, 16}, sources, count) : std::nullopt;
    if (!all_cores) {
        return false;
    }
    print_slowest(all_cores->back());
    std::printf(
        "16 at once on all %zu cores against 1 on one core: %.1f times (target on 16 cores: "
        "%.0f)\n",
        cores.size(), all_cores->back().rate() / one_core->front().rate(), k_target_ratio);
    return true;
}

int run(std::size_t count, const std::string& only) {
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    std::printf(
        "16 processes do as much as %.1f when they compute, as %.1f when they fork and touch "
        "memory\n",
        machine::scaling_of_arithmetic(k_most_at_once), machine::scaling_of_forks(k_most_at_once));
    if (std::filesystem::is_directory(only)) {
        const std::vector<Source> sources = those_that_compile(population::files_of(only));
        return run_population(only.c_str(), sources, count) ? 0 : 1;
    }
    if (!only.empty() && only != "small" && only != "all") {
        return run_population(only.c_str(), population::one_task(only), count) ? 0 : 1;
    }
    const bool small =
        only == "all" || run_population("small tasks", population::small_tasks(), count);
    const bool all = only == "small" || run_population("all tasks", population::all_tasks(), count);
    return small && all ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    const long count = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 500;
    if (count < 1 || count > 1'000'000 || argc > 3) {
        std::fprintf(
            stderr,
            "usage: bench_front_end [COUNT [small|all|TASK|FOLDER]]   (500, small then all)\n");
        return 2;
    }
    try {
        return run(static_cast<std::size_t>(count), argc > 2 ? argv[2] : "");
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 3;
    }
}
