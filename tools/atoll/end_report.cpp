#include "tools/atoll/end_report.hpp"

#include "population/lineage/lineage_report.hpp"
#include "population/lineage/text_chart.hpp"
#include "population/lineage/text_layout.hpp"
#include "reward/base/words.hpp"
#include "search/best_files.hpp"
#include "search/confirm.hpp"
#include "search/fitness.hpp"
#include "tools/atoll/evaluator_options.hpp"
#include "tools/atoll/model_report.hpp"
#include "tools/atoll/program.hpp"
#include "tools/atoll/progress.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <set>

namespace atl {

namespace {

// In the order of measuring, which is not that of committing.
std::string chart_of(const CampaignState& state, bool speedup) {
    std::vector<ChartPoint> points;
    const double scale = estimate_scale(state);
    const std::set<Digest> refused = keys_turned_down(state);
    for (const Individual& individual : state.individuals()) {
        if (individual.fitness > 0 && !refused.contains(state.program_of(individual))) {
            points.push_back(
                {static_cast<double>(individual.done_ns) / 1e9, individual.fitness * scale});
        }
    }
    if (points.empty()) {
        return "";
    }
    std::stable_sort(points.begin(), points.end(),
                     [](const ChartPoint& a, const ChartPoint& b) { return a.x < b.x; });
    for (std::size_t i = 1; i < points.size(); ++i) {
        points[i].y = std::max(points[i].y, points[i - 1].y);
    }
    points.push_back({std::max(points.back().x, static_cast<double>(state.elapsed_ns()) / 1e9),
                      points.back().y});
    return text_chart(points,
                      {60, 10, "seconds", speedup ? "speed-up (search estimates)" : "fitness"});
}

std::string worth(const Verdict& verdict, const Confirmed& confirmed, const CampaignConfig& config,
                  const Task& task) {
    if (task.external) {
        return fmt::format("Score          {:.6g} (as judged again at the end)\n",
                           confirmed.fitness);
    }
    std::string text;
    if (const auto speedup = speedup_over(verdict, k_rival_starter)) {
        text += fmt::format(
            "Speed-up       {:.2f}x over {} (the first starter){},\n"
            "               measured side by side\n",
            *speedup, task.starters.front().name,
            task.kind == "cpu_cpp" ? " at -O3 -march=native" : "");
    }
    if (const double share = light_share(verdict); share > 0) {
        text += fmt::format("Speed of light {:.0f} %\n", 100 * share);
    }
    for (const Baseline& baseline : task.baselines) {
        if (const auto ratio = speedup_over(verdict, baseline.name)) {
            text += fmt::format("{:<14} {:.2f} of its speed, measured side by side\n",
                                baseline.name, *ratio);
        } else if (config.confirm.baselines) {
            text += fmt::format(
                "{:<14} not measured (not available on this machine, or the "
                "best was confirmed before the end)\n",
                baseline.name);
        }
    }
    if (!verdict.noise.empty()) {
        text += "Noise          " + one_line(verdict.noise, 500) + "\n";
    }
    return text;
}

std::string show_source(const Individual& individual, const std::filesystem::path& run) {
    return shell_quoted(program_name()) + " lineage " + shell_quoted(run.string()) + " show " +
           individual.id.text() + " --source";
}

// Where the best kernel is.
std::string place_of(const Individual& best, const Task& task, const std::filesystem::path& run,
                     const std::optional<Error>& failure) {
    const std::filesystem::path file = best_file(run / "best", task);
    if (!failure) {
        return fmt::format("Best           {}\n", file.string());
    }
    return fmt::format(
        "Best           not in {}, which could not be written:\n"
        "               {}\n"
        "               its source: {}\n",
        file.string(), one_line(failure->message(), 500), show_source(best, run));
}

// Comments stand on lines of their own, so that each command can be copied whole. The task is named
// by its folder: which task has a name depends on where one stands.
std::string next_steps(const EngineReport& report, const CampaignConfig& config, const Task& task,
                       const std::filesystem::path& run, bool best_written) {
    const std::string program = shell_quoted(program_name());
    const std::string folder = shell_quoted(run.string());
    const Confirmed* confirmed = report.state.confirmed() ? &*report.state.confirmed() : nullptr;
    std::string text = "Next:\n";
    if (confirmed != nullptr) {
        text += fmt::format("  # how the best came to be\n  {} lineage {} path\n", program, folder);
    }
    if (confirmed != nullptr && best_written) {
        text += fmt::format("  # measure it again\n  {} eval {} {}{}{}\n", program,
                            shell_quoted(task.folder.string()),
                            shell_quoted(best_file(run / "best", task).string()),
                            flag_words(*report.state.find(confirmed->individual)),
                            evaluator_words(options_for(task, evaluator_options(config))));
    }
    const std::string larger = larger_budget(config.stop, report.state);
    // A finished campaign that no budget ended would end at once the same way.
    if (!report.finished || confirmed == nullptr || !larger.empty()) {
        text += fmt::format("  # go on searching\n  {} resume {}{}\n", program, folder, larger);
    }
    return text;
}

}  // namespace

std::string larger_budget(const StopSettings& stop, const CampaignState& state) {
    std::string options;
    const auto evaluations = static_cast<std::int64_t>(state.evaluations());
    if (stop.max_evaluations > 0 && evaluations >= stop.max_evaluations) {
        options += fmt::format(" --max-evaluations {}", 2 * evaluations);
    }
    const double seconds = static_cast<double>(state.elapsed_ns()) / 1e9;
    if (stop.seconds > 0 && seconds >= stop.seconds) {
        options += fmt::format(" --seconds {:.0f}", std::ceil(2 * seconds));
    }
    return options;
}

std::string end_report(const EngineReport& report, const CampaignConfig& config, const Task& task,
                       const TextSource& texts, const std::filesystem::path& run,
                       const std::optional<Error>& best_failure) {
    const CampaignState& state = report.state;
    std::string text = fmt::format("Stopped: {}. {} evaluations, starters included, in {}.\n\n",
                                   one_line(report.reason, 300), state.evaluations(),
                                   duration_text(state.elapsed_ns()));
    if (state.confirmed()) {
        const Individual* individual = state.find(state.confirmed()->individual);
        text += place_of(*individual, task, run, best_failure);
        text += fmt::format("               individual {}: {}\n", individual->id.text(),
                            one_line(individual->description, 200));
        const auto json = texts.text(state.confirmed()->verdict);
        const auto verdict = json ? parse_verdict(*json) : tl::unexpected(json.error());
        text += verdict ? worth(*verdict, *state.confirmed(), config, task) : "";
    } else {
        text += "No best was confirmed";
        const Individual* fittest = fittest_not_refused(state);
        text += fittest == nullptr
                    ? ".\n"
                    : "; the fittest found is individual " + fittest->id.text() + ".\n";
    }
    const std::string models = model_lines(state);
    text += models.empty() ? "" : "\nModels\n" + models;
    const std::string chart = chart_of(state, config.score == "speedup");
    text += chart.empty() ? "" : "\n" + chart;
    text += "\n" + next_steps(report, config, task, run, !best_failure);
    return printable(text + "Everything is in " + run.string() + "\n");
}

std::string end_report_json(const EngineReport& report, const Task& task, const TextSource& texts,
                            const std::filesystem::path& run,
                            const std::optional<Error>& best_failure) {
    const CampaignState& state = report.state;
    nlohmann::json json = {{"event", "stopped"},
                           {"reason", report.reason},
                           {"finished", report.finished},
                           {"evaluations", state.evaluations()},
                           {"elapsed_s", static_cast<double>(state.elapsed_ns()) / 1e9},
                           {"run", run.string()},
                           {"models", model_json(state)},
                           {"best", nullptr}};
    if (state.confirmed()) {
        const Confirmed& confirmed = *state.confirmed();
        const Individual& one = *state.find(confirmed.individual);
        const auto text = texts.text(confirmed.verdict);
        const auto verdict = text ? parse_verdict(*text) : tl::unexpected(text.error());
        nlohmann::json best = {{"individual", one.id.text()},
                               {"file", best_file(run / "best", task).string()},
                               {"confirmed_fitness", confirmed.fitness},
                               {"search_fitness", one.fitness},
                               {"operator", one.operator_name},
                               {"starter", one.starter},
                               {"tune", one.tune.values()},
                               {"flags", one.flags},
                               {"speedup", nullptr},
                               {"light_share", verdict ? light_share(*verdict) : 0}};
        if (best_failure) {
            best["file"] = nullptr;
        }
        if (const auto speedup = verdict ? speedup_over(*verdict, k_rival_starter) : std::nullopt) {
            best["speedup"] = *speedup;
        }
        json["best"] = std::move(best);
    }
    // Texts of operators may hold any bytes.
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace atl
