#include "tools/atoll/openevolve_config.hpp"

#include "search/recipes.hpp"
#include "tools/atoll/yaml_tree.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <tuple>

namespace atl {

namespace {

std::optional<double> number(const YamlTree& value) {
    double number = 0;
    const std::string& text = value.scalar;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    return value.kind == YamlTree::Kind::scalar && !value.quoted && whole && std::isfinite(number)
               ? std::optional(number)
               : std::nullopt;
}

std::optional<bool> truth(const YamlTree& value) {
    const bool plain = value.kind == YamlTree::Kind::scalar && !value.quoted;
    const auto is = [&](std::initializer_list<const char*> words) {
        return plain && std::find(words.begin(), words.end(), value.scalar) != words.end();
    };
    if (is({"true", "True", "TRUE", "yes", "on"})) {
        return true;
    }
    return is({"false", "False", "FALSE", "no", "off"}) ? std::optional(false) : std::nullopt;
}

/// The file while it is read: what of it became what.
struct Import {
    ImportedConfig result;
    const YamlTree& root;
    std::string key;       ///< at work
    std::size_t line = 0;  ///< likewise

    void refuse(std::string reason) {
        std::replace(reason.begin(), reason.end(), '\n', ' ');
        result.unhonoured.push_back({key, line, std::move(reason)});
    }
    /// Sets ours; a value that it cannot have is a reason.
    void become(const std::string& assignment) {
        if (const Status set = set_key(result.config, assignment); !set) {
            refuse(set.error().what);
        } else {
            result.honoured.push_back({key, assignment});
        }
    }
    /// The same of a text that may hold anything; JSON's strings are TOML's.
    void become_text(const std::string& ours, const std::string& text) {
        become(ours + "=" +
               nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    }
    [[nodiscard]] const YamlTree* in(const char* section, const char* name) const {
        const YamlTree* map = root.find(section);
        return map == nullptr ? nullptr : map->find(name);
    }
    [[nodiscard]] const YamlTree* database(const char* name) const { return in("database", name); }
    [[nodiscard]] double database_number(const char* name, double standard) const {
        const YamlTree* value = database(name);
        return value == nullptr ? standard : number(*value).value_or(standard);
    }
};

using Apply = void (*)(Import&, const YamlTree&, const char* text);

void refuse(Import& import, const YamlTree&, const char* reason) {
    import.refuse(reason);
}

void integer(Import& import, const YamlTree& value, const char* target) {
    const std::optional<double> given = number(value);
    if (!given || *given != std::floor(*given) || std::abs(*given) > 1e15) {
        import.refuse("is no integer");
        return;
    }
    import.become(fmt::format("{}={:.0f}", target, *given));
}

void real(Import& import, const YamlTree& value, const char* target) {
    if (const std::optional<double> given = number(value)) {
        import.become(fmt::format("{}={}", target, *given));
    } else {
        import.refuse("is no number");
    }
}

/// "VARIABLE" of "${VARIABLE}", the form in which OpenEvolve takes keys from the environment.
std::string variable_of(const std::string& text) {
    const bool names_one = text.starts_with("${") && text.ends_with("}") && text.size() > 3;
    return names_one ? text.substr(2, text.size() - 3) : std::string();
}

constexpr const char* k_openai = "https://api.openai.com/v1";  // OpenEvolve's default

/// The table of one model, with what all of them share in llm.
void model_table(Import& import, const std::string& name, const std::string& model,
                 const YamlTree* own_address) {
    const std::string table = "models." + name;
    const YamlTree* address = own_address != nullptr ? own_address : import.in("llm", "api_base");
    import.become_text(table + ".model", model);
    import.become_text(table + ".url", address == nullptr ? k_openai : address->scalar);
    if (const YamlTree* key = import.in("llm", "api_key")) {
        if (const std::string variable = variable_of(key->scalar); !variable.empty()) {
            import.become_text(table + ".key_env", variable);
        }
    }
    for (const auto& [theirs, ours, more] :
         {std::tuple("timeout", ".timeout_s", 0), std::tuple("retries", ".attempts", 1)}) {
        const YamlTree* value = import.in("llm", theirs);
        if (const auto given = value == nullptr ? std::nullopt : number(*value)) {
            import.become(fmt::format("{}{}={}", table, ours, *given + more));
        }
    }
}

void one_model(Import& import, const YamlTree& value, const char* name) {
    if (value.kind == YamlTree::Kind::scalar) {
        model_table(import, name, value.scalar, nullptr);
    } else {
        import.refuse("is no text");
    }
}

void listed_models(Import& import, const YamlTree& list, const char*) {
    const std::string key = import.key;
    for (std::size_t i = 0; i < list.items.size(); ++i) {
        const YamlTree& item = list.items[i];
        const YamlTree* name = item.find("name");
        import.key = fmt::format("{}[{}]", key, i);
        import.line = item.line;
        if (name == nullptr || name->kind != YamlTree::Kind::scalar) {
            import.refuse("names no model");
            continue;
        }
        model_table(import, fmt::format("model{}", i + 1), name->scalar, item.find("api_base"));
        for (const auto& [inner, value] : item.fields) {
            if (inner != "name" && inner != "api_base") {
                import.result.unhonoured.push_back(
                    {fmt::format("{}[{}].{}", key, i, inner), value.line,
                     "of a single model, address and name are taken alone"});
            }
        }
    }
    import.key = key;
    if (list.kind != YamlTree::Kind::list) {
        import.refuse("is no list");
    }
}

bool has_models(const Import& import) {
    return import.in("llm", "primary_model") != nullptr || import.in("llm", "models") != nullptr ||
           import.in("llm", "secondary_model") != nullptr;
}

void part_of_models(Import& import, const YamlTree&, const char*) {
    if (has_models(import)) {
        import.result.honoured.push_back({import.key, "part of models.NAME"});
    } else {
        import.refuse("names no model that it could belong to");
    }
}

// Never copied: a key stands in no config.
void api_key(Import& import, const YamlTree& value, const char*) {
    if (!variable_of(value.scalar).empty()) {
        part_of_models(import, value, nullptr);
    } else {
        import.refuse("keys stand in no config: models.NAME.key_env or key_file says where one is");
    }
}

// OpenEvolve's default.
constexpr double k_population = 1000;
constexpr double k_islands = 5;

// Sent along each of two edges; a share of an island there, a number here.
void migration_rate(Import& import, const YamlTree& value, const char*) {
    const std::optional<double> rate = number(value);
    if (!rate) {
        import.refuse("is no number");
        return;
    }
    const double members = import.database_number("population_size", k_population) /
                           std::max(1.0, import.database_number("num_islands", k_islands));
    const double migrants =
        std::clamp(std::floor(*rate * members), 1.0, static_cast<double>(k_max_migrants));
    import.become(fmt::format("migration.migrants={:.0f}", migrants));
}

void edit_forms(Import& import, const YamlTree& value, const char*) {
    const std::optional<bool> diffs = truth(value);
    if (!diffs) {
        import.refuse("is neither true nor false");
        return;
    }
    const YamlTree* rewrites = import.root.find("full_rewrite_probability");
    const double share = *diffs ? (rewrites == nullptr ? 0 : number(*rewrites).value_or(0)) : 1;
    import.become(
        fmt::format("operators.weights={{patch = {}, rewrite = {}}}", 1.0 - share, share));
}

void with_edit_forms(Import& import, const YamlTree& value, const char*) {
    const std::optional<double> share = number(value);
    if (!share || *share < 0 || *share > 1) {
        import.refuse("is no number from 0 to 1");
    } else if (import.root.find("diff_based_evolution") != nullptr) {
        import.result.honoured.push_back({import.key, "part of operators.weights"});
    } else {
        import.become(
            fmt::format("operators.weights={{patch = {}, rewrite = {}}}", 1 - *share, *share));
    }
}

std::string bins_of(const Import& import, const std::string& dimension) {
    const YamlTree* bins = import.database("feature_bins");
    const YamlTree* own = bins == nullptr ? nullptr : bins->find(dimension);
    const YamlTree* used = own == nullptr ? bins : own;
    const double count = used == nullptr ? 10 : number(*used).value_or(10);
    return fmt::format("{:.0f}", std::clamp(count, 1.0, 1000.0));
}

void feature_dimensions(Import& import, const YamlTree& value, const char*) {
    if (value.kind != YamlTree::Kind::list) {
        import.refuse("is no list");
        return;
    }
    const YamlTree* longest = import.root.find("max_code_length");
    const double length = longest == nullptr ? 10'000 : number(*longest).value_or(10'000);
    std::string axes;
    std::string lost;
    for (const YamlTree& dimension : value.items) {
        if (dimension.scalar == "complexity") {
            axes = fmt::format("\"source_bytes 0 {:.0f} {}\"", std::max(length, 1.0),
                               bins_of(import, "complexity"));
        } else {
            lost += (lost.empty() ? "" : ", ") + dimension.scalar.substr(0, 40);
        }
    }
    if (!axes.empty()) {
        import.become("archive.axes=[" + axes + "]");
    }
    if (!lost.empty()) {
        import.refuse("no axis here measures " + lost +
                      "; `atoll config explain archive.axes` lists the measures");
    }
}

void feature_bins(Import& import, const YamlTree&, const char*) {
    if (import.database("feature_dimensions") != nullptr) {
        import.result.honoured.push_back({import.key, "part of archive.axes"});
    } else {
        import.become(fmt::format("archive.axes=[\"source_bytes 0 10000 {}\"]",
                                  bins_of(import, "complexity")));
    }
}

struct Rule {
    const char* key;
    Apply apply;
    const char* text;  ///< our key, or the reason
};

constexpr const char* k_task_has =
    "is the task's affair: starters, workloads and judge are its own";
constexpr const char* k_recorded = "everything is recorded anyway, in the run folder";
constexpr const char* k_prompts = "prompts are files: mutators/README.md, \"Prompts\"";
constexpr const char* k_not_there = "OpenEvolve declares it and does not implement it";

constexpr const char* k_equal_models =
    "weights of models are not read from there: set them by hand";
constexpr const char* k_selection = "parents are drawn as selector.name says";
constexpr const char* k_novelty = "novelty is told before an evaluation: novelty.name";

// The keys of openevolve 0.4.1.
constexpr Rule k_rules[] = {
    {"max_iterations", integer, "stop.max_evaluations"},
    {"checkpoint_interval", refuse, k_recorded},
    {"checkpoint_on_improvement", refuse, k_recorded},
    {"log_level", refuse, k_recorded},
    {"log_dir", refuse, "logs are in the run folder"},
    {"logger_prefix", refuse, "logs are in the run folder"},
    {"random_seed", integer, "campaign.seed"},
    {"language", refuse, k_task_has},
    {"file_suffix", refuse, k_task_has},
    {"diff_based_evolution", edit_forms, nullptr},
    {"full_rewrite_probability", with_edit_forms, nullptr},
    {"max_code_length", refuse, "sources have one limit, 1 MiB"},
    {"enforce_evolve_blocks", refuse, "a patch may change any line of a candidate"},
    {"diff_pattern", refuse, "search/replace blocks have one form here: mutators/README.md"},
    {"early_stopping_patience", integer, "stop.stagnation_commits"},
    {"convergence_threshold", refuse, "any better best ends a stagnation here"},
    {"early_stopping_metric", refuse, "fitness is what counts: score.preset"},
    {"max_tasks_per_child", refuse, "each candidate has a process of its own"},
    {"llm.models", listed_models, nullptr},
    {"llm.evaluator_models", refuse, "no model judges candidates"},
    {"llm.primary_model", one_model, "primary"},
    {"llm.primary_model_weight", refuse, k_equal_models},
    {"llm.secondary_model", one_model, "secondary"},
    {"llm.secondary_model_weight", refuse, k_equal_models},
    {"llm.name", refuse, "models are named by primary_model, secondary_model and models"},
    {"llm.weight", refuse, k_equal_models},
    {"llm.api_base", part_of_models, nullptr},
    {"llm.api_key", api_key, nullptr},
    {"llm.provider", refuse, "endpoints are OpenAI-compatible ones: models.NAME.url"},
    {"llm.system_message", refuse, k_prompts},
    {"llm.temperature", real, "asking.temperature"},
    {"llm.top_p", refuse, "is the endpoint's own"},
    {"llm.max_tokens", integer, "asking.max_tokens"},
    {"llm.timeout", part_of_models, nullptr},
    {"llm.retries", part_of_models, nullptr},
    {"llm.retry_delay", refuse, "pauses double, with jitter: mutators/README.md"},
    {"llm.random_seed", refuse, "there is one seed: random_seed, which is campaign.seed"},
    {"llm.reasoning_effort", refuse, "is the endpoint's own"},
    {"llm.manual_mode", refuse, "a person answers through `atoll mailbox`"},
    {"llm.max_budget_usd", refuse, "money is limited for a whole campaign: stop.dollars"},
    {"llm.max_ai_credits", refuse, "money is limited for a whole campaign: stop.dollars"},
    {"llm.allow_all_tools", refuse, "models get no tools"},
    {"prompt.template_dir", refuse, k_prompts},
    {"prompt.num_top_programs", refuse, k_prompts},
    {"prompt.num_diverse_programs", refuse, k_prompts},
    {"prompt.system_message", refuse, k_prompts},
    {"prompt.island_system_messages", refuse, "islands share their prompts"},
    {"prompt.evaluator_system_message", refuse, "no model judges candidates"},
    {"prompt.programs_as_changes_description", refuse, k_prompts},
    {"prompt.system_message_changes_description", refuse, k_prompts},
    {"prompt.initial_changes_description", refuse, k_prompts},
    {"prompt.use_template_stochasticity", refuse, "prompts have one wording each"},
    {"prompt.template_variations", refuse, "prompts have one wording each"},
    {"prompt.use_meta_prompting", refuse, k_not_there},
    {"prompt.meta_prompt_weight", refuse, k_not_there},
    {"prompt.include_artifacts", refuse, "prompts always show the verdict"},
    {"prompt.max_artifact_bytes", refuse, "prompts are trimmed in tokens: mutators/README.md"},
    {"prompt.artifact_security_filter", refuse, "what is hidden never reaches a prompt"},
    {"prompt.suggest_simplification_after_chars", refuse, k_prompts},
    {"prompt.include_changes_under_chars", refuse, k_prompts},
    {"prompt.concise_implementation_max_lines", refuse, k_prompts},
    {"prompt.comprehensive_implementation_min_lines", refuse, k_prompts},
    {"prompt.diff_summary_max_line_len", refuse, k_prompts},
    {"prompt.diff_summary_max_lines", refuse, k_prompts},
    {"prompt.code_length_threshold", refuse, k_prompts},
    {"database.db_path", refuse, "the record is the run folder: --output"},
    {"database.in_memory", refuse, "the record is the run folder: --output"},
    {"database.log_prompts", refuse, k_recorded},
    {"database.population_size", refuse,
     "a grid keeps the best of each cell and needs no limit of its own"},
    {"database.archive_size", refuse, k_selection},
    {"database.elite_selection_ratio", refuse, k_selection},
    {"database.exploration_ratio", refuse, k_selection},
    {"database.exploitation_ratio", refuse, k_selection},
    {"database.novelty_llm", refuse, k_not_there},
    {"database.embedding_model", refuse, k_novelty},
    {"database.embedding_api_base", refuse, k_novelty},
    {"database.similarity_threshold", refuse, k_novelty},
    {"database.num_islands", integer, "islands.count"},
    {"database.island_initial_programs", refuse, k_task_has},
    {"database.diversity_metric", refuse, k_not_there},
    {"database.feature_dimensions", feature_dimensions, nullptr},
    {"database.feature_bins", feature_bins, nullptr},
    {"database.diversity_reference_size", refuse, "no axis here measures diversity"},
    {"database.migration_interval", integer, "migration.every"},
    {"database.migration_rate", migration_rate, nullptr},
    {"database.random_seed", refuse, "there is one seed: random_seed, which is campaign.seed"},
    {"database.artifacts_base_path", refuse, k_recorded},
    {"database.artifact_size_threshold", refuse, k_recorded},
    {"database.cleanup_old_artifacts", refuse, "nothing is ever deleted from a record"},
    {"database.artifact_retention_days", refuse, "nothing is ever deleted from a record"},
    {"database.max_snapshot_artifacts", refuse, k_recorded},
    {"evaluator.timeout", refuse,
     "compiling and launching have limits of their own: evaluation.compile_timeout_s, "
     "evaluation.launch_timeout_s"},
    {"evaluator.max_retries", refuse,
     "only evaluations that failed through no fault of the candidate are tried again: "
     "evaluation.retries"},
    {"evaluator.memory_limit_mb", integer, "evaluation.memory_mb"},
    {"evaluator.cpu_limit", refuse, "candidates are pinned: evaluation.device_cores"},
    {"evaluator.cascade_evaluation", refuse, "the cascade is fixed: reward/README.md"},
    {"evaluator.cascade_thresholds", refuse, "the cascade is fixed: reward/README.md"},
    {"evaluator.parallel_evaluations", refuse,
     "one candidate is measured on a device at a time: evaluation.devices"},
    {"evaluator.distributed", refuse, k_not_there},
    {"evaluator.use_llm_feedback", refuse, "no model judges candidates"},
    {"evaluator.llm_feedback_weight", refuse, "no model judges candidates"},
    {"evaluator.enable_artifacts", refuse, k_recorded},
    {"evaluator.max_artifact_storage", refuse, k_recorded},
    {"evaluator.evaluator_args", refuse, k_task_has},
    {"evolution_trace.enabled", refuse, k_recorded},
    {"evolution_trace.format", refuse, k_recorded},
    {"evolution_trace.include_code", refuse, k_recorded},
    {"evolution_trace.include_prompts", refuse, k_recorded},
    {"evolution_trace.include_failures", refuse, k_recorded},
    {"evolution_trace.output_path", refuse, k_recorded},
    {"evolution_trace.buffer_size", refuse, k_recorded},
    {"evolution_trace.compress", refuse, k_recorded},
};

constexpr const char* k_sections[] = {"llm", "prompt", "database", "evaluator", "evolution_trace"};

void read_key(Import& import, const YamlTree& value) {
    const auto* rule = std::find_if(std::begin(k_rules), std::end(k_rules),
                                    [&](const Rule& r) { return import.key == r.key; });
    if (rule == std::end(k_rules)) {
        import.refuse("is no key of openevolve 0.4.1");
    } else if (value.kind == YamlTree::Kind::none && rule->apply != refuse) {
        import.result.honoured.push_back({import.key, "nothing, as its default"});
    } else {
        rule->apply(import, value, rule->text);
    }
}

}  // namespace

Expected<ImportedConfig> import_openevolve(const std::string& yaml, const std::string& file_name,
                                           CampaignConfig base) {
    ATOLL_TRY_ASSIGN(const YamlTree root, read_yaml(yaml, file_name));
    if (root.kind != YamlTree::Kind::map) {
        return failure(ErrorCode::invalid_argument,
                       std::string("is ") + root.words() + ", no OpenEvolve config", file_name);
    }
    Import import{{std::move(base), {}, {}}, root, {}, 0};
    for (const auto& [name, value] : root.fields) {
        import.key = name;
        import.line = value.line;
        const bool section =
            std::find(std::begin(k_sections), std::end(k_sections), name) != std::end(k_sections);
        if (!section) {
            read_key(import, value);
        } else if (value.kind == YamlTree::Kind::map) {
            for (const auto& [inner, inner_value] : value.fields) {
                import.key = name + "." + inner;
                import.line = inner_value.line;
                read_key(import, inner_value);
            }
        } else if (value.kind != YamlTree::Kind::none) {
            import.refuse(std::string("must be a map, not ") + value.words());
        }
    }
    return std::move(import.result);
}

}  // namespace atl
