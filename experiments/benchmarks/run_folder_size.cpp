/// How large is a run folder? Writes the run of a language-model campaign that never happened:
/// candidates of about 4 KB descend from the shipped starters by edits of a few lines, each with a
/// 12 KB prompt (8 KB of instructions, then the parent's source), a reply with the whole new source
/// and a verdict with raw samples. Texts, events and order are those of a real campaign; only the
/// times are drawn. Prints the bytes of each part, and fails when the folder passes the limit.
///
///     bench_run_folder [CANDIDATES=3000] [FOLDER=a temporary one, removed]

#include "population/lineage/lineage.hpp"
#include "population/migration.hpp"
#include "population/run_folder.hpp"
#include "population/snapshot.hpp"
#include "reward/base/rng.hpp"
#include "reward/verdict.hpp"

#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

using namespace atl;

constexpr std::uint64_t k_limit_bytes_per_candidate = 10'000;  // 30 MB for 3,000
constexpr std::size_t k_source_bytes = 4096;
constexpr std::size_t k_instruction_bytes = 8192;
constexpr std::uint32_t k_islands = 4;

void require(const Status& status) {
    value_or_throw(status);
}

/// The shipped starters, each repeated or cut to 4 KB at a line's end.
std::vector<std::string> starters() {
    std::vector<fs::path> paths;
    for (const auto& task : fs::directory_iterator(ATOLL_SOURCE_DIR "/experiments/tasks")) {
        if (fs::is_directory(task.path() / "starters")) {
            for (const auto& entry : fs::directory_iterator(task.path() / "starters")) {
                paths.push_back(entry.path());
            }
        }
    }
    std::sort(paths.begin(), paths.end());
    std::vector<std::string> sources;
    for (const fs::path& path : paths) {
        const std::string text = value_or_throw(read_file(path, 1 << 20));
        std::string source = text;
        while (source.size() < k_source_bytes) {
            source += text;
        }
        source.resize(source.rfind('\n', k_source_bytes) + 1);
        sources.push_back(std::move(source));
    }
    return sources;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        lines.push_back(line);
    }
    return lines;
}

/// What a model typically does: renumber, rewrite, add and drop a few lines.
std::string edited(const std::string& source, CounterRng& random) {
    static const std::vector<std::string> words = {"acc",  "tile", "row",   "col",  "block",
                                                   "lane", "sum",  "scale", "next", "offset"};
    const auto word = [&random] { return words[random.below(words.size())]; };
    std::vector<std::string> lines = lines_of(source);
    for (std::uint64_t edits = 2 + random.below(6); edits > 0; --edits) {
        const auto at = static_cast<std::ptrdiff_t>(random.below(lines.size()));
        const std::string number = std::to_string(random.below(512));
        switch (random.below(4)) {
            case 0:
                lines[static_cast<std::size_t>(at)] = "        " + word() + "_" + number +
                                                      " += " + word() + "[i * " + word() +
                                                      " + j] * " + word() + "[" + number + "];";
                break;
            case 1:
                lines.insert(lines.begin() + at, "        const int " + word() + number + " = " +
                                                     word() + " * " + number + " + " + word() +
                                                     ";");
                break;
            case 2:
                lines.insert(lines.begin() + at,
                             "    // Keep the " + word() + " of each " + word() + " in registers.");
                break;
            default:
                lines.erase(lines.begin() + at);
        }
    }
    std::string text;
    for (const std::string& line : lines) {
        text += line + "\n";
    }
    while (text.size() < k_source_bytes - 200) {
        text += "static inline float " + word() + std::to_string(random.below(10000)) +
                "(float x) { return x * " + std::to_string(random.below(1000)) + ".0f; }\n";
    }
    return text.substr(0, text.rfind('\n', k_source_bytes + 200) + 1);
}

std::string instructions(const std::vector<std::string>& sources) {
    std::string text =
        "You improve a kernel. Answer with the whole program in one code block. These are other "
        "programs for other tasks, for their style:\n\n";
    for (std::size_t i = 0; text.size() < k_instruction_bytes; ++i) {
        text += sources[i % sources.size()];
    }
    text.resize(k_instruction_bytes);
    return text + "\n\nThe program to improve follows. ";
}

std::string verdict_json(CounterRng& random, double time_ns) {
    Verdict verdict;
    verdict.outcome = Outcome::passed;
    verdict.stage = Stage::measure;
    verdict.kind = "cpu_cpp";
    verdict.device = "cpu:1 a processor";
    verdict.toolchain = "g++ 12.2.0";
    verdict.compile =
        CompileReport{"g++ 12.2.0", {"-O3", "-march=native"},   0.5 + random.uniform(),
                      false,        16000 + random.below(9000), ""};
    for (int i = 0; i < 8; ++i) {
        VerifyCase one;
        one.workload = "workload-" + std::to_string(i % 4);
        one.distribution = i < 4 ? "normal" : "uniform";
        one.hidden = i % 2 == 1;
        one.passed = true;
        one.max_abs_error = random.uniform() * 1e-5;
        one.max_rel_error = random.uniform() * 1e-4;
        verdict.verify.push_back(std::move(one));
    }
    verdict.measure = MeasureReport{"cpu-cold-v5", {}, {}};
    for (int i = 0; i < 3; ++i) {
        WorkloadTiming timing;
        timing.workload = "workload-" + std::to_string(i);
        for (int sample = 0; sample < 20; ++sample) {
            timing.samples_ns.push_back(std::round(time_ns * (1 + 0.05 * random.uniform())));
        }
        timing.median_ns = timing.samples_ns[10];
        timing.low_ns = timing.samples_ns[3];
        timing.high_ns = timing.samples_ns[17];
        timing.anchor_ratio = 1 + 0.01 * random.uniform();
        timing.clock_ratio = 1 + 0.1 * random.uniform();
        timing.light_ns = 12345.0;
        timing.reverified = 2;
        verdict.measure->workloads.push_back(std::move(timing));
    }
    for (const Stage stage : {Stage::lint, Stage::compile, Stage::verify, Stage::measure}) {
        verdict.stage_times.push_back({stage, random.uniform()});
    }
    verdict.timed_seconds = random.uniform();
    return to_json(verdict);
}

/// Writes the run through the same journal, state and lineage writer that a campaign uses.
class SyntheticRun {
  public:
    explicit SyntheticRun(const fs::path& path)
        : m_run(value_or_throw(RunFolder::create(path))),
          m_journal(value_or_throw(JournalWriter::open(m_run.journal()))),
          m_lineage(value_or_throw(LineageWriter::create(m_run.lineage(), LineageMode::live))),
          m_state({k_islands, {"ranked", 32, 0.15}, 0.95}),
          m_starters(starters()),
          m_instructions(instructions(m_starters)) {}

    void write(std::uint64_t candidates) {
        record(CampaignStarted{"0.1.0", "[campaign]\n", "synthetic", content_id("task"), "cpu",
                               "fingerprint", 1, 0});
        record(SessionOpened{0, 0, "cpu"});
        for (std::uint64_t ticket = 0; ticket < candidates; ++ticket) {
            evaluate(ticket);
            require(m_journal->sync());
            if (ticket % 32 == 31) {
                require(m_lineage->flush());
            }
            if (ticket % 500 == 499) {
                require(write_snapshot(m_run, m_state, m_journal->position()));
            }
        }
        record(CampaignStopped{"all candidates written", true, 0});
        require(m_journal->sync());
        require(m_lineage->close());
    }

    [[nodiscard]] const RunFolder& folder() const { return m_run; }
    /// Unpacked and packed bytes of each kind of text.
    [[nodiscard]] const std::map<std::string, std::pair<std::uint64_t, std::uint64_t>>& texts()
        const {
        return m_texts;
    }
    [[nodiscard]] std::uint64_t event_bytes() const { return m_event_bytes; }

  private:
    void record(const Event& event) {
        const std::uint64_t before = m_journal->position();
        const std::uint64_t index = m_journal->event_count();
        require(m_journal->append(event));
        m_event_bytes += m_journal->position() - before;
        require(m_state.apply(event));
        require(m_lineage->add(event, index, *m_journal));
    }

    Digest put(const std::string& kind, const std::string& text, const Digest& similar = {}) {
        const std::uint64_t before = m_journal->position();
        const Digest id = value_or_throw(m_journal->put_text(text, similar));
        m_texts[kind].first += text.size();
        m_texts[kind].second += m_journal->position() - before;
        return id;
    }

    void evaluate(std::uint64_t ticket) {
        CounterRng random(1, RngPurpose::operator_body, ticket);
        const auto island = static_cast<std::uint32_t>(ticket % k_islands);
        const auto members = m_state.islands()[island].archive.entries();
        const Individual* parent =
            members.empty() ? nullptr : m_state.find(members[random.below(members.size())].id);
        TicketIssued issued{ticket,
                            island,
                            0.25,
                            parent != nullptr ? "rewrite" : "starter",
                            0.7,
                            {},
                            m_state.commits(),
                            static_cast<std::int64_t>(ticket) << 30};
        if (parent != nullptr) {
            issued.parents = {{parent->id, ParentRole::base, 1.0 / 32}};
        }
        record(issued);
        record(Evaluated{make(issued, parent, random)});
        record(TicketCommitted{ticket, random.uniform(), issued.at_ns, 0.5, 0.5});
        for (const Migrated& migrated :
             due_migrations(m_state, make_topology("ring", k_islands, 0.5), {}, 1)) {
            record(migrated);
        }
    }

    Individual make(const TicketIssued& issued, const Individual* parent, CounterRng& random) {
        Individual made;
        made.id = IndividualId::make(issued.ticket, 0);
        made.island = issued.island;
        made.operator_name = issued.operator_name;
        made.parents = issued.parents;
        made.starter = parent != nullptr ? parent->starter : "starter";
        made.tune = {{"TILE", std::to_string(8u << random.below(4))},
                     {"UNROLL", std::to_string(1u << random.below(4))}};
        std::string source = m_starters[issued.island];
        if (parent != nullptr) {
            const std::string before = value_or_throw(m_journal->text(parent->source));
            source = edited(before, random);
            made.description = "Keeps the accumulators in registers and unrolls the inner loop.";
            made.prompt =
                put("prompts", m_instructions + "It takes " + std::to_string(parent->time_ns) +
                                   " ns; attempt " + std::to_string(issued.ticket) +
                                   " of the campaign.\n\n" + before);
            made.reply = put("replies", "Here is the improved program.\n\n```cpp\n" + source +
                                            "```\n\nIt keeps " + std::to_string(random.below(99)) +
                                            " values in registers.\n");
        }
        made.source = put("sources", source, parent != nullptr ? parent->source : Digest{});
        made.key = content_id(source + std::to_string(issued.ticket));
        made.outcome = Outcome::passed;
        made.fitness =
            (parent != nullptr ? parent->fitness : 1.0) * (0.8 + 0.25 * random.uniform());
        made.time_ns = 1e6 / made.fitness;
        made.verdict = put("verdicts", verdict_json(random, made.time_ns),
                           parent != nullptr ? parent->verdict : Digest{});
        return made;
    }

    RunFolder m_run;
    std::unique_ptr<JournalWriter> m_journal;
    std::unique_ptr<LineageWriter> m_lineage;
    CampaignState m_state;
    std::vector<std::string> m_starters;
    std::string m_instructions;
    std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> m_texts;
    std::uint64_t m_event_bytes = 0;
};

std::uint64_t bytes_below(const fs::path& path) {
    std::uint64_t sum = fs::is_directory(path) ? 0 : fs::file_size(path);
    if (fs::is_directory(path)) {
        for (const auto& entry : fs::recursive_directory_iterator(path)) {
            sum += entry.is_regular_file() ? entry.file_size() : 0;
        }
    }
    return sum;
}

void print_row(const std::string& name, std::uint64_t bytes, const std::string& remark = {}) {
    std::printf("%-24s %9.3f MB  %s\n", name.c_str(), static_cast<double>(bytes) / 1e6,
                remark.c_str());
}

int report(const SyntheticRun& run, std::uint64_t candidates, double seconds) {
    const RunFolder& folder = run.folder();
    std::printf("%llu candidates written in %.1f s, one fsync each\n\n",
                static_cast<unsigned long long>(candidates), seconds);
    print_row("journal", bytes_below(folder.journal()));
    for (const auto& [kind, bytes] : run.texts()) {
        char remark[64];
        std::snprintf(remark, sizeof(remark), "of %.1f MB", static_cast<double>(bytes.first) / 1e6);
        print_row("    " + kind, bytes.second, remark);
    }
    print_row("    events", run.event_bytes());
    print_row("snapshots", bytes_below(folder.snapshots()), "the newest three");
    print_row("lineage.h5", bytes_below(folder.lineage()), "as streamed");
    const std::uint64_t total = bytes_below(folder.path());
    const std::uint64_t limit = candidates * k_limit_bytes_per_candidate;
    print_row("run folder", total);
    print_row("limit", limit, total <= limit ? "kept" : "PASSED");
    const fs::path rebuilt = folder.path() / "rebuilt.h5";
    require(rebuild_lineage(folder.path(), rebuilt));
    print_row("lineage.h5, rebuilt", bytes_below(rebuilt), "not in the sum");
    fs::remove(rebuilt);
    return total <= limit ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) try {
    const std::uint64_t candidates = argc > 1 ? std::stoull(argv[1]) : 3000;
    std::string temporary = (fs::temp_directory_path() / "atoll_run_XXXXXX").string();
    const fs::path path = argc > 2 ? fs::path(argv[2]) : fs::path(::mkdtemp(temporary.data()));
    const auto start = std::chrono::steady_clock::now();
    SyntheticRun run(path);
    run.write(candidates);
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    const int status = report(run, candidates, elapsed.count());
    if (argc <= 2) {
        fs::remove_all(path);
    }
    return status;
} catch (const std::exception& error) {
    std::fprintf(stderr, "bench_run_folder: %s\n", error.what());
    return 2;
}
