#include "experiments/benchmarks/front_end_phase.hpp"

#include "experiments/benchmarks/machine_limits.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <mutex>
#include <thread>
#include <utility>

namespace front_end {

namespace {

using Clock = std::chrono::steady_clock;

CpuSeconds cpu_seconds_now() {
    CpuSeconds seconds{};
    for (std::size_t i = 0; i < k_roles.size(); ++i) {
        seconds[i] = machine::cpu_seconds_of(k_roles[i]);
    }
    return seconds;
}

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

}  // namespace

std::vector<Pick> picks(const std::vector<Source>& sources, std::size_t count) {
    std::vector<Pick> chosen;
    const std::size_t size = sources.size();
    for (std::size_t i = 0; i < count && size > 0; ++i) {
        const std::size_t at = count < size ? i * size / count : i % size;
        chosen.push_back({&sources[at], i / size});
    }
    return chosen;
}

Candidates::Candidates(atl::CudaFrontEnd& front_end)
    : m_front_end(front_end), m_salt(Clock::now().time_since_epoch().count() % 1000000007L) {}

std::optional<Sample> Candidates::prepare(const Pick& pick, const std::string& before) {
    const std::size_t number = m_made++;
    atl::FrontEndRequest request;
    request.task = pick.source->task;
    request.source = before + pick.source->text +
                     fmt::format("\n__device__ int unique_{}_{}(int x) {{ return x + {}; }}\n",
                                 m_salt, number, number);
    request.tune = population::tune_of(*pick.source, pick.tune);
    request.compile_timeout_s = 60;
    std::optional<Sample> sample = timed(*pick.source, request, false);
    if (!sample) {
        ++m_refused;
        request.tune.clear();
        sample = timed(*pick.source, request, true);
    }
    return sample;
}

std::optional<Sample> Candidates::timed(const Source& source, const atl::FrontEndRequest& request,
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

std::optional<Phase> run_phase(Candidates& candidates, const std::vector<Pick>& mix,
                               std::size_t rounds, std::size_t lanes) {
    const std::size_t count = rounds * mix.size();
    Phase phase;
    std::mutex mutex;
    std::atomic<std::size_t> warmed = 0;
    std::atomic<std::size_t> taken = 0;
    std::atomic<bool> failed = false;
    Clock::time_point begin;
    CpuSeconds before{};
    Meeting start(lanes);
    Meeting end(lanes);
    const auto work = [&] {
        for (const char* header : {"", "#include <vector>\n"}) {
            failed = !candidates.prepare(mix[warmed++ % mix.size()], header) || failed;
        }
        start.arrive([&] {
            before = cpu_seconds_now();
            begin = Clock::now();
        });
        for (std::size_t i = taken++; i < count && !failed; i = taken++) {
            const std::optional<Sample> sample = candidates.prepare(mix[i % mix.size()]);
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

}  // namespace front_end
