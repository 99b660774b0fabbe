/// How many children does the engine make in a second when everything outside it is instant, and
/// does that hold as the campaign grows? Runs a campaign as `atoll run` does: journal with fsync,
/// snapshots, lineage.h5 streamed live, default islands and archives. Only evaluator and operator
/// are not real: the one answers at once, with verdicts as large as real ones, the other draws the
/// values of all macros anew. Prints, for each tenth of the
/// children, their rate, the processor time that one took on the engine's thread and on all threads
/// (which tells a slow engine from a busy machine), and the memory so far; fails below the limits.
///
///     bench_engine [CHILDREN=20000] [PER_TICKET=1] [LINEAGE=live|none]
///                  [OPERATORS=instant|shipped] [FOLDER=a temporary one, removed]
///
/// PER_TICKET: evaluations that a ticket may ask for. 1 is the hardest: a decision, a commit and
/// three events for each child.

#include "experiments/benchmarks/instant_evaluator.hpp"
#include "population/lineage/lineage_stream.hpp"
#include "population/run_folder.hpp"
#include "population/snapshot.hpp"
#include "reward/base/rng.hpp"
#include "reward/source_text.hpp"
#include "search/engine.hpp"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>

namespace fs = std::filesystem;

namespace {

using namespace atl;
using Time = std::chrono::steady_clock::time_point;

constexpr double k_least_rate = 2000;  // children per second, up to k_first_children
constexpr double k_growth_factor = 3;  // beyond them at least k_least_rate over this
constexpr std::uint64_t k_first_children = 200'000;
constexpr double k_most_bytes = 1024;  // per individual
constexpr std::size_t k_parts = 10;
constexpr int k_macros = 8;
constexpr int k_values = 16;

double seconds_between(Time begin, Time end) {
    return std::chrono::duration<double>(end - begin).count();
}

double cpu_seconds(clockid_t clock) {
    timespec time{};
    ::clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

std::size_t resident_bytes() {
    std::size_t pages = 0;
    std::size_t resident = 0;
    std::ifstream("/proc/self/statm") >> pages >> resident;
    return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

/// About 2 KB of source; 8 macros of 16 values have more combinations than any run has children.
TaskPtr synthetic_task() {
    std::string knobs;
    for (int i = 0; i < k_macros; ++i) {
        const std::string name = "KNOB_" + std::to_string(i);
        knobs += "#ifndef " + name + "\n#define " + name + " 8  // tune: ";
        for (int value = 1; value <= k_values; ++value) {
            knobs += std::to_string(value) + (value < k_values ? ", " : "\n#endif\n");
        }
    }
    std::string body = "// region: body\n";
    for (int line = 0; line < 30; ++line) {
        body += "    sum[" + std::to_string(line) + "] += a[i * KNOB_" +
                std::to_string(line % k_macros) + "] * b[i + KNOB_1];\n";
    }
    auto task = std::make_shared<Task>();
    task->name = "synthetic";
    task->folder = fs::temp_directory_path();
    task->starters = {{"first", knobs + body + "// endregion: body\nint x;\n"},
                      {"second", knobs + "int y;\n" + body + "// endregion: body\nint x = 2;\n"}};
    Workload workload;
    workload.id = "w0";
    task->workloads = {workload};
    return task;
}

OperatorRun draw_values(OperatorInput in) {
    for (int i = 0; i < in.max_evaluations; ++i) {
        Proposal proposal;
        proposal.candidate = in.parents.at(0).candidate;
        for (int macro = 0; macro < k_macros; ++macro) {
            proposal.candidate.tune["KNOB_" + std::to_string(macro)] =
                std::to_string(1 + in.rng.below(k_values));
        }
        proposal.description = "all values drawn anew from " + in.parents[0].id.text();
        co_await ask(std::move(proposal));
    }
}

class InstantOperator {
  public:
    [[nodiscard]] std::string name() const { return "instant"; }
    [[nodiscard]] int arity() const { return 1; }
    [[nodiscard]] bool applicable(const Task&, const ParentView&, const ParentView*) const {
        return true;
    }
    [[nodiscard]] OperatorRun start(const OperatorInput& input) const { return draw_values(input); }
};

OperatorRegistry operators(bool shipped) {
    OperatorRegistry registry;
    registry.add("instant", [](const auto&) { return Operator(InstantOperator()); });
    return shipped ? shipped_operators() : registry;
}

struct Part {
    std::uint64_t children = 0;
    double rate = 0;     // since the part before
    double thread = 0;   // processor seconds of the engine's thread so far
    double process = 0;  // of all threads
    std::size_t resident = 0;
};

/// Does what the observer of `atoll run` does, but for the display; notes the time of each part.
class Meter final : public EngineObserver {
  public:
    Meter(std::uint64_t children, const JournalWriter& journal, LineageStream* stream)
        : m_step(std::max<std::uint64_t>(1, children / k_parts)),
          m_journal(journal),
          m_stream(stream) {}

    void on_event(const Event&, const CampaignState&) override {}
    void on_sync(const CampaignState& state) override {
        if (m_stream != nullptr) {
            m_stream->nudge(m_journal.position());
        }
        note(state);
    }
    void on_tick(const CampaignState&, std::int64_t) override {}
    void on_remark(std::string_view text) override {
        std::printf("remark: %.*s\n", static_cast<int>(text.size()), text.data());
    }

    [[nodiscard]] const std::vector<Part>& parts() const { return m_parts; }

  private:
    void note(const CampaignState& state) {
        const std::uint64_t children = state.individuals().size();
        if (children < m_noted + m_step) {
            return;
        }
        const Time now = std::chrono::steady_clock::now();
        const auto added = static_cast<double>(children - m_noted);
        m_parts.push_back({children, added / seconds_between(m_time, now),
                           cpu_seconds(CLOCK_THREAD_CPUTIME_ID),
                           cpu_seconds(CLOCK_PROCESS_CPUTIME_ID), resident_bytes()});
        m_noted = children;
        m_time = now;
        const Part before = m_parts.size() > 1 ? m_parts[m_parts.size() - 2] : Part{};
        const Part& part = m_parts.back();
        std::printf(
            "%9llu children  %6.0f/s  processor time each: engine %4.0f us, all %4.0f us  "
            "%5.0f MB resident  journal %5.0f MB\n",
            static_cast<unsigned long long>(part.children), part.rate,
            1e6 * (part.thread - before.thread) / added,
            1e6 * (part.process - before.process) / added, static_cast<double>(part.resident) / 1e6,
            static_cast<double>(m_journal.position()) / 1e6);
        std::fflush(stdout);
    }

    std::uint64_t m_step;
    const JournalWriter& m_journal;
    LineageStream* m_stream;
    std::uint64_t m_noted = 0;
    Time m_time = std::chrono::steady_clock::now();
    std::vector<Part> m_parts;
};

struct Arguments {
    std::uint64_t children = 20'000;
    std::int64_t per_ticket = 1;
    bool lineage = true;
    bool shipped = false;
    fs::path folder;
};

int report(const std::vector<Part>& parts, const Arguments& arguments) {
    if (parts.size() < 2) {
        std::printf("too few children to say anything\n");
        return 1;
    }
    bool fast = true;
    double slowest = parts.front().rate;
    for (const Part& part : parts) {
        const bool first = part.children <= k_first_children + arguments.children / k_parts;
        fast = fast && part.rate >= (first ? k_least_rate : k_least_rate / k_growth_factor);
        slowest = std::min(slowest, part.rate);
    }
    const Part& begin = parts.front();
    const Part& end = parts.back();
    const double bytes = (static_cast<double>(end.resident) - static_cast<double>(begin.resident)) /
                         static_cast<double>(end.children - begin.children);
    std::printf(
        "slowest part %.0f children/s; %.0f bytes resident per individual after the first "
        "part\n",
        slowest, bytes);
    const bool passed = fast && bytes < k_most_bytes;
    std::printf("%s: limits %.0f/s up to %llu children, %.0f/s beyond, %.0f bytes\n",
                passed ? "passed" : "FAILED", k_least_rate,
                static_cast<unsigned long long>(k_first_children), k_least_rate / k_growth_factor,
                k_most_bytes);
    return passed ? 0 : 1;
}

int bench(const Arguments& arguments) {
    const RunFolder run = value_or_throw(RunFolder::create(arguments.folder / "run"));
    const auto journal = value_or_throw(JournalWriter::open(run.journal()));
    const auto stream = arguments.lineage
                            ? LineageStream::start({.run = run.path(),
                                                    .mode = LineageMode::live,
                                                    .durable = journal->position(),
                                                    .on_failure =
                                                        [](const Error& error) {
                                                            std::printf("lineage.h5: %s\n",
                                                                        error.message().c_str());
                                                        }})
                            : nullptr;
    CampaignConfig config;
    config.engine.ticket_evaluations = arguments.per_ticket;
    config.stop.max_evaluations = static_cast<std::int64_t>(arguments.children);
    const TaskPtr task = synthetic_task();
    InstantEvaluator evaluator;
    value_or_throw(resolve_config(config, *task, evaluator));
    Meter meter(arguments.children, *journal, stream.get());
    Ledger::Options ledger;
    ledger.snapshot_every = static_cast<std::uint64_t>(config.engine.snapshot_every);
    ledger.snapshot = [&](const CampaignState& state, std::uint64_t position) {
        return write_snapshot(run, state, position);
    };
    ledger.observer = &meter;
    StopSignal stop;
    const SystemClock clock;
    const Time begin = std::chrono::steady_clock::now();
    const EngineReport ended = value_or_throw(
        run_engine({config, task, evaluator, *journal, CampaignState(state_settings(config)), clock,
                    stop, std::move(ledger), "bench", operators(arguments.shipped)}));
    const Time end = std::chrono::steady_clock::now();
    std::printf("%s after %.1f s: %zu individuals, %llu events, %llu tickets\n",
                ended.reason.c_str(), seconds_between(begin, end), ended.state.individuals().size(),
                static_cast<unsigned long long>(ended.state.events_applied()),
                static_cast<unsigned long long>(ended.state.next_ticket()));
    if (stream) {
        value_or_throw(stream->finish());
        std::printf("lineage.h5 complete %.1f s later\n",
                    seconds_between(end, std::chrono::steady_clock::now()));
    }
    return report(meter.parts(), arguments);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        Arguments arguments;
        arguments.children = argc > 1 ? std::stoull(argv[1]) : arguments.children;
        arguments.per_ticket = argc > 2 ? std::stoll(argv[2]) : arguments.per_ticket;
        arguments.lineage = argc > 3 ? std::string(argv[3]) == "live" : arguments.lineage;
        arguments.shipped = argc > 4 && std::string(argv[4]) == "shipped";
        std::string name = (fs::temp_directory_path() / "atoll_engine_XXXXXX").string();
        arguments.folder = argc > 5 ? fs::path(argv[5]) : fs::path(::mkdtemp(name.data()));
        const int status = bench(arguments);
        if (argc <= 5) {
            fs::remove_all(arguments.folder);
        }
        return status;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "bench_engine: %s\n", error.what());
        return 2;
    }
}
