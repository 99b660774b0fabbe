#include "tests/puzzles/puzzle.hpp"

#include "reward/source_text.hpp"
#include "search/replay.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>

namespace atl::testing {

namespace {

constexpr int k_draws = 16;  // drafts tried before everything near counts as known
constexpr double k_nearly = 1 - 1e-9;

// By value: a coroutine's reference parameters would dangle.
OperatorRun run_scripted(OperatorInput in, Scripted::Edit edit) {
    const Candidate base = in.parents.at(0).candidate;
    const Genome genome = read_genome(base.source);
    const std::string head = base.source.substr(0, base.source.find("// region:"));
    for (int draw = 0; draw < k_draws; ++draw) {
        Scripted::Draft draft{genome, base.tune};
        edit(draft, in.rng);
        Proposal proposal;
        proposal.candidate = base;
        proposal.candidate.source = write_source(draft.genome, head);
        proposal.candidate.tune = draft.tune;
        if (!in.known(proposal.candidate)) {
            co_await ask(std::move(proposal));
            co_return;
        }
    }
}

TaskPtr task_of(const Puzzle& puzzle) {
    auto task = std::make_shared<Task>();
    task->name = "puzzle";
    task->folder = "puzzle";
    task->starters = puzzle.starters;
    Workload workload;
    workload.id = "w0";
    task->workloads = {workload};
    return task;
}

OperatorRegistry operators_of(const Puzzle& puzzle) {
    OperatorRegistry registry = shipped_operators();
    for (const Scripted& scripted : puzzle.operators) {
        registry.add(scripted.name(), [scripted](const auto&) { return Operator(scripted); });
    }
    return registry;
}

double speed_of_first(const Puzzle& puzzle) {
    return puzzle.speed({"cpu_cpp", puzzle.starters.front().source, {}, {}});
}

// Evaluations up to the individual that solved it.
std::optional<std::uint64_t> needed(const CampaignState& state, double target) {
    std::uint64_t evaluations = 0;
    for (const Individual& individual : state.individuals()) {
        evaluations += individual.duplicate ? 0 : 1;
        if (individual.fitness >= target) {
            return evaluations;
        }
    }
    return std::nullopt;
}

void expect_same_decisions(const Campaign& campaign) {
    auto reader = JournalReader::open(campaign.path() / "journal");
    ASSERT_TRUE(reader) << reader.error().message();
    std::vector<Event> events;  // reading them is how the reader learns where texts are
    const Status status = (*reader)->for_each(0, [&](const JournalReader::Entry& entry) {
        events.push_back(entry.event);
        return Status();
    });
    ASSERT_TRUE(status) << status.error().message();
    const auto replay =
        replay_decisions(events, **reader, campaign.config, campaign.task, campaign.operators);
    ASSERT_TRUE(replay) << replay.error().message();
    EXPECT_THAT(replay->differences, ::testing::IsEmpty());
}

}  // namespace

std::string write_source(const Genome& genome, const std::string& head) {
    std::string source = head;
    for (const auto& [name, value] : genome) {
        source += fmt::format("// region: {0}\nint {0} = {1};\n// endregion: {0}\n", name, value);
    }
    return source;
}

Genome read_genome(const std::string& source) {
    Genome genome;
    for (const Region& region : marked_regions(source)) {
        const std::string text = source.substr(region.begin, region.end - region.begin);
        genome[region.name] = std::atoi(text.substr(text.find('=') + 1).c_str());
    }
    return genome;
}

std::string macro_definition(const std::string& name, int values) {
    std::string list = "1";
    for (int value = 2; value <= values; ++value) {
        list += ", " + std::to_string(value);
    }
    return fmt::format("#ifndef {0}\n#define {0} 1  // tune: {1}\n#endif\n", name, list);
}

int macro_value(const Candidate& candidate, const std::string& name) {
    const auto chosen = candidate.tune.find(name);
    return chosen == candidate.tune.end() ? 1 : std::atoi(chosen->second.c_str());
}

OperatorRun Scripted::start(const OperatorInput& input) const {
    return run_scripted(input, m_edit);
}

CampaignConfig puzzle_config() {
    CampaignConfig config;
    config.campaign.task = "puzzle";
    config.islands.count = 1;
    config.engine.commit_order = "ticket";
    config.engine.tickets_in_flight = 2;
    config.confirm.min_gain = 100;
    return config;
}

std::string Played::text() const {
    std::string text = fmt::format("solved {} of {} seeds", needed.size(), k_seeds);
    if (!needed.empty()) {
        text += fmt::format(", in {} to {} evaluations, median {}", needed.front(), needed.back(),
                            needed[needed.size() / 2]);
    }
    return text;
}

Played play(const Puzzle& puzzle, const CampaignConfig& config) {
    const double target = puzzle.optimum / speed_of_first(puzzle) * k_nearly;
    FakeEvaluatorOptions options;
    options.time_ns = [&](const Candidate& candidate) { return 1e6 / puzzle.speed(candidate); };
    Played played;
    for (int seed = 1; seed <= k_seeds; ++seed) {
        Campaign campaign(config, task_of(puzzle));
        campaign.operators = operators_of(puzzle);
        campaign.config.campaign.seed = seed;
        campaign.config.stop.max_evaluations = puzzle.allowed;
        campaign.config.stop.target_fitness = target;
        const auto report = campaign.run(options);
        if (!report) {
            ADD_FAILURE() << report.error().message();
            continue;
        }
        EXPECT_FALSE(report->fault);
        if (seed == 1) {
            expect_same_decisions(campaign);
        }
        const auto evaluations = needed(report->state, target);
        // In ticket order a few beyond the budget may be in flight.
        if (evaluations && *evaluations <= static_cast<std::uint64_t>(puzzle.allowed)) {
            played.needed.push_back(*evaluations);
        }
    }
    std::sort(played.needed.begin(), played.needed.end());
    return played;
}

void expect_needed(const Puzzle& puzzle, const std::vector<Without>& mechanisms) {
    const Played complete = play(puzzle, puzzle.config);
    std::cout << "allowed " << puzzle.allowed << " evaluations\n  complete: " << complete.text()
              << '\n';
    EXPECT_GE(complete.solved(), k_must_solve);
    for (const auto& [mechanism, config] : mechanisms) {
        const Played missing = play(puzzle, config);
        std::cout << "  without " << mechanism << ": " << missing.text() << '\n';
        EXPECT_LE(missing.solved(), k_may_solve) << mechanism;
    }
}

}  // namespace atl::testing
