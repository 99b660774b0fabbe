#include "tools/atoll/comparison_report.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <functional>

namespace atl {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t k_columns = 6;

constexpr const char* k_method =
    "+-: 95 % confidence interval of the mean over the seeds, Student's t. area: mean of the best "
    "so far\nover all evaluations of the budget. p: Mann-Whitney U, two-sided, {}, Holm-corrected "
    "over {} pair{}.\nwins: share of pairs of runs in which the first is better (ties half).\n";

std::vector<double> values_of(const ComparedRecipe& recipe,
                              const std::function<double(const ComparedRun&)>& value) {
    std::vector<double> values;
    for (const ComparedRun& run : recipe.runs) {
        values.push_back(value(run));
    }
    return values;
}

std::vector<double> areas(const ComparedRecipe& recipe) {
    return values_of(recipe, [](const ComparedRun& run) { return run.area(); });
}
std::vector<double> lasts(const ComparedRecipe& recipe) {
    return values_of(recipe, [](const ComparedRun& run) { return run.last(); });
}
std::vector<double> confirmed(const ComparedRecipe& recipe) {
    std::vector<double> values;
    for (const ComparedRun& run : recipe.runs) {
        if (run.confirmed) {
            values.push_back(*run.confirmed);
        }
    }
    return values;
}

std::string text_of(const Estimate& estimate) {
    return fmt::format("{:.4g} +-{:.2g}", estimate.mean, estimate.high - estimate.mean);
}

/// Counts of evaluations at which the table shows the curves: the first, then evenly spread.
std::vector<std::size_t> table_columns(std::uint64_t budget) {
    std::vector<std::size_t> columns;
    for (std::size_t i = 1; i <= k_columns; ++i) {
        const auto column = static_cast<std::size_t>(
            std::llround(static_cast<double>(budget) * static_cast<double>(i) / k_columns));
        if (column > 0 && (columns.empty() || columns.back() != column)) {
            columns.push_back(column);
        }
    }
    return columns;
}

std::size_t name_width(const Comparison& comparison) {
    std::size_t width = 6;
    for (const ComparedRecipe& recipe : comparison.recipes) {
        width = std::max(width, recipe.name.size());
    }
    return width;
}

std::string curves_text(const Comparison& comparison) {
    const std::size_t width = name_width(comparison);
    const std::vector<std::size_t> columns = table_columns(comparison.budget);
    std::string text =
        fmt::format("Best so far after so many evaluations (mean +- interval)\n{:<{}}", "", width);
    for (const std::size_t column : columns) {
        text += fmt::format(" {:>15}", column);
    }
    text += "\n";
    for (const ComparedRecipe& recipe : comparison.recipes) {
        const std::vector<Estimate> curve = mean_curve(recipe);
        text += fmt::format("{:<{}}", recipe.name, width);
        for (const std::size_t column : columns) {
            text += fmt::format(" {:>15}", text_of(curve.at(column - 1)));
        }
        text += "\n";
    }
    return text;
}

std::string sums_text(const Comparison& comparison) {
    const std::size_t width = name_width(comparison);
    std::string text = fmt::format("\n{:<{}} {:>6} {:>18} {:>18} {:>18} {:>12}\n", "recipe", width,
                                   "runs", "area", "best", "confirmed", "evaluations");
    for (const ComparedRecipe& recipe : comparison.recipes) {
        const std::vector<double> last = confirmed(recipe);
        const std::vector<double> used = values_of(
            recipe, [](const ComparedRun& run) { return static_cast<double>(run.evaluations); });
        text += fmt::format(
            "{:<{}} {:>6} {:>18} {:>18} {:>18} {:>12.1f}\n", recipe.name, width, recipe.runs.size(),
            text_of(estimate_mean(areas(recipe))), text_of(estimate_mean(lasts(recipe))),
            last.empty() ? "none" : text_of(estimate_mean(last)), estimate_mean(used).mean);
    }
    return text;
}

// With few seeds nothing can be significant: said before somebody reads meaning into a p.
std::string smallest_p(const Comparison& comparison) {
    const std::size_t n = comparison.recipes.front().runs.size();
    double ways = 1;
    for (std::size_t i = 1; i <= n; ++i) {
        ways *= static_cast<double>(n + i) / static_cast<double>(i);
    }
    const double smallest = std::min(1.0, 2 / ways);
    return smallest < 0.05 ? ""
                           : fmt::format("With {} seed{} no p can be below {:.2g}: take more.\n", n,
                                         n == 1 ? "" : "s", smallest);
}

std::string pairs_text(const Comparison& comparison) {
    const std::vector<ComparedPair> pairs = comparison.pairs();
    if (pairs.empty()) {
        return "";
    }
    std::string text = "\n";
    for (const ComparedPair& pair : pairs) {
        text += fmt::format(
            "{} against {}: area p = {:.3g} (wins {:.0f} %), best p = {:.3g} (wins {:.0f} %)\n",
            comparison.recipes[pair.first].name, comparison.recipes[pair.second].name, pair.area_p,
            100 * pair.area.superiority, pair.last_p, 100 * pair.last.superiority);
    }
    return text + smallest_p(comparison);
}

Json json_of(const Estimate& estimate) {
    return {{"mean", estimate.mean}, {"low", estimate.low}, {"high", estimate.high}};
}

Json json_of(const RankTest& test, double corrected) {
    return {{"u", test.u},
            {"superiority", test.superiority},
            {"p", test.p},
            {"p_holm", corrected},
            {"exact", test.exact}};
}

Json json_of(const ComparedRecipe& recipe) {
    Json runs = Json::array();
    for (const ComparedRun& run : recipe.runs) {
        runs.push_back({{"seed", run.seed},
                        {"evaluations", run.evaluations},
                        {"best", run.last()},
                        {"area", run.area()},
                        {"confirmed", run.confirmed ? Json(*run.confirmed) : Json()},
                        {"best_so_far", run.best_so_far}});
    }
    Json curve = {{"mean", Json::array()}, {"low", Json::array()}, {"high", Json::array()}};
    for (const Estimate& estimate : mean_curve(recipe)) {
        curve["mean"].push_back(estimate.mean);
        curve["low"].push_back(estimate.low);
        curve["high"].push_back(estimate.high);
    }
    return {{"name", recipe.name},
            {"area", json_of(estimate_mean(areas(recipe)))},
            {"best", json_of(estimate_mean(lasts(recipe)))},
            {"curve", std::move(curve)},
            {"runs", std::move(runs)}};
}

}  // namespace

std::vector<ComparedPair> Comparison::pairs() const {
    std::vector<ComparedPair> pairs;
    std::vector<double> area_p;
    std::vector<double> last_p;
    for (std::size_t i = 0; i < recipes.size(); ++i) {
        for (std::size_t j = i + 1; j < recipes.size(); ++j) {
            ComparedPair pair;
            pair.first = i;
            pair.second = j;
            pair.area = rank_test(areas(recipes[i]), areas(recipes[j]));
            pair.last = rank_test(lasts(recipes[i]), lasts(recipes[j]));
            area_p.push_back(pair.area.p);
            last_p.push_back(pair.last.p);
            pairs.push_back(pair);
        }
    }
    area_p = holm(area_p);
    last_p = holm(last_p);
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        pairs[i].area_p = area_p[i];
        pairs[i].last_p = last_p[i];
    }
    return pairs;
}

std::string comparison_text(const Comparison& comparison) {
    const std::vector<ComparedPair> pairs = comparison.pairs();
    const bool exact = std::all_of(pairs.begin(), pairs.end(),
                                   [](const ComparedPair& pair) { return pair.area.exact; });
    const std::size_t seeds = comparison.recipes.front().runs.size();
    std::string text = fmt::format("{}: {} evaluations a run, {} seed{}\n\n", comparison.task,
                                   comparison.budget, seeds, seeds == 1 ? "" : "s");
    text += curves_text(comparison) + sums_text(comparison) + pairs_text(comparison) + "\n";
    text += fmt::format(fmt::runtime(k_method), exact ? "exact" : "normal approximation",
                        pairs.size(), pairs.size() == 1 ? "" : "s");
    for (const std::string& note : comparison.notes) {
        text += "note: " + note + "\n";
    }
    return text;
}

std::string comparison_json(const Comparison& comparison, const std::filesystem::path& plot) {
    Json json = {{"task", comparison.task},
                 {"budget", comparison.budget},
                 {"interval", "95 %, Student's t, of the mean over the seeds"},
                 {"test", "Mann-Whitney U, two-sided; p_holm is corrected over all pairs"},
                 {"plot", plot.string()},
                 {"recipes", Json::array()},
                 {"pairs", Json::array()},
                 {"notes", comparison.notes}};
    for (const ComparedRecipe& recipe : comparison.recipes) {
        json["recipes"].push_back(json_of(recipe));
    }
    for (const ComparedPair& pair : comparison.pairs()) {
        json["pairs"].push_back({{"first", comparison.recipes[pair.first].name},
                                 {"second", comparison.recipes[pair.second].name},
                                 {"area", json_of(pair.area, pair.area_p)},
                                 {"best", json_of(pair.last, pair.last_p)}});
    }
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace atl
