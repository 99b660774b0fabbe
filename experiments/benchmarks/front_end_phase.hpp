#pragma once

#include "experiments/benchmarks/front_end_population.hpp"
#include "reward/cuda/front_end.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

/// One phase of the front end's benchmark: so many candidates, so many at once.
namespace front_end {

using population::Source;

/// Workers by role, as a table has them; "" is this process.
inline constexpr std::array<const char*, 4> k_roles{"compiler", "runner", "nvrtc", ""};
using CpuSeconds = std::array<double, k_roles.size()>;

struct Sample {
    const Source* source = nullptr;
    double wall_ms = 0;
    double host_ms = 0;
    double record_ms = 0;
    double device_ms = 0;
};

/// A source and which of its tune values (population::tune_of).
struct Pick {
    const Source* source = nullptr;
    std::size_t tune = 0;
};

/// `count` of the sources, light and heavy ones as they come: evenly from all of them where there
/// are more, else all by turns with other tune values. None where there are no sources.
[[nodiscard]] std::vector<Pick> picks(const std::vector<Source>& sources, std::size_t count);

/// Prepares picks so that each candidate is one that nobody has seen before.
class Candidates {
  public:
    explicit Candidates(atl::CudaFrontEnd& front_end);

    /// nullopt, with a message, when it did not come through. `before`: what the text begins with.
    /// May be called from several threads.
    std::optional<Sample> prepare(const Pick& pick, const std::string& before = "");
    /// How many had tune values that do not fit the device, and were made with the default ones.
    [[nodiscard]] std::size_t refused() const { return m_refused; }

  private:
    std::optional<Sample> timed(const Source& source, const atl::FrontEndRequest& request,
                                bool tell);

    atl::CudaFrontEnd& m_front_end;
    const long m_salt;
    std::atomic<std::size_t> m_made = 0;
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

/// All of `mix`, `rounds` times, in `lanes` threads. Each has prepared two before, with headers of
/// the host and without, so that its workers run. nullopt when one did not come through.
[[nodiscard]] std::optional<Phase> run_phase(Candidates& candidates, const std::vector<Pick>& mix,
                                             std::size_t rounds, std::size_t lanes);

}  // namespace front_end
