/// How long does a resume take, and how much memory does an individual? Writes the journal of a
/// campaign of tuned kernels (a ticket, an evaluation with a verdict of its own and a commit for
/// each individual) with snapshots where a campaign takes them, then opens it as `atoll resume`
/// does. Prints bytes, seconds and events per second, and fails above 5 s per 1,000,000 events.
///
///     bench_resume [EVENTS=50000] [FOLDER=a temporary one, removed]

#include "population/journal/journal.hpp"
#include "population/run_folder.hpp"
#include "population/snapshot.hpp"
#include "reward/base/rng.hpp"

#include <malloc.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>

namespace fs = std::filesystem;

namespace {

using namespace atl;

constexpr double k_limit_seconds_per_event = 5e-6;
constexpr std::uint64_t k_batch_tickets = 64;
constexpr std::uint32_t k_islands = 4;

void require(const Status& status) {
    value_or_throw(status);
}

double seconds_since(std::chrono::steady_clock::time_point begin) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

StateSettings settings() {
    return {k_islands, {"ranked", 32, 0.15}, 0.95};
}

Individual individual(std::uint64_t ticket, const CampaignState& state, JournalWriter& journal,
                      const Digest& source) {
    CounterRng random(1, RngPurpose::operator_body, ticket);
    Individual made;
    made.id = IndividualId::make(ticket, 0);
    made.island = static_cast<std::uint32_t>(ticket % k_islands);
    made.key = content_id("key " + std::to_string(ticket));
    made.source = source;
    TuneValues::Map tune;
    for (const char* name : {"BLOCK_M", "BLOCK_N", "UNROLL"}) {
        tune[name] = std::to_string(1u << random.below(9));
    }
    made.tune = tune;
    made.flags = {"-funroll-loops"};
    made.starter = "tiled";
    if (const ArchiveEntry* best = state.islands()[made.island].archive.best()) {
        made.parents = {{best->id, ParentRole::base, 0.25}};
    }
    made.operator_name = "tune";
    made.description = "BLOCK_M from 32 to 64, UNROLL from 4 to 8";
    made.outcome = Outcome::passed;
    made.fitness = 1 + random.uniform();
    made.time_ns = 1e6 / made.fitness;
    std::string verdict = R"({"outcome":"passed","stage":"measure","samples_ns":[)";
    for (int i = 0; i < 40; ++i) {
        verdict += std::to_string(made.time_ns + 1000 * random.uniform()) + ",";
    }
    made.verdict = value_or_throw(journal.put_text(verdict + "0]}"));
    return made;
}

/// In use; large blocks, which are mapped one by one, included.
std::size_t heap_bytes() {
    const struct mallinfo2 info = ::mallinfo2();
    return info.uordblks + info.hblkhd;
}

/// Gives the heap that the state holds, in bytes per individual.
std::size_t write_run(const fs::path& path, std::uint64_t events) {
    const RunFolder run = value_or_throw(RunFolder::create(path));
    const auto journal = value_or_throw(JournalWriter::open(run.journal()));
    CampaignState state(settings());
    const auto record = [&](const Event& event) {
        require(journal->append(event));
        require(state.apply(event));
    };
    record(CampaignStarted{"0.1.0", "[campaign]\n", "synthetic", content_id("task"), "cpu",
                           "fingerprint", 1, 0});
    record(SessionOpened{0, 0, "cpu"});
    const Digest source = value_or_throw(journal->put_text("int main() {}\n"));
    const std::uint64_t last_snapshot = events - events / 5;
    const auto begin = std::chrono::steady_clock::now();
    double snapshot_seconds = 0;
    for (std::uint64_t ticket = 0; state.events_applied() < events; ++ticket) {
        const Individual made = individual(ticket, state, *journal, source);
        record(TicketIssued{ticket, made.island, 0.25, "tune", 0.7, made.parents, state.commits(),
                            static_cast<std::int64_t>(ticket)});
        record(Evaluated{made});
        record(TicketCommitted{ticket, 0, static_cast<std::int64_t>(ticket), 0.5, 0.5});
        if (ticket % k_batch_tickets == 0) {
            require(journal->sync());
        }
        if (snapshot_seconds == 0 && state.events_applied() >= last_snapshot) {
            require(journal->sync());
            const auto snapshot = std::chrono::steady_clock::now();
            require(write_snapshot(run, state, journal->position()));
            snapshot_seconds = seconds_since(snapshot);
        }
    }
    require(journal->sync());
    const double seconds = seconds_since(begin) - snapshot_seconds;
    std::printf("written: %.0f events/s, journal of %.0f MB, a snapshot in %.2f s\n",
                static_cast<double>(events) / seconds,
                static_cast<double>(fs::file_size(run.journal())) / 1e6, snapshot_seconds);
    const std::size_t before = heap_bytes();
    const std::size_t individuals = state.individuals().size();
    state = CampaignState(settings());
    return (before - heap_bytes()) / individuals;
}

int bench(const fs::path& path, std::uint64_t events) {
    const std::size_t bytes = write_run(path, events);
    std::printf("memory: %zu bytes per individual\n", bytes);
    const auto begin = std::chrono::steady_clock::now();
    const RunFolder run = value_or_throw(RunFolder::open(path));
    LoadedRun loaded = value_or_throw(load_run(run, settings()));
    const double load_seconds = seconds_since(begin);
    const auto journal =
        value_or_throw(JournalWriter::open_after(run.journal(), std::move(loaded.journal)));
    const double seconds = seconds_since(begin);
    std::printf("resume: %.2f s (%.2f s to load, %llu of %llu events replayed)\n", seconds,
                load_seconds, static_cast<unsigned long long>(loaded.replayed_events),
                static_cast<unsigned long long>(journal->event_count()));
    const double limit = k_limit_seconds_per_event * static_cast<double>(events);
    const bool passed = seconds <= limit && bytes < 1024;
    std::printf("%s: limit %.2f s, 1024 bytes\n", passed ? "passed" : "FAILED", limit);
    return passed ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const std::uint64_t events = argc > 1 ? std::stoull(argv[1]) : 50'000;
        std::string name = (fs::temp_directory_path() / "atoll_resume_XXXXXX").string();
        const fs::path path = argc > 2 ? fs::path(argv[2]) : fs::path(::mkdtemp(name.data()));
        const int status = bench(path, events);
        if (argc <= 2) {
            fs::remove_all(path);
        }
        return status;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "bench_resume: %s\n", error.what());
        return 2;
    }
}
