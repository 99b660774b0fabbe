#pragma once

#include "mutators/agent_settings.hpp"
#include "mutators/memory/memory_settings.hpp"
#include "mutators/model/model_settings.hpp"
#include "mutators/operators/registry.hpp"
#include "population/archive.hpp"
#include "population/campaign_state.hpp"
#include "population/migration.hpp"
#include "population/reheat.hpp"
#include "population/reset.hpp"
#include "population/spawn.hpp"
#include "population/topology.hpp"
#include "reward/base/error.hpp"
#include "reward/base/settings.hpp"
#include "reward/evaluator.hpp"
#include "reward/gpu/gpu_protocol.hpp"
#include "search/intensity.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace atl {

/// A campaign's config: plain structs, one per section of the TOML file. Each key is declared once,
/// in declare(); meanings, ranges and defaults are there (`atoll config explain`).

/// Version of the config's form. To be raised when a key changes its meaning or is given up, which
/// an older program would misread; a new key needs none.
inline constexpr std::int64_t k_config_schema = 1;

/// score.preset before resolve_config() has looked at the task.
inline constexpr const char* k_score_auto = "auto";

struct CampaignSettings {
    std::string task;
    std::string kind;
    std::string name;
    std::int64_t seed = 1;
    std::int64_t schema = k_config_schema;
};

struct EvaluationSettings {
    std::string reward;
    std::int64_t device_cores = 1;
    std::int64_t devices = 1;
    std::int64_t gpu = 0;
    std::string cutlass;
    std::int64_t compile_workers = 0;
    std::string compiler;
    std::string sandbox = "full";
    std::int64_t memory_mb = 4096;
    double compile_timeout_s = 30;
    double launch_timeout_s = 10;
    double confidence = 0.01;
    double measure_seconds = 0.15;
    std::string protocol = k_cuda_protocol;
    double cutoff_factor = 4;
    std::int64_t deadline_s = 300;
    std::int64_t retries = 2;
};

struct IslandSettings {
    std::int64_t count = 2;
    std::string starters = "spread";
    SpawnSettings spawn;
};

struct SelectorSettings {
    std::string name = "weighted";
    std::int64_t tournament_size = 3;
    double lambda = 10;
    double alpha = 1;
    double exploration = 1.414;
    double noise = 0.1;
    double temperature = 0.1;
    std::int64_t temperature_period = 30'000;
    double cluster_width = 0.02;
    std::int64_t beam = 5;
    double tree_exploration = 0.2828;
    double tree_max_weight = 0;
    double large_steps = 0.2;
    std::int64_t small_step_limit = 2;
    std::int64_t above = 5;
};

/// See search/novelty.hpp and search/cycling.hpp.
struct NoveltySettings {
    std::string name = "none";
    double max_similarity = 0.95;
    std::string scope = "island";
    std::int64_t attempts = 3;
    std::int64_t ancestors = 0;
    double max_returning = 0;
};

/// See search/bandits/bandit.hpp.
struct BanditSettings {
    std::string bandit = "ucb";
    double exploration = 1;
    double epsilon = 0.2;
    double decay = 0.95;
    double cost_weight = 0;
    std::int64_t mask_after = 0;
};

struct MixSettings : BanditSettings {
    /// Operators in use with their weights; empty: all, equally.
    std::vector<std::pair<std::string, double>> weights;
};

/// How operators ask models; which ones there are is in CampaignConfig::models.
struct AskingSettings {
    std::string prompts;
    std::int64_t prompt_tokens = 24'000;
    std::int64_t retries = 2;
    std::int64_t repairs = 1;
    double temperature = -1;
    std::int64_t max_tokens = 0;
    std::string when_down = "stop";
};

/// A table [strategies.NAME]: an instruction that prompts may show.
struct StrategySettings {
    std::string name;
    std::string text;
    double weight = 1;
};

inline constexpr std::size_t k_max_strategies = 64;

struct ModelChoiceSettings : BanditSettings {
    ModelChoiceSettings() { cost_weight = 0.5; }
    /// Models that may be chosen, with their weights; empty: all, equally.
    std::vector<std::pair<std::string, double>> weights;
};

struct MigrationConfig {
    std::string topology = "ring";
    double edge_probability = 1;
    std::int64_t degree = 2;
    MigrationSettings policy;
};

struct IntensityConfig {
    IntensitySettings policy;
    double decay = 0.9;  ///< StateSettings::gain_decay
};

struct EngineSettings {
    std::int64_t tickets_in_flight = 0;
    std::int64_t ticket_evaluations = 8;
    std::string commit_order = "arrival";
    std::int64_t snapshot_every = 2000;
    std::int64_t sync_interval_ms = 100;
    std::int64_t drain_seconds = 20;
};

struct ConfirmSettings {
    double min_gain = 0.1;
    double share = 0.1;
    bool baselines = true;
    bool profile = true;
};

struct StopSettings {
    std::int64_t max_evaluations = 0;
    double seconds = 0;
    double target_fitness = 0;
    std::int64_t stagnation_commits = 0;
    std::int64_t tokens = 0;
    double dollars = 0;
    double device_seconds = 0;
    std::int64_t exhausted_proposals = 500;
};

struct CampaignConfig {
    CampaignSettings campaign;
    EvaluationSettings evaluation;
    IslandSettings islands;
    ArchiveSettings archive;
    SelectorSettings selector;
    NoveltySettings novelty;
    MixSettings mix;
    ModelChoiceSettings model_choice;
    BanditSettings strategy_choice;
    std::vector<StrategySettings> strategies;  ///< in the order of their names
    OperatorSettings operators;
    std::vector<ModelSettings> models;  ///< in the order of their names
    AgentSettings agent;
    AskingSettings asking;
    MemorySettings memory;
    MigrationConfig migration;
    ResetSettings reset;
    IntensityConfig intensity;
    ReheatSettings reheat;
    EngineSettings engine;
    ConfirmSettings confirm;
    std::string score = k_score_auto;
    StopSettings stop;
};

void declare(CampaignConfig& config, SettingVisitor& visitor);

/// Sets the keys that the text has, and leaves the others as they are; `also` declares what it may
/// say beside them. Checks each key, not how they fit together.
[[nodiscard]] Status read_over(CampaignConfig& config, const std::string& toml_text,
                               const std::string& file_name, const SettingDeclaration& also = {});
/// Whether the keys fit together; `where` is what an error names.
[[nodiscard]] Status check_config(const CampaignConfig& config, const std::string& where);

/// The defaults, with what the text says read over them, checked.
[[nodiscard]] Expected<CampaignConfig> parse_config(const std::string& toml_text,
                                                    const std::string& file_name);
/// Of a file that a campaign can begin with: it must name a task.
[[nodiscard]] Expected<CampaignConfig> read_config(const std::filesystem::path& file);
/// The whole config with every key, as parse_config() reads it.
[[nodiscard]] std::string write_config(const CampaignConfig& config);

/// What is allowed but probably not meant, one sentence each.
[[nodiscard]] std::vector<std::string> lint_config(const CampaignConfig& config);

[[nodiscard]] EvaluationLimits evaluation_limits(const EvaluationSettings& settings);
[[nodiscard]] LocalEvaluatorOptions evaluator_options(const CampaignConfig& config);
/// Over that many islands; a campaign may have more than it began with.
[[nodiscard]] Topology campaign_topology(const CampaignConfig& config, std::size_t islands);
[[nodiscard]] Topology campaign_topology(const CampaignConfig& config);
[[nodiscard]] StateSettings state_settings(const CampaignConfig& config);
/// Names of all operators that a config may give a weight.
[[nodiscard]] const std::vector<std::string>& operator_names();
/// Of those: whether it asks a model. An operator that an embedding program adds says so itself.
/// The models that tickets may ask and their weights, in the order of their names.
[[nodiscard]] std::vector<std::pair<std::string, double>> model_weights(
    const CampaignConfig& config);
[[nodiscard]] bool operator_asks_model(const std::string& name);
/// Whether the config has models or an agent.
[[nodiscard]] bool asks_anybody(const CampaignConfig& config);
/// The operators in use and their weights, in the order of `names`.
[[nodiscard]] std::vector<std::pair<std::string, double>> operator_weights(
    const CampaignConfig& config, const std::vector<std::string>& names = operator_names());

}  // namespace atl
