// How long a CUDA candidate takes from text to machine code with plans (what needs no GPU): the
// starters of all CUDA tasks by turns, each made distinct by a device function of its own, so that
// nothing is cached but what a campaign has cached too (precompiled headers).
//
// First with all processes on one core, then with 1, 4 and 16 candidates at once on all cores. Per
// candidate: wall time and the stages in it. Stages overlap in part (NVRTC beside the others), so
// that their sum may be more than the whole; "rest" is what no stage covers: splitting, facts of
// the cubin, checks, frames between processes. The ratio is that of candidates a second.

#include "reward/cuda/front_end.hpp"
#include "reward/cuda/toolkit.hpp"
#include "reward/task.hpp"

#include <fmt/format.h>

#include <algorithm>
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

using Clock = std::chrono::steady_clock;

constexpr double k_target_p50_ms = 60;
constexpr double k_target_p95_ms = 200;
constexpr double k_target_ratio = 12;

struct Source {
    atl::TaskPtr task;
    std::string name;
    std::string text;
};

std::vector<Source> starters_of(const std::string& only) {
    std::vector<Source> sources;
    for (const std::filesystem::path& folder : atl::list_tasks()) {
        const std::string name = folder.filename().string();
        if (!exists(folder / "reference.cu") || (!only.empty() && name != only)) {
            continue;
        }
        const auto task = atl::load_task(folder, "cuda");
        if (!task) {
            std::fprintf(stderr, "%s\n", task.error().message().c_str());
            continue;
        }
        for (const atl::Starter& starter : (*task)->starters) {
            sources.push_back({*task, name + "/" + starter.name, starter.source});
        }
    }
    return sources;
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
    Candidates(atl::CudaFrontEnd& front_end, const std::vector<Source>& sources)
        : m_front_end(front_end), m_sources(sources) {}

    /// nullopt, with a message, when it did not come through.
    std::optional<Sample> prepare(std::size_t number) {
        const Source& source = m_sources[number % m_sources.size()];
        atl::FrontEndRequest request;
        request.task = source.task;
        request.source = source.text + fmt::format(
                                           "\n__device__ int unique_{}_{}(int x) {{ "
                                           "return x + {}; }}\n",
                                           m_salt, number, number);
        request.compile_timeout_s = 60;
        const auto begin = Clock::now();
        const atl::Expected<atl::FrontEndReply> reply = m_front_end.prepare(request);
        const std::chrono::duration<double, std::milli> wall = Clock::now() - begin;
        if (!reply || reply->fault) {
            std::fprintf(
                stderr, "%s: %s\n", source.name.c_str(),
                reply ? (reply->reason + reply->log).c_str() : reply.error().message().c_str());
            return std::nullopt;
        }
        return Sample{&source, wall.count(), 1e3 * reply->host_compile_seconds,
                      1e3 * reply->record_seconds, 1e3 * reply->device_compile_seconds};
    }

  private:
    atl::CudaFrontEnd& m_front_end;
    const std::vector<Source>& m_sources;
    const long m_salt = Clock::now().time_since_epoch().count() % 1000000007L;
};

struct Phase {
    std::vector<Sample> samples;
    double seconds = 0;
    [[nodiscard]] double rate() const { return static_cast<double>(samples.size()) / seconds; }
};

/// `count` candidates in `lanes` threads, each of which has prepared one before, so that its
/// workers run.
std::optional<Phase> run_phase(Candidates& candidates, std::atomic<std::size_t>& serial,
                               std::size_t count, std::size_t lanes) {
    Phase phase;
    std::mutex mutex;
    std::atomic<std::size_t> ready = 0;
    std::atomic<std::size_t> taken = 0;
    std::atomic<bool> failed = false;
    Clock::time_point begin;
    const auto work = [&] {
        failed = !candidates.prepare(serial++) || failed;
        if (++ready == lanes) {
            begin = Clock::now();
            ready.notify_all();
        }
        for (std::size_t seen = ready; seen < lanes; seen = ready) {
            ready.wait(seen);
        }
        while (taken++ < count && !failed) {
            const std::optional<Sample> sample = candidates.prepare(serial++);
            const std::lock_guard lock(mutex);
            failed = !sample || failed;
            if (sample) {
                phase.samples.push_back(*sample);
            }
        }
    };
    std::vector<std::thread> threads;
    for (std::size_t lane = 0; lane < lanes; ++lane) {
        threads.emplace_back(work);
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    phase.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    return failed ? std::nullopt : std::optional(std::move(phase));
}

void print_head() {
    std::printf(
        "| at once | cores | n | p50, ms (target %.0f) | p95, ms (target %.0f) | longest, ms | "
        "candidates/s | clang and link, ms | record, ms | NVRTC, ms | rest, ms |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|\n",
        k_target_p50_ms, k_target_p95_ms);
}

void print_phase(const Phase& phase, std::size_t lanes, unsigned cores) {
    const auto median = [&](const auto& get) {
        return percentile(all_of(phase.samples, get), 0.5);
    };
    const std::vector<double> wall =
        all_of(phase.samples, [](const Sample& s) { return s.wall_ms; });
    std::printf("| %zu | %u | %zu | %.1f | %.1f | %.0f | %.1f | %.1f | %.1f | %.1f | %.1f |\n",
                lanes, cores, phase.samples.size(), percentile(wall, 0.5), percentile(wall, 0.95),
                percentile(wall, 1), phase.rate(),
                median([](const Sample& s) { return s.host_ms; }),
                median([](const Sample& s) { return s.record_ms; }),
                median([](const Sample& s) { return s.device_ms; }), median([](const Sample& s) {
                    return s.wall_ms - std::max(s.host_ms + s.record_ms, s.device_ms);
                }));
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

atl::Expected<std::unique_ptr<atl::CudaFrontEnd>> make_front_end(std::vector<int> cores) {
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
    options.device_compiler.cores = options.recorder.cores = std::move(cores);
    return atl::CudaFrontEnd::make(std::move(options));
}

/// nullopt when something failed; it has been told.
std::optional<std::vector<Phase>> run_on(const std::vector<int>& cores,
                                         const std::vector<std::size_t>& lanes,
                                         const std::vector<Source>& sources, std::size_t count) {
    const auto begin = Clock::now();
    const auto front_end = make_front_end(cores);
    if (!front_end) {
        std::fprintf(stderr, "%s\n", front_end.error().message().c_str());
        return std::nullopt;
    }
    const std::chrono::duration<double> start = Clock::now() - begin;
    std::printf("<!-- %s; started in %.1f s -->\n", (*front_end)->toolchain().c_str(),
                start.count());
    Candidates candidates(**front_end, sources);
    std::atomic<std::size_t> serial = 0;
    std::vector<Phase> phases;
    const unsigned used =
        cores.empty() ? std::thread::hardware_concurrency() : static_cast<unsigned>(cores.size());
    for (const std::size_t at_once : lanes) {
        std::optional<Phase> phase = run_phase(candidates, serial, count, at_once);
        if (!phase) {
            return std::nullopt;
        }
        print_phase(*phase, at_once, used);
        phases.push_back(std::move(*phase));
    }
    return phases;
}

int run(std::size_t count, const std::string& only) {
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    const std::vector<Source> sources = starters_of(only);
    if (sources.empty()) {
        std::fprintf(stderr, "no CUDA task of that name; set ATOLL_TASKS\n");
        return 2;
    }
    print_head();
    // A quarter of them: one core takes long, and its rate is what is asked for.
    const auto one_core = run_on({0}, {1}, sources, std::max<std::size_t>(count / 4, 1));
    const auto all_cores = one_core ? run_on({}, {1, 4, 16}, sources, count) : std::nullopt;
    if (!all_cores) {
        return 1;
    }
    print_slowest(all_cores->back());
    std::printf(
        "16 at once on all cores against 1 on one core: %.1f times (target on 16 cores: %.0f)\n",
        all_cores->back().rate() / one_core->front().rate(), k_target_ratio);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const long count = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 500;
    if (count < 1 || count > 1'000'000 || argc > 3) {
        std::fprintf(stderr, "usage: bench_front_end [COUNT [TASK]]   (500, all tasks)\n");
        return 2;
    }
    try {
        return run(static_cast<std::size_t>(count), argc > 2 ? argv[2] : "");
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 3;
    }
}
