#include "search/config.hpp"

#include "mutators/model/model_config.hpp"
#include "mutators/operators/model_operators.hpp"
#include "population/archives/grid.hpp"
#include "population/topology.hpp"
#include "reward/base/files.hpp"
#include "reward/gpu/protocols.hpp"
#include "reward/score.hpp"
#include "search/bandits/bandit.hpp"
#include "search/measures.hpp"
#include "search/novelty.hpp"
#include "search/selectors/selector.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace atl {

namespace {

constexpr std::uint64_t k_max_config_bytes = 1 << 20;
constexpr std::size_t k_longest_strategy = 4096;

void declare_campaign(CampaignSettings& s, SettingVisitor& v) {
    v.text("campaign.task", s.task,
           "Task to work on: a name (`atoll task list`) or a folder; a relative one starts at the "
           "current folder, not at that of this file.");
    v.choice("campaign.kind", s.kind, {"", "cpu_cpp", "cuda"},
             "Kind of the candidates, where the task has several; empty: the task's own.");
    v.name("campaign.name", s.name, "Names the run folder; empty: the task's name.");
    v.integer(
        "campaign.seed", s.seed, {0, INT64_MAX},
        "Random seed: with commit order \"ticket\" and equal verdicts, equal seeds give equal "
        "campaigns.");
    v.integer("campaign.schema", s.schema, {1, INT64_MAX},
              "Version of the config's form; a program refuses a newer one than it knows.");
}

void declare_evaluation(EvaluationSettings& s, SettingVisitor& v) {
    v.text("evaluation.reward", s.reward,
           "Address of a server (`atoll serve`) that evaluates in place of this machine: "
           "tcp://HOST:PORT, tls://HOST:PORT or unix:PATH. Devices, compiler and limits are then "
           "its own, whatever the keys below say, but for cutoff_factor, deadline_s and retries. "
           "Its token, if it has one, is taken from $ATOLL_TOKEN. Empty: this machine.");
    v.integer("evaluation.device_cores", s.device_cores, {1, 256},
              "Cores of one CPU device; candidates are pinned to them.");
    v.integer("evaluation.devices", s.devices, {1, 256}, "CPU devices measuring at once.");
    v.integer("evaluation.gpu", s.gpu, {0, 1023},
              "Number of the GPU that measures where candidates are of kind cuda.");
    v.text("evaluation.cutlass", s.cutlass,
           "Clone of CUTLASS, or its folder of headers, that candidates of kind cuda may include; "
           "empty: $ATOLL_CUTLASS, else none.");
    v.integer("evaluation.compile_workers", s.compile_workers, {0, 256},
              "Compilers at work at once; 0: one per core that belongs to no device.");
    v.text("evaluation.compiler", s.compiler,
           "Compiler of the candidates; empty: $CXX, g++, c++, clang++ in that order.");
    v.choice("evaluation.sandbox", s.sandbox, {"full", "restricted", "none"},
             "Sandbox level below which nothing is run (`atoll doctor` shows what there is).");
    v.integer("evaluation.memory_mb", s.memory_mb, {64, 1 << 20},
              "Memory cap of one candidate, MiB.");
    v.real("evaluation.compile_timeout_s", s.compile_timeout_s, {0.1, 3600},
           "Seconds a compiler may take.");
    v.real("evaluation.launch_timeout_s", s.launch_timeout_s, {0.01, 3600},
           "Seconds one launch of a candidate may take; those that verify it may take ten times as "
           "long together, and twice that in a confirmation.");
    v.real("evaluation.confidence", s.confidence, {0.0001, 0.5},
           "Timing goes on until the confidence interval's half width is this share of the median, "
           "or measure_seconds are spent; a disturbed machine adds up to half of that.");
    v.real(
        "evaluation.measure_seconds", s.measure_seconds, {0.001, 600},
        "Cap of the timed launches of one workload that met an undisturbed machine, seconds; with "
        "disturbed ones up to 1.5 times as long and as many.");
    v.choice("evaluation.protocol", s.protocol, gpu_protocol_names(),
             "How CUDA candidates are timed, but in confirmations, which take the default one "
             "(reward/gpu/README.md, \"Protocols\"); C++ ones have one way only.");
    v.real("evaluation.cutoff_factor", s.cutoff_factor, {0, 1000},
           "A candidate whose first three launches take more than 1.5 times this many times its "
           "parent's time is not measured in full; 0: measure all.");
    v.integer(
        "evaluation.deadline_s", s.deadline_s, {1, 86400},
        "Seconds after which an evaluation counts as lost and is tried again; longer where the "
        "other limits let it, and those ahead of it, take longer.");
    v.integer("evaluation.retries", s.retries, {0, 100},
              "Times an evaluation that failed through no fault of the candidate is tried again.");
}

void declare_tree_selectors(SelectorSettings& s, SettingVisitor& v) {
    v.real("selector.temperature", s.temperature, {1e-6, 1e6},
           "How little clusters prefers fit clusters: fitness over this is the exponent.");
    v.integer(
        "selector.temperature_period", s.temperature_period, {1, 1'000'000'000},
        "Right individuals of an island after which its clusters' temperature, which falls to "
        "0, begins anew.");
    v.real("selector.cluster_width", s.cluster_width, {1e-9, 10},
           "How much fitness and measures of one cluster may differ (0.02 = 2 %).");
    v.integer("selector.beam", s.beam, {1, 100'000}, "Individuals in the beam.");
    v.real("selector.tree_exploration", s.tree_exploration, {0, 1000},
           "How much uct prefers what it seldom went to.");
    v.real("selector.tree_max_weight", s.tree_max_weight, {0, 1},
           "What uct goes by: 0 the mean reward below an individual, 1 the largest.");
    v.real("selector.large_steps", s.large_steps, {0, 1},
           "Share of uct's steps that are large while few small ones were taken from the base.");
    v.integer("selector.small_step_limit", s.small_step_limit, {0, 1'000'000},
              "Small steps from one individual after which uct takes large ones only.");
}

void declare_population(CampaignConfig& c, SettingVisitor& v) {
    v.integer("islands.count", c.islands.count, {1, 64}, "Islands that evolve side by side.");
    v.choice(
        "islands.starters", c.islands.starters, {"spread", "all", "first"},
        "Which starters an island begins with: spread gives each island another one, all gives "
        "every island all, first gives every island the first.");
    v.choice(
        "islands.spawn", c.islands.spawn.founder, spawn_founders(),
        "What a further island begins with when the best has not risen for spawn_after commits: "
        "any starter, the best, any member of an archive (random); none: islands stay as many "
        "as there are.");
    v.integer("islands.spawn_after", c.islands.spawn.after_commits, {1, 1'000'000'000},
              "Commits without a better best, and since the last island was added, after which "
              "another is.");
    v.integer("islands.most", c.islands.spawn.most, {1, k_max_islands},
              "Islands altogether beyond which none is added.");
    v.choice("archive.kind", c.archive.kind, archive_names(),
             "What decides who stays: the fittest (ranked), the fittest of each cell of a grid "
             "(grid, MAP-Elites), or those that no other beats in everything (pareto).");
    v.integer("archive.size", c.archive.size, {1, 100'000},
              "Individuals that an island keeps, kinds ranked and pareto.");
    v.real("archive.crowding_distance", c.archive.crowding_distance, {0, 1},
           "Kind ranked: individuals closer than this (0 equal, 1 nothing in common) compete for "
           "one place.");
    v.texts(
        "archive.axes", c.archive.axes,
        "Axes of the grid, at most 16, each a measure, its low and high end and a number of "
        "bins. Measures are source_bytes, binary_bytes, memory_bytes (peak memory of its own "
        "while it is verified), flags, starter, error, time, time:WORKLOAD, tune:MACRO and "
        "score:NAME; code:FACT, read from the machine code (text_bytes, data_bytes, imports of "
        "kind cpu_cpp; instructions, tensor, loads, wide_loads, shared, async_copies, barriers, "
        "warp, atomics, memory_level, sync_level of GPU kinds); and of GPU kinds registers, "
        "shared_bytes, spill_bytes, occupancy, block_threads and kernels.");
    v.texts("archive.objectives", c.archive.objectives,
            "Measures, at most 16, of which less is better, which kind pareto weighs against "
            "fitness.");
    v.choice(
        "selector.name", c.selector.name, selector_names(),
        "How parents are chosen: uniform; tournament; weighted (better ones and ones with few "
        "children more often); power_law (by rank); rank_ucb (by rank and by how seldom they "
        "were chosen with success); clusters (FunSearch's: fit clusters of alike ones, short "
        "programs); curiosity (those whose children enter the archive); beam (the best in "
        "turn); uct (a tree search with small and large steps); founders (starters alone: plain "
        "sampling).");
    v.integer("selector.tournament_size", c.selector.tournament_size, {1, 1000},
              "Individuals drawn per tournament.");
    v.real("selector.lambda", c.selector.lambda, {0, 1000},
           "How steeply the weighted selector prefers fitness.");
    v.real("selector.alpha", c.selector.alpha, {0, 100},
           "How steeply the power law prefers the best: rank to the power of -alpha.");
    v.real("selector.exploration", c.selector.exploration, {0, 1000},
           "How much rank_ucb prefers those that were seldom chosen.");
    v.integer("selector.above", c.selector.above, {0, 64},
              "Where uct takes a large step: individuals above the base in its tree, the best of "
              "each part that small steps made, that prompts show.");
    v.real(
        "selector.noise", c.selector.noise, {0, 1000},
        "Uniform noise, this much to both sides, on rank_ucb's values (the best rank is worth 1, "
        "the last 0).");
    declare_tree_selectors(c.selector, v);
}

void declare_novelty(NoveltySettings& s, SettingVisitor& v) {
    v.choice(
        "novelty.name", s.name, novelty_names(),
        "What tells, before anything is evaluated, that a proposal resembles what is known too "
        "much: nothing (none); the same source but for names of variables, which is answered from "
        "the record (exact); that, and the MinHash of its source (minhash).");
    v.real("novelty.max_similarity", s.max_similarity, {0.1, 1},
           "Part of its source that a proposal shares (0.95 = 95 % of the runs of three tokens) "
           "from which on it is turned down.");
    v.choice("novelty.scope", s.scope, novelty_scopes(),
             "With whom it is compared: right individuals born on its island, or all.");
    v.integer("novelty.attempts", s.attempts, {0, 32},
              "Times that a ticket's operator begins again when all it proposed was turned down.");
    v.integer(
        "novelty.ancestors", s.ancestors, {0, 64},
        "Ancestors in whose sources the lines that a child adds are looked for, to tell which "
        "ones were there before and given up; 0: nobody looks.");
    v.real("novelty.max_returning", s.max_returning, {0, 1},
           "Share of a proposal's new lines that were given up before from which on it is turned "
           "down; 0: none is for that.");
}

void declare_bandit(const std::string& table, const std::string& arms, BanditSettings& s,
                    SettingVisitor& v) {
    v.choice(table + ".bandit", s.bandit, bandit_names(),
             "How " + arms +
                 " share the tickets: fixed by weights; by what they earned, ucb as a rule and "
                 "thompson by chance.");
    v.real(table + ".exploration", s.exploration, {0, 100},
           "How often ucb and thompson try " + arms + " that earned little.");
    v.real(table + ".epsilon", s.epsilon, {0, 1},
           "Share of tickets that ucb and thompson give to " + arms +
               " by weight, whatever they earned.");
    v.real(table + ".decay", s.decay, {0.01, 1},
           "What is left of the earnings of " + arms + " after each ticket that one of them had.");
    v.real(table + ".cost_weight", s.cost_weight, {0, 1},
           "How much ucb and thompson look at what models cost in tickets of " + arms +
               ": 0 not at all, 1 at nothing else.");
    v.integer(table + ".mask_after", s.mask_after, {0, 1'000'000},
              "After so many tickets in a row without anything right, one of the " + arms +
                  " waits until others had as many; 0: never.");
}

void declare_mix(MixSettings& s, SettingVisitor& v) {
    declare_bandit("operators", "operators", s, v);
    v.weights("operators.weights", s.weights, operator_names(),
              "Operators in use and their weights; empty: all, equally, but those that ask models "
              "only where there are some.");
}

void declare_asking(AskingSettings& s, SettingVisitor& v) {
    v.text("asking.prompts", s.prompts,
           "Folder whose prompt files take the place of the shipped ones of the same names "
           "(mutators/README.md, \"Prompts\"); a relative one starts at the current folder. Empty: "
           "none.");
    v.integer("asking.prompt_tokens", s.prompt_tokens, {1000, 10'000'000},
              "Tokens of one prompt, as estimated; a longer one is trimmed.");
    v.integer("asking.retries", s.retries, {0, 32},
              "Times a model is asked again after a reply in which there is no child.");
    v.integer("asking.repairs", s.repairs, {0, 32},
              "Times a child that turns out wrong goes back to the model, with its verdict.");
    v.real("asking.temperature", s.temperature, {-1, 2},
           "Sampling temperature; below 0: the endpoint's own.");
    v.integer("asking.max_tokens", s.max_tokens, {0, k_max_chat_tokens},
              "Tokens of one reply, at most; 0: the endpoint's own limit.");
    v.choice("asking.when_down", s.when_down, {"stop", "continue"},
             "When no model answers: stop the campaign (`atoll resume` goes on), or continue with "
             "the operators that ask none, trying again now and then.");
}

void declare_strategies(CampaignConfig& c, SettingVisitor& v) {
    declare_bandit("model_choice", "models", c.model_choice, v);
    std::vector<std::string> models;
    for (const ModelSettings& model : c.models) {
        models.push_back(model.name);
    }
    if (!models.empty()) {
        v.weights("model_choice.weights", c.model_choice.weights, models,
                  "Models that may be chosen and their weights; empty: all, equally.");
    }
    declare_bandit("strategy_choice", "strategies", c.strategy_choice, v);
    for (StrategySettings& s : c.strategies) {
        const std::string table = "strategies." + s.name;
        v.text(table + ".text", s.text,
               "An instruction for models, which prompts show when the strategy was chosen.");
        v.real(table + ".weight", s.weight, {1e-9, 1e9}, "Its weight among strategies.");
    }
}

void declare_migration(MigrationConfig& s, SettingVisitor& v) {
    v.choice(
        "migration.topology", s.topology, topology_names(),
        "Which islands send migrants to which: each to the next (ring), to all (full), all to "
        "the first and it to them (star), to some drawn from the seed (random), nobody (none).");
    v.real("migration.edge_probability", s.edge_probability, {0, 1},
           "Probability that an edge is used when a migration is due.");
    v.integer("migration.degree", s.degree, {1, 64},
              "Islands that each one sends to in topology \"random\".");
    v.integer("migration.every", s.policy.every_commits, {0, 1'000'000},
              "Commits of an island from one sending to the next; 0: never.");
    v.integer("migration.migrants", s.policy.migrants, {1, k_max_migrants},
              "Individuals sent along an edge.");
    v.choice("migration.choice", s.policy.choice, migrant_choices(),
             "Who goes: the best that the target lacks, or any of the top ones.");
    v.integer("migration.top", s.policy.top, {1, 1000},
              "Among how many of the best \"uniform\" chooses.");
}

void declare_reset(ResetSettings& s, SettingVisitor& v) {
    v.integer(
        "reset.every", s.every_commits, {0, 1'000'000'000},
        "Commits of the campaign after which its worst islands begin anew, each with the best "
        "of an island that stays; 0: never.");
    v.real("reset.share", s.share, {0, 1},
           "Share of the islands that begin anew; one stays at least.");
}

void declare_intensity(IntensityConfig& s, SettingVisitor& v) {
    v.choice(
        "intensity.name", s.policy.name, intensity_names(),
        "What decides how many of an island's parents are chosen all alike instead of by the "
        "selector: nothing does (none), or how much the island improved lately (improvement).");
    v.real("intensity.low", s.policy.low, {0, 0.99},
           "Share of its tickets where it improves much.");
    v.real("intensity.high", s.policy.high, {0, 0.99},
           "Share of its tickets where it does not improve at all.");
    v.real("intensity.decay", s.decay, {0, 0.9999},
           "What is left of an island's accumulated improvement after each of its commits.");
}

void declare_reheat(ReheatSettings& s, SettingVisitor& v) {
    v.integer(
        "reheat.every", s.every_commits, {0, 1'000'000'000},
        "Commits of the campaign from one look at its progress to the next; 0: nobody looks.");
    v.real("reheat.min_gain", s.min_gain, {0, 100},
           "By how much of itself the best must have risen since the look before to count.");
    v.real("reheat.min_change", s.min_change, {0, 100},
           "By how much of itself the islands' diversity must have changed to count.");
    v.integer("reheat.patience", s.patience, {1, 1'000'000},
              "Looks in a row at which neither counted after which the search is heated: parents "
              "are chosen less by merit, and migrants sent more often.");
    v.real("reheat.factor", s.factor, {1, 100}, "By how much it is heated.");
    v.real("reheat.most", s.most, {1, 1000}, "Heat beyond which it does not go; 1 is none.");
    v.real("reheat.decay", s.decay, {0, 1},
           "What is left of the heat above 1 at each look that does not heat.");
}

void declare_engine(EngineSettings& s, SettingVisitor& v) {
    v.integer("engine.tickets_in_flight", s.tickets_in_flight, {0, 4096},
              "Tickets in work at once; 0: what keeps the evaluator busy.");
    v.integer("engine.ticket_evaluations", s.ticket_evaluations, {1, 60},
              "Evaluations that one ticket may ask for, whatever its operator.");
    v.choice("engine.commit_order", s.commit_order, {"arrival", "ticket"},
             "arrival: commit what is finished (fastest); ticket: commit in order, so that an "
             "interrupted campaign and an uninterrupted one are the same.");
    v.integer("engine.snapshot_every", s.snapshot_every, {1, 10'000'000},
              "Events from one snapshot to the next; they bound the time a resume takes.");
    v.integer("engine.sync_interval_ms", s.sync_interval_ms, {1, 60'000},
              "Milliseconds after which what was measured is safe on disk.");
    v.integer("engine.drain_seconds", s.drain_seconds, {0, 3600},
              "Seconds that evaluations in work are waited for when the campaign stops.");
}

void declare_rest(CampaignConfig& c, SettingVisitor& v) {
    v.real("confirm.min_gain", c.confirm.min_gain, {0, 100},
           "A best that is this much better than the confirmed one (0.1 = 10 %) is re-measured on "
           "hidden workloads at once; the final best always is.");
    v.real("confirm.share", c.confirm.share, {0, 1},
           "Share of the searching time that such confirmations may take; 0: only the final best "
           "is confirmed.");
    v.boolean("confirm.baselines", c.confirm.baselines,
              "Measure the task's baselines (such as OpenBLAS) side by side with the final best.");
    v.boolean("confirm.profile", c.confirm.profile,
              "Count what a GPU does with each individual that is confirmed, and name its "
              "bottleneck by it; without, it is named from what is known without counters.");
    std::vector<std::string> presets = fitness_presets();
    presets.insert(presets.begin(), k_score_auto);
    v.choice("score.preset", c.score, presets,
             "What fitness is: speed-up over the first starter (speedup), share of the speed of "
             "light (light), what the task's own judge says (external); auto: external for a task "
             "with a judge of its own, else speedup.");
    v.integer("stop.max_evaluations", c.stop.max_evaluations, {0, 1'000'000'000'000},
              "Stop after this many evaluations; 0: no limit.");
    v.real("stop.seconds", c.stop.seconds, {0, 1e9},
           "Stop after this many seconds of searching (sessions add up); 0: no limit.");
    v.real("stop.target_fitness", c.stop.target_fitness, {0, 1e12},
           "Stop once an individual is this fit; 0: no target.");
    v.integer("stop.stagnation_commits", c.stop.stagnation_commits, {0, 1'000'000'000},
              "Stop after this many commits without a better best; 0: never.");
    v.integer("stop.tokens", c.stop.tokens, {0, INT64_MAX},
              "Stop once models took this many tokens, prompts and completions together; 0: no "
              "limit.");
    v.real("stop.dollars", c.stop.dollars, {0, 1e9},
           "Stop once models cost this much; needs a price of each model. 0: no limit.");
    v.real("stop.device_seconds", c.stop.device_seconds, {0, 1e12},
           "Stop once devices worked this long for what is committed; 0: no limit.");
    v.integer("stop.exhausted_proposals", c.stop.exhausted_proposals, {1, 1'000'000'000},
              "Stop after this many proposals in a row that were all measured before.");
}

constexpr std::size_t k_max_measures = 16;  // that an archive looks at: axes or objectives

// Also of a kind that is not in use: a slip of the pen is one before it matters too.
Status check_archive(const ArchiveSettings& archive, const std::string& file_name) {
    const auto in = [&file_name](const std::string& key, Status status) -> Status {
        if (!status) {
            status.error().what = key + ": " + status.error().what;
            status.error().where = file_name;
        }
        return status;
    };
    if (archive.axes.size() > k_max_measures) {
        return failure(ErrorCode::invalid_argument,
                       "archive.axes: at most " + std::to_string(k_max_measures) + " may be given",
                       file_name);
    }
    const auto axes = parse_axes(archive.axes);
    ATOLL_TRY(in("archive.axes", axes ? Status() : tl::unexpected<Error>(axes.error())));
    for (const GridAxis& axis : *axes) {
        ATOLL_TRY(in("archive.axes", check_measure(axis.measure, nullptr)));
    }
    if (archive.objectives.empty() || archive.objectives.size() > k_max_measures) {
        return failure(
            ErrorCode::invalid_argument,
            "archive.objectives: between 1 and " + std::to_string(k_max_measures) + " are needed",
            file_name);
    }
    for (const std::string& objective : archive.objectives) {
        ATOLL_TRY(in("archive.objectives", check_measure(objective, nullptr)));
    }
    return {};
}

// What is wrong with a model is said whether or not an operator asks it.
Status check_models(const CampaignConfig& config, const std::string& file_name) {
    for (const ModelSettings& model : config.models) {
        if (Status checked = check_model_settings(model); !checked) {
            checked.error().where = file_name + ": " + checked.error().where;
            return checked;
        }
        if (config.stop.dollars > 0 && !model.price) {
            return failure(ErrorCode::invalid_argument,
                           "stop.dollars: model " + model.name + " has no price", file_name,
                           "set models." + model.name +
                               ".price = {prompt = ..., completion = ...} (per million tokens)");
        }
    }
    if (!config.models.empty() && model_weights(config).empty()) {
        return failure(ErrorCode::invalid_argument, "model_choice.weights: no model is in use",
                       file_name, "give at least one a weight above 0");
    }
    if (Status status = check_agent_settings(config.agent); !status) {
        status.error().where = file_name;
        return status;
    }
    const auto weights = operator_weights(config);
    for (const auto& [name, weight] : weights) {
        if (name == k_agent) {
            if (!config.agent.is_set()) {
                return failure(ErrorCode::invalid_argument,
                               "operators.weights: agent needs one, and there is none", file_name,
                               "set agent.command or agent.address");
            }
        } else if (operator_asks_model(name) && config.models.empty()) {
            return failure(ErrorCode::invalid_argument,
                           "operators.weights: " + name + " asks a model, and there is none",
                           file_name, "add a table [models.NAME] with its url");
        }
    }
    return {};
}

Expected<std::vector<StrategySettings>> named_strategies(const std::string& toml_text,
                                                         const std::string& file_name) {
    ATOLL_TRY_ASSIGN(const std::vector<std::string> names,
                     named_tables(toml_text, "strategies", k_max_strategies, file_name));
    std::vector<StrategySettings> strategies;
    for (const std::string& name : names) {
        strategies.emplace_back().name = name;
    }
    return strategies;
}

// The tables that a text names and the config does not have yet, in the order of names.
template <class Table>
Status add_tables(std::vector<Table>& tables, Expected<std::vector<Table>> named) {
    ATOLL_TRY(named);
    for (Table& table : *named) {
        const auto place = std::lower_bound(
            tables.begin(), tables.end(), table.name,
            [](const Table& known, const std::string& name) { return known.name < name; });
        if (place == tables.end() || place->name != table.name) {
            tables.insert(place, std::move(table));
        }
    }
    return {};
}

}  // namespace

void declare(CampaignConfig& config, SettingVisitor& visitor) {
    declare_campaign(config.campaign, visitor);
    declare_evaluation(config.evaluation, visitor);
    declare_population(config, visitor);
    declare_novelty(config.novelty, visitor);
    declare_mix(config.mix, visitor);
    declare_strategies(config, visitor);
    declare(config.operators, visitor);
    declare(config.models, visitor);
    declare(config.agent, visitor);
    declare_asking(config.asking, visitor);
    declare(config.memory, visitor);
    declare_migration(config.migration, visitor);
    declare_reset(config.reset, visitor);
    declare_intensity(config.intensity, visitor);
    declare_reheat(config.reheat, visitor);
    declare_engine(config.engine, visitor);
    declare_rest(config, visitor);
}

Status read_over(CampaignConfig& config, const std::string& toml_text, const std::string& file_name,
                 const SettingDeclaration& also) {
    ATOLL_TRY(add_tables(config.models, named_models(toml_text, file_name)));
    ATOLL_TRY(add_tables(config.strategies, named_strategies(toml_text, file_name)));
    const Status read = read_settings(toml_text, file_name, [&](SettingVisitor& visitor) {
        declare(config, visitor);
        if (also) {
            also(visitor);
        }
    });
    if (config.campaign.schema > k_config_schema) {  // of its other mistakes this is the cause
        return failure(ErrorCode::too_new,
                       "campaign.schema: this config was written for version " +
                           std::to_string(config.campaign.schema) +
                           " of campaign configs; this program knows version " +
                           std::to_string(k_config_schema),
                       file_name, "use a newer Atoll");
    }
    return read;
}

Status check_config(const CampaignConfig& config, const std::string& where) {
    const auto weights = operator_weights(config);
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0,
                                       [](double s, const auto& w) { return s + w.second; });
    if (!(sum > 0)) {
        return failure(ErrorCode::invalid_argument, "operators.weights: no operator is in use",
                       where, "give at least one a weight above 0");
    }
    if (!std::isfinite(sum)) {
        return failure(ErrorCode::invalid_argument,
                       "operators.weights: their sum is larger than a number can be", where,
                       "only their ratios count: give smaller ones");
    }
    ATOLL_TRY(check_models(config, where));
    for (const StrategySettings& strategy : config.strategies) {
        if (strategy.text.empty() || strategy.text.size() > k_longest_strategy) {
            return failure(ErrorCode::invalid_argument,
                           "strategies." + strategy.name + ".text: must have between 1 and " +
                               std::to_string(k_longest_strategy) + " bytes",
                           where);
        }
    }
    ATOLL_TRY(check_memory(config.memory, where));
    return check_archive(config.archive, where);
}

Expected<CampaignConfig> parse_config(const std::string& toml_text, const std::string& file_name) {
    CampaignConfig config;
    ATOLL_TRY(read_over(config, toml_text, file_name));
    ATOLL_TRY(check_config(config, file_name));
    return config;
}

Expected<CampaignConfig> read_config(const std::filesystem::path& file) {
    ATOLL_TRY_ASSIGN(const std::string text, read_file(file, k_max_config_bytes));
    ATOLL_TRY_ASSIGN(CampaignConfig config, parse_config(text, file.string()));
    if (config.campaign.task.empty()) {
        return failure(ErrorCode::invalid_argument, "campaign.task is missing", file.string(),
                       "every campaign needs one; `atoll task list` shows their names");
    }
    return config;
}

std::string write_config(const CampaignConfig& config) {
    CampaignConfig copy = config;
    return write_settings([&](SettingVisitor& visitor) { declare(copy, visitor); });
}

std::vector<std::string> lint_config(const CampaignConfig& config) {
    std::vector<std::string> remarks;
    const bool migrates =
        config.migration.policy.every_commits > 0 && campaign_topology(config).strongly_connected();
    if (config.islands.count > 1 && !migrates) {
        remarks.push_back("islands.count is " + std::to_string(config.islands.count) +
                          " but nothing migrates between some of them: they are separate searches "
                          "(set migration.topology to \"ring\")");
    }
    if (config.reset.every_commits > 0 &&
        config.reset.share * static_cast<double>(config.islands.count) < 1) {
        remarks.push_back(
            "reset.share of islands.count is less than one island: none is ever reset");
    }
    if (config.islands.spawn.founder != "none" &&
        config.islands.spawn.most <= config.islands.count) {
        remarks.push_back("islands.most is not above islands.count: no island is ever added");
    }
    if (config.novelty.max_returning > 0 && config.novelty.ancestors == 0) {
        remarks.push_back(
            "novelty.max_returning has no effect without novelty.ancestors (set it to 8, say)");
    }
    if (config.intensity.policy.name != "none" && config.selector.name == "uniform") {
        remarks.push_back(
            "intensity.name has no effect with selector.name \"uniform\", which chooses all alike");
    }
    const StopSettings& stop = config.stop;
    if (stop.max_evaluations == 0 && stop.seconds == 0 && stop.target_fitness == 0 &&
        stop.stagnation_commits == 0) {
        remarks.push_back(
            "no stop rule is set: the campaign runs until Ctrl-C or until nothing "
            "new can be proposed (set stop.seconds or stop.max_evaluations)");
    }
    if (config.mix.bandit == "ucb" && operator_weights(config).size() == 1) {
        remarks.push_back("operators.bandit \"ucb\" has only one operator to choose from");
    }
    return remarks;
}

EvaluationLimits evaluation_limits(const EvaluationSettings& settings) {
    EvaluationLimits limits;
    limits.memory_bytes = static_cast<std::uint64_t>(settings.memory_mb) << 20;
    limits.compile_timeout_s = settings.compile_timeout_s;
    limits.launch_timeout_s = settings.launch_timeout_s;
    limits.confidence = settings.confidence;
    limits.measure_seconds = settings.measure_seconds;
    limits.protocol = settings.protocol == k_cuda_protocol ? "" : settings.protocol;
    return limits;
}

LocalEvaluatorOptions evaluator_options(const CampaignConfig& config) {
    const EvaluationSettings& s = config.evaluation;
    LocalEvaluatorOptions options;
    options.device_cores = static_cast<int>(s.device_cores);
    options.devices = static_cast<int>(s.devices);
    if (s.gpu != 0) {
        options.gpus = {static_cast<int>(s.gpu)};
    }
    options.cutlass = s.cutlass;
    options.compile_workers = static_cast<int>(s.compile_workers);
    options.compiler = s.compiler;
    options.required_sandbox = s.sandbox;
    options.limits = evaluation_limits(s);
    return options;
}

Topology campaign_topology(const CampaignConfig& config) {
    return campaign_topology(config, static_cast<std::size_t>(config.islands.count));
}

Topology campaign_topology(const CampaignConfig& config, std::size_t islands) {
    return make_topology(
        config.migration.topology, static_cast<std::uint32_t>(islands),
        config.migration.edge_probability,
        {config.migration.degree, static_cast<std::uint64_t>(config.campaign.seed)});
}

StateSettings state_settings(const CampaignConfig& config) {
    StateSettings settings;
    settings.islands = static_cast<std::uint32_t>(config.islands.count);
    settings.archive = config.archive;
    settings.bandit_decay = config.mix.decay;
    settings.model_decay = config.model_choice.decay;
    settings.strategy_decay = config.strategy_choice.decay;
    settings.tree = config.selector.name == "uct" || config.selector.name == "beam";
    settings.curiosity = config.selector.name == "curiosity";
    settings.gain_decay = config.intensity.decay;
    return settings;
}

const std::vector<std::string>& operator_names() {
    static const std::vector<std::string> names = [] {
        std::vector<std::string> all = shipped_operators().names();
        const std::vector<std::string> asking = model_operator_names();
        all.insert(all.end(), asking.begin(), asking.end());
        all.emplace_back(k_agent);
        return all;
    }();
    return names;
}

std::vector<std::pair<std::string, double>> model_weights(const CampaignConfig& config) {
    std::vector<std::pair<std::string, double>> weights;
    for (const ModelSettings& model : config.models) {
        double weight = config.model_choice.weights.empty() ? 1 : 0;
        for (const auto& [name, listed] : config.model_choice.weights) {
            weight = name == model.name ? listed : weight;
        }
        if (weight > 0) {
            weights.emplace_back(model.name, weight);
        }
    }
    return weights;
}

bool operator_asks_model(const std::string& name) {
    static const std::vector<std::string> names = model_operator_names();
    return name == k_agent || std::find(names.begin(), names.end(), name) != names.end();
}

bool asks_anybody(const CampaignConfig& config) {
    return !config.models.empty() || config.agent.is_set();
}

std::vector<std::pair<std::string, double>> operator_weights(
    const CampaignConfig& config, const std::vector<std::string>& names) {
    std::vector<std::pair<std::string, double>> weights;
    for (const std::string& name : names) {
        if (config.mix.weights.empty()) {
            const bool there = name == k_agent
                                   ? config.agent.is_set()
                                   : !config.models.empty() || !operator_asks_model(name);
            if (there) {
                weights.emplace_back(name, 1.0);
            }
            continue;
        }
        for (const auto& [listed, weight] : config.mix.weights) {
            if (listed == name && weight > 0) {
                weights.emplace_back(name, weight);
            }
        }
    }
    return weights;
}

}  // namespace atl
