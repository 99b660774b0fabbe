#include "reward/base/files.hpp"
#include "reward/base/words.hpp"
#include "search/recipes.hpp"
#include "tools/atoll/comparison_runs.hpp"
#include "tools/atoll/config_layers.hpp"
#include "tools/atoll/exit_codes.hpp"
#include "tools/atoll/output.hpp"
#include "tools/atoll/program.hpp"
#include "tools/atoll/usage_error.hpp"
#include "tools/atoll/verbs.hpp"

#include <CLI/CLI.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cstdio>
#include <ctime>
#include <memory>

namespace atl {

namespace {

namespace fs = std::filesystem;

constexpr const char* k_footer = R"(Examples:
  atoll compare --recipes openevolve,best_of_n --task softmax --budget 200 --seeds 5
  atoll compare --recipes a.toml,b.toml --task softmax --budget 100 --output runs/ab
  atoll compare --recipes shinka,funsearch --task softmax --budget 200 --set models.coder.url=http://127.0.0.1:8100/v1
The same command with --output goes on after Ctrl-C, and takes more seeds or a larger budget: what is
done is not done again. OUTPUT/RECIPE/seed-N is a run folder, OUTPUT/curves.svg the plot.
Exit status: 0 compared, 2 bad input, 3 a fault of the machine, 130 interrupted.)";

struct Arguments {
    std::vector<std::string> recipes;
    fs::path common;
    std::string task;
    std::string kind;
    std::vector<std::string> keys;
    std::int64_t budget = 0;
    std::int64_t seeds = 5;
    std::int64_t first_seed = 1;
    fs::path output;
    bool json = false;
    bool quiet = false;
};

ComparisonPlan plan_of(const Arguments& arguments) {
    ComparisonPlan plan;
    for (const std::string& name : arguments.recipes) {
        ConfigLayers layers{name, arguments.common, arguments.task, arguments.keys};
        CampaignConfig config = read_layers(layers);
        if (!arguments.kind.empty()) {
            config.campaign.kind = arguments.kind;
        }
        for (const std::string& remark : lint_config(config)) {
            if (!remark.starts_with("no stop rule")) {  // the budget is one
                complain("note: " + name + ": " + remark);
            }
        }
        plan.recipes.push_back({value_or_end(load_recipe(name)).name, std::move(config)});
    }
    plan.budget = static_cast<std::uint64_t>(arguments.budget);
    plan.seeds = arguments.seeds;
    plan.first_seed = arguments.first_seed;
    plan.show_campaigns = !arguments.json && !arguments.quiet;
    make_comparable(plan);
    const std::time_t now = std::time(nullptr);
    plan.folder = arguments.output.empty()
                      ? fs::path(fmt::format("runs/compare-{:%Y%m%d-%H%M%S}", fmt::localtime(now)))
                      : arguments.output;
    return plan;
}

/// Says where a comparison is, and how long it may still take.
class Teller {
  public:
    explicit Teller(const Arguments& arguments) : m_arguments(arguments) {}

    void operator()(const ComparisonStep& step) {
        if (m_arguments.quiet || (!step.ended && step.was_there)) {
            return;
        }
        if (!step.ended) {
            say(fmt::format("{} at work", place(step)));
            return;
        }
        m_seconds += step.was_there ? 0 : step.seconds;
        m_run += step.was_there ? 0 : 1;
        std::string text = fmt::format("{} best {:.4g}", place(step), step.best);
        text += step.was_there ? ", was done before" : fmt::format(", took {:.1f} s", step.seconds);
        if (m_run > 0 && step.number < step.of) {
            text += fmt::format("; about {:.0f} s left",
                                m_seconds / m_run * static_cast<double>(step.of - step.number));
        }
        say(text);
    }

  private:
    static std::string place(const ComparisonStep& step) {
        return fmt::format("[{}/{}] {}, seed {}:", step.number, step.of, step.recipe, step.seed);
    }
    // JSON alone goes to standard output.
    void say(const std::string& text) const {
        if (m_arguments.json) {
            complain(text);
        } else {
            print(text + "\n");
        }
    }

    const Arguments& m_arguments;
    double m_seconds = 0;
    double m_run = 0;
};

// A signal that comes before a campaign has begun ends its command, and there is a way on as well.
int run_all(const ComparisonPlan& plan, Teller& teller) {
    try {
        return run_comparison(plan, [&teller](const ComparisonStep& step) { teller(step); });
    } catch (const CommandError& error) {
        if (error.exit_status() != k_exit_interrupted) {
            throw;
        }
        return k_exit_interrupted;
    }
}

int compare(const Arguments& arguments) {
    const ComparisonPlan plan = plan_of(arguments);
    Teller teller(arguments);
    const int status = run_all(plan, teller);
    if (status != k_exit_ok) {
        complain("not all campaigns are done; the same command with --output " +
                 shell_quoted(plan.folder.string()) + " goes on");
        return status;
    }
    const Comparison comparison = read_comparison(plan);
    const fs::path plot = plan.folder / "curves.svg";
    value_or_end(write_file_durably(plot, comparison_svg(comparison)));
    const std::string json = comparison_json(comparison, plot);
    value_or_end(write_file_durably(plan.folder / "comparison.json", json));
    print(arguments.json ? json
                         : "\n" + comparison_text(comparison) + "Plot: " + plot.string() + "\n");
    return k_exit_ok;
}

}  // namespace

void add_compare_verb(CLI::App& app, VerbContext& context) {
    CLI::App* verb = app.add_subcommand(
        "compare", "Recipes against each other: equal task, evaluator and budget, several seeds");
    verb->footer(k_footer);
    auto arguments = std::make_shared<Arguments>();
    verb->add_option("--recipes", arguments->recipes,
                     "Names of `atoll recipe list`, or configs by their path, with commas between")
        ->delimiter(',')
        ->required();
    verb->add_option("--task", arguments->task, "Instead of campaign.task");
    verb->add_option("--budget", arguments->budget,
                     "Evaluations of each campaign, starters among them")
        ->required()
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{10'000'000}));
    verb->add_option("--seeds", arguments->seeds, "Campaigns of each recipe")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    verb->add_option("--first-seed", arguments->first_seed, "The first of them; the others follow")
        ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 40))
        ->capture_default_str();
    verb->add_option("--config", arguments->common,
                     "Config (TOML) whose keys win over every recipe's: the evaluator's, say");
    verb->add_option("--set", arguments->keys, "KEY=VALUE, for all; may be given several times")
        ->allow_extra_args(false);
    verb->add_option("--kind", arguments->kind, "Instead of campaign.kind: cpu_cpp or cuda")
        ->type_name("KIND")
        ->check(refuse_unknown_kind);
    verb->add_option("--output", arguments->output,
                     "Folder of all runs (default: runs/compare-TIME)");
    verb->add_flag("--json", arguments->json, "One JSON object; progress on standard error");
    verb->add_flag("--quiet", arguments->quiet, "No progress");
    verb->callback([arguments, &context] { context.exit_status = compare(*arguments); });
}

}  // namespace atl
