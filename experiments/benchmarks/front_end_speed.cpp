// How long a CUDA candidate takes from text to machine code with plans (what needs no GPU), for two
// populations (front_end_population): starters of small tasks, and those of all CUDA tasks, by
// turns. Each candidate is distinct: other values of the tune macros, and a device function of its
// own, so that nothing is cached but what a campaign has cached too (precompiled headers). Values
// that do not fit the device are refused; their candidate is then made with the default ones, and
// only that is timed.
//
// A folder of .cu files is a population too (files_of): other people's kernels.
//
// Two questions, in this order:
// - How many times the candidates a second of one core do all cores make, 16 at once? For that both
//   get the same mix, a quarter of COUNT drawn evenly from the sources, once on one core and eight
//   times on all (each time unlike all others), so that the lanes are busy for seconds. With other
//   sources, one kernel of 9 s decides, which occupies one of 16 lanes. The rate is counted until
//   the first lane finds nothing left. Beside the ratio stands what the machine gives 16 processes
//   that share nothing.
// - How long does one take, of COUNT? One at once, 16, and 4, each time the same ones; 4 come last,
//   as they say least where the time is short.
// Per candidate: wall time and the stages in it, and CPU time by process. Stages overlap in part
// (NVRTC beside the others), so that their sum may be more than the whole; "rest" is what no stage
// covers: splitting, facts of the cubin, checks, frames between processes.

#include "experiments/benchmarks/front_end_phase.hpp"
#include "experiments/benchmarks/front_end_population.hpp"
#include "experiments/benchmarks/machine_limits.hpp"
#include "reward/cuda/front_end.hpp"
#include "reward/cuda/toolkit.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using front_end::Candidates;
using front_end::Phase;
using front_end::Pick;
using front_end::Sample;
using population::Source;
using Clock = std::chrono::steady_clock;

constexpr double k_target_p50_ms = 60;
constexpr double k_target_p95_ms = 200;
constexpr double k_target_ratio = 12;
constexpr std::size_t k_most_at_once = 16;
constexpr std::size_t k_mix_share = 4;   ///< of COUNT: one core takes long
constexpr std::size_t k_mix_rounds = 8;  ///< on all cores

struct MachineScaling {
    double arithmetic = 0;
    double forks = 0;
};

/// A row of the table: all of `mix`, `rounds` times, so many at once.
struct Row {
    const char* name;
    const std::vector<Pick>* mix;
    std::size_t rounds;
    std::size_t lanes;
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

void print_head() {
    std::printf(
        "\n| candidates | at once | cores | n | p50, ms (target %.0f) | p95, ms (target %.0f) | "
        "longest, ms | "
        "candidates/s | p50 of clang and link, ms | record | NVRTC | rest | CPU a candidate: clang "
        "and link, ms | record | NVRTC | own |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
        k_target_p50_ms, k_target_p95_ms);
}

void print_phase(const Phase& phase, const Row& row, std::size_t cores) {
    const auto median = [&](const auto& get) {
        return percentile(all_of(phase.samples, get), 0.5);
    };
    const std::vector<double> wall =
        all_of(phase.samples, [](const Sample& s) { return s.wall_ms; });
    std::printf("| %s | %zu | %zu | %zu | %.1f | %.1f | %.0f | %.1f | %.1f | %.1f | %.1f | %.1f |",
                row.name, row.lanes, cores, phase.samples.size(), percentile(wall, 0.5),
                percentile(wall, 0.95), percentile(wall, 1), phase.rate(),
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
    std::printf("<!-- slowest of %zu starters, p50, ms:", by_name.size());
    for (const auto& [time, name] : medians) {
        std::printf(" %s %.0f", name.c_str(), time);
    }
    std::printf(" -->\n");
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

/// A front end whose processes keep to some cores.
class Bench {
  public:
    /// nullptr when something failed, which has been told.
    static std::unique_ptr<Bench> start_on(const std::vector<int>& cores) {
        machine::use_cores(cores);
        const auto begin = Clock::now();
        auto front_end = make_front_end();
        if (!front_end) {
            std::fprintf(stderr, "%s\n", front_end.error().message().c_str());
            return nullptr;
        }
        std::printf("<!-- %zu cores: %s; started in %.1f s -->\n", cores.size(),
                    (*front_end)->toolchain().c_str(),
                    std::chrono::duration<double>(Clock::now() - begin).count());
        return std::unique_ptr<Bench>(new Bench(std::move(*front_end), cores.size()));
    }
    /// nullopt when something failed, which has been told.
    std::optional<Phase> run(const Row& row) {
        std::optional<Phase> phase =
            front_end::run_phase(m_candidates, *row.mix, row.rounds, row.lanes);
        if (phase) {
            print_phase(*phase, row, m_cores);
        }
        return phase;
    }
    [[nodiscard]] std::size_t refused() const { return m_candidates.refused(); }

  private:
    Bench(std::unique_ptr<atl::CudaFrontEnd> front_end, std::size_t cores)
        : m_front_end(std::move(front_end)), m_candidates(*m_front_end), m_cores(cores) {}

    std::unique_ptr<atl::CudaFrontEnd> m_front_end;
    Candidates m_candidates;
    std::size_t m_cores;
};

/// Without those that are refused, which are told; nothing is timed.
std::vector<Source> those_that_compile(std::vector<Source> sources) {
    const auto front_end = make_front_end();
    if (!front_end) {
        std::fprintf(stderr, "%s\n", front_end.error().message().c_str());
        return {};
    }
    Candidates candidates(**front_end);
    std::vector<char> passed(sources.size());
    std::atomic<std::size_t> next = 0;
    std::vector<std::thread> threads;
    for (std::size_t lane = 0; lane < machine::allowed_cores().size(); ++lane) {
        threads.emplace_back([&] {
            for (std::size_t i = next++; i < sources.size(); i = next++) {
                passed[i] = candidates.prepare({&sources[i]}) ? 1 : 0;
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

/// What one core does, and what all do of the same.
bool run_rows(const std::vector<Source>& sources, std::size_t count, const MachineScaling& most) {
    const std::vector<int> cores = machine::allowed_cores();
    const std::vector<Pick> all = front_end::picks(sources, count);
    const std::vector<Pick> mix =
        front_end::picks(sources, std::max<std::size_t>(count / k_mix_share, 1));
    print_head();
    auto bench = Bench::start_on({cores[0]});
    const auto one_core = bench ? bench->run({"mix, once", &mix, 1, 1}) : std::nullopt;
    bench = one_core ? Bench::start_on(cores) : nullptr;
    const auto mixed =
        bench ? bench->run({"mix, 8 times", &mix, k_mix_rounds, k_most_at_once}) : std::nullopt;
    if (!mixed) {
        machine::use_cores(cores);
        return false;
    }
    std::printf(
        "<!-- these two rows, the same mix of %zu: %zu at once on all %zu cores do %.1f times as "
        "many a second as one on one core (target on 16 cores: %.0f); processes that share "
        "nothing: %.1f where they compute, %.1f where they fork and touch memory -->\n",
        mix.size(), k_most_at_once, cores.size(), mixed->rate() / one_core->rate(), k_target_ratio,
        most.arithmetic, most.forks);
    for (const std::size_t lanes : {std::size_t{1}, k_most_at_once, std::size_t{4}}) {
        const auto phase = bench->run({"all", &all, 1, lanes});
        if (!phase) {
            return false;
        }
        if (lanes == 1) {
            print_slowest(*phase);
        }
    }
    std::printf("<!-- %zu with other tune values than asked for -->\n", bench->refused());
    return true;
}

bool run_population(const char* name, const std::vector<Source>& sources, std::size_t count,
                    const MachineScaling& most) {
    if (sources.empty()) {
        std::fprintf(stderr, "no CUDA task of that name; set ATOLL_TASKS\n");
        return false;
    }
    std::printf("\n%s: %zu starters\n", name, sources.size());
    return run_rows(sources, count, most);
}

int run(std::size_t count, const std::string& only) {
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    const MachineScaling most{machine::scaling_of_arithmetic(int{k_most_at_once}),
                              machine::scaling_of_forks(int{k_most_at_once})};
    std::printf(
        "%zu processes do as much as %.1f when they compute, as %.1f when they fork and touch "
        "memory\n",
        k_most_at_once, most.arithmetic, most.forks);
    if (std::filesystem::is_directory(only)) {
        const std::vector<Source> sources = those_that_compile(population::files_of(only));
        return run_population(only.c_str(), sources, count, most) ? 0 : 1;
    }
    if (!only.empty() && only != "small" && only != "all") {
        return run_population(only.c_str(), population::one_task(only), count, most) ? 0 : 1;
    }
    const bool small =
        only == "all" || run_population("small tasks", population::small_tasks(), count, most);
    const bool all =
        only == "small" || run_population("all tasks", population::all_tasks(), count, most);
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
