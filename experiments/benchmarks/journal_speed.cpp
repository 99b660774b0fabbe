/// How many events a second does the journal make durable, and how far is that from what the disk
/// can? Appends the events of tuned children in batches, one sync() for each batch, and, in turn
/// with it, writes the same bytes to a plain file with the same number of fsyncs. Fails when the
/// largest batch is below 10,000 durable events a second.
///
///     bench_journal [EVENTS=20000] [FOLDER=a temporary one, removed]

#include "population/journal/journal.hpp"
#include "reward/base/files.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

using namespace atl;

constexpr double k_least_rate = 10'000;
constexpr std::uint64_t k_batches[] = {1, 10, 100, 1000};
constexpr std::uint64_t k_most_syncs = 500;  // so that batches of one event take seconds, no more

double seconds_since(std::chrono::steady_clock::time_point begin) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// The three events of a child in turn.
Event event(std::uint64_t index) {
    const std::uint64_t ticket = index / 3;
    const std::vector<Parent> parents = {
        {IndividualId::make(ticket / 2, 0), ParentRole::base, 0.03125}};
    if (index % 3 == 0) {
        return TicketIssued{ticket, 1, 0.5, "tune", 0.7, parents, ticket, 1'000'000};
    }
    if (index % 3 == 2) {
        return TicketCommitted{ticket, 0.125, 2'000'000, 0.5, 0.25};
    }
    Individual made;
    made.id = IndividualId::make(ticket, 0);
    made.key = content_id(std::to_string(ticket));
    made.tune = {{"BLOCK_M", "64"}, {"BLOCK_N", "128"}, {"UNROLL", "4"}};
    made.flags = {"-funroll-loops"};
    made.starter = "tiled";
    made.parents = parents;
    made.operator_name = "tune";
    made.description = "BLOCK_M from 32 to 64, UNROLL from 4 to 8";
    made.outcome = Outcome::passed;
    made.fitness = 1.5;
    made.time_ns = 1e6;
    return Evaluated{made};
}

struct Sample {
    double journal = 0;  // seconds
    double plain = 0;
    std::uint64_t bytes = 0;
    std::uint64_t events = 0;
};

Sample sample(const fs::path& folder, std::uint64_t events, std::uint64_t batch) {
    events = std::min(events, k_most_syncs * batch);
    std::vector<std::uint64_t> ends;
    Sample result;
    result.events = events;
    const fs::path path = folder / "journal";
    {
        const auto journal = value_or_throw(JournalWriter::open(path));
        const auto begin = std::chrono::steady_clock::now();
        for (std::uint64_t i = 0; i < events; ++i) {
            value_or_throw(journal->append(event(i)));
            if ((i + 1) % batch == 0 || i + 1 == events) {
                value_or_throw(journal->sync());
                ends.push_back(journal->position());
            }
        }
        result.journal = seconds_since(begin);
        result.bytes = journal->position();
    }
    const std::string bytes = value_or_throw(read_file(path, 1u << 30));
    const fs::path copy = folder / "plain";
    const FileHandle plain(::open(copy.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600));
    const auto begin = std::chrono::steady_clock::now();
    std::uint64_t written = 0;
    for (const std::uint64_t end : ends) {
        const auto size = static_cast<std::size_t>(end - written);
        if (::write(plain.get(), bytes.data() + written, size) != static_cast<ssize_t>(size) ||
            ::fsync(plain.get()) != 0) {
            throw std::runtime_error("the plain file cannot be written");
        }
        written = end;
    }
    result.plain = seconds_since(begin);
    fs::remove(path);
    fs::remove(copy);
    return result;
}

int bench(const fs::path& folder, std::uint64_t events) {
    std::printf("events per fsync   durable events/s   plain write+fsync   share   bytes/event\n");
    double best = 0;
    for (const std::uint64_t batch : k_batches) {
        const Sample s = sample(folder, events, batch);
        const auto count = static_cast<double>(s.events);
        best = std::max(best, count / s.journal);
        std::printf("%16llu   %16.0f   %17.0f   %4.0f %%   %11.0f\n",
                    static_cast<unsigned long long>(batch), count / s.journal, count / s.plain,
                    100 * s.plain / s.journal, static_cast<double>(s.bytes) / count);
    }
    const bool passed = best >= k_least_rate;
    std::printf("%s: limit %.0f durable events/s in batches\n", passed ? "passed" : "FAILED",
                k_least_rate);
    return passed ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const std::uint64_t events = argc > 1 ? std::stoull(argv[1]) : 20'000;
        std::string name = (fs::temp_directory_path() / "atoll_journal_XXXXXX").string();
        const fs::path folder = argc > 2 ? fs::path(argv[2]) : fs::path(::mkdtemp(name.data()));
        const int status = bench(folder, events);
        if (argc <= 2) {
            fs::remove_all(folder);
        }
        return status;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "bench_journal: %s\n", error.what());
        return 2;
    }
}
