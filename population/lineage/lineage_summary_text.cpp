#include "population/lineage/lineage_summary.hpp"
#include "population/lineage/text_chart.hpp"
#include "population/lineage/text_layout.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace atl {

namespace {

using Summary = LineageSummary;
using Rows = std::vector<std::vector<std::string>>;
using Json = nlohmann::ordered_json;

std::string number(std::uint64_t value) {
    return std::to_string(value);
}
std::string fitness_text(double fitness) {
    return fitness > 0 ? fmt::format("{:.4g}", fitness) : "-";
}

std::string heading(const Summary& s) {
    Rows rows;
    rows.push_back({"campaign", fmt::format("{}, seed {}, Atoll {}", one_line(s.task), s.seed,
                                            one_line(s.atoll_version))});
    rows.push_back({"device", one_line(s.device, 300)});
    rows.push_back({"time", fmt::format("{} in {} session{}", duration_text(s.elapsed_ns),
                                        s.sessions, s.sessions == 1 ? "" : "s")});
    std::string end = "still running, or killed: `atoll resume` goes on";
    if (!s.stop_reason.empty()) {
        end = one_line(s.stop_reason, 200) + (s.finished ? "" : " (`atoll resume` goes on)");
    }
    rows.push_back({"end", end});
    rows.push_back({"tickets", fmt::format("{}: {} committed, {} failed, {} in flight", s.tickets,
                                           s.committed, s.failed, s.in_flight)});
    rows.push_back(
        {"evaluations", fmt::format("{}, and {} duplicate{} answered without", s.evaluations,
                                    s.duplicates, s.duplicates == 1 ? "" : "s")});
    if (s.turned_down > 0) {
        rows.push_back({"turned down", fmt::format("{} proposal{} too similar to what was known",
                                                   s.turned_down, s.turned_down == 1 ? "" : "s")});
    }
    std::string best = "none";
    if (s.best) {
        best = fmt::format("{} by {}, fitness {:.4g}, {}", s.best->text(),
                           one_line(s.best_operator), s.best_fitness,
                           s.confirmed_fitness
                               ? fmt::format("confirmed at {:.4g}", *s.confirmed_fitness)
                               : "not confirmed");
    }
    rows.push_back({"best", best});
    return aligned(rows);
}

std::string outcome_table(const Summary& s) {
    Rows rows = {{"outcome", "count", "share"}};
    for (const auto& [outcome, count] : s.outcomes) {
        rows.push_back({std::string(to_string(outcome)), number(count),
                        fmt::format("{:.1f} %", 100.0 * static_cast<double>(count) /
                                                    static_cast<double>(s.evaluations))});
    }
    return aligned(rows);
}

std::string island_table(const Summary& s) {
    Rows rows = {
        {"island", "born", "correct", "migrants", "kept", "best", "fitness", "starters alive"}};
    for (const Summary::Island& i : s.islands) {
        std::string starters;
        for (const std::string& name : i.starters) {
            starters += (starters.empty() ? "" : ", ") + one_line(name, 40);
        }
        rows.push_back({number(i.island), number(i.individuals), number(i.correct),
                        number(i.migrants), number(i.kept), i.best ? i.best->text() : "-",
                        fitness_text(i.best_fitness), starters});
    }
    return aligned(rows);
}

std::string operator_table(const Summary& s) {
    Rows rows = {{"operator", "issued", "committed", "failed", "evaluations", "duplicates",
                  "improved", "mean reward", "best", "compile s", "device s"}};
    for (const Summary::Operator& o : s.operators) {
        rows.push_back({one_line(o.name, 40), number(o.issued), number(o.committed),
                        number(o.failed), number(o.evaluations), number(o.duplicates),
                        number(o.improved), fmt::format("{:.4f}", o.mean_reward),
                        fitness_text(o.best_fitness), fmt::format("{:.1f}", o.compile_seconds),
                        fmt::format("{:.1f}", o.device_seconds)});
    }
    return aligned(rows);
}

/// Empty where no operator predicted anything.
std::string prediction_table(const Summary& s) {
    Rows rows = {{"operator", "predicted", "right", "mean prediction", "mean gain", "within 20 %"}};
    for (const Summary::Operator& o : s.operators) {
        const Summary::Operator::Predictions& p = o.predictions;
        if (p.count > 0) {
            rows.push_back({one_line(o.name, 40), number(p.count), number(p.right),
                            fitness_text(p.predicted_gain), fitness_text(p.real_gain),
                            number(p.accurate)});
        }
    }
    return rows.size() == 1 ? "" : aligned(rows);
}

std::string share_text(std::uint64_t part, std::uint64_t all) {
    return all == 0 ? "-"
                    : fmt::format("{:.0f} %",
                                  100.0 * static_cast<double>(part) / static_cast<double>(all));
}

/// Empty where no model was asked.
std::string model_table(const Summary& s) {
    Rows rows = {{"model", "operator", "tickets", "calls", "failed", "child at first try",
                  "compiled", "right", "right at last", "tokens", "cached", "dollars"}};
    for (const Summary::Model& m : s.models) {
        rows.push_back({one_line(m.model, 40), one_line(m.operator_name, 40), number(m.tickets),
                        number(m.calls), number(m.failed), share_text(m.first_try, m.tickets),
                        share_text(m.first_compiled, m.tickets),
                        share_text(m.first_right, m.tickets), share_text(m.right, m.tickets),
                        fmt::format("{} + {}", m.prompt_tokens, m.completion_tokens),
                        share_text(static_cast<std::uint64_t>(m.cached_tokens),
                                   static_cast<std::uint64_t>(m.prompt_tokens)),
                        fmt::format("{:.4g}", static_cast<double>(m.nano_dollars) / 1e9)});
    }
    return rows.size() == 1 ? "" : aligned(rows);
}

std::string migration_text(const Summary& s) {
    constexpr std::size_t k_shown = 8;
    std::string text = fmt::format("migrations: {}, of which {} brought an ancestor of the best\n",
                                   s.migrations, s.ancestral_migrations.size());
    for (std::size_t i = 0; i < std::min(k_shown, s.ancestral_migrations.size()); ++i) {
        const Summary::Migration& m = s.ancestral_migrations[i];
        text += fmt::format("  {} from island {} to {} after commit {}\n", m.individual.text(),
                            m.from, m.to, m.after_commit);
    }
    return text;
}

std::string progress_chart(const Summary& s) {
    std::vector<ChartPoint> points;
    for (const Summary::Step& step : s.progress) {
        points.push_back({static_cast<double>(step.evaluations), step.fitness});
    }
    if (!points.empty()) {
        points.push_back({static_cast<double>(s.evaluations), points.back().y});
    }
    return text_chart(
        points,
        {.width = 60, .height = 10, .x_label = "evaluations", .y_label = "best fitness so far"});
}

Json to_json_value(const Summary::Operator& o) {
    return {{"operator", o.name},
            {"issued", o.issued},
            {"committed", o.committed},
            {"failed", o.failed},
            {"evaluations", o.evaluations},
            {"duplicates", o.duplicates},
            {"correct", o.correct},
            {"improved", o.improved},
            {"mean_reward", o.mean_reward},
            {"best_fitness", o.best_fitness},
            {"compile_seconds", o.compile_seconds},
            {"device_seconds", o.device_seconds},
            {"predictions",
             {{"count", o.predictions.count},
              {"right", o.predictions.right},
              {"predicted_gain", o.predictions.predicted_gain},
              {"real_gain", o.predictions.real_gain},
              {"accurate", o.predictions.accurate}}}};
}

Json to_json_value(const Summary::Model& m) {
    return {{"model", m.model},
            {"operator", m.operator_name},
            {"tickets", m.tickets},
            {"calls", m.calls},
            {"failed", m.failed},
            {"first_try", m.first_try},
            {"first_compiled", m.first_compiled},
            {"first_right", m.first_right},
            {"right", m.right},
            {"prompt_tokens", m.prompt_tokens},
            {"cached_tokens", m.cached_tokens},
            {"completion_tokens", m.completion_tokens},
            {"dollars", static_cast<double>(m.nano_dollars) / 1e9}};
}

Json to_json_value(const Summary::Island& i) {
    return {{"island", i.island},
            {"individuals", i.individuals},
            {"correct", i.correct},
            {"migrants", i.migrants},
            {"kept", i.kept},
            {"best", i.best ? Json(i.best->text()) : Json()},
            {"best_fitness", i.best_fitness},
            {"starters", i.starters}};
}

Json to_json_value(const Summary::Step& step) {
    return {{"evaluations", step.evaluations},
            {"at_ns", step.at_ns},
            {"fitness", step.fitness},
            {"id", step.id.text()}};
}

Json to_json_value(const Summary::Migration& m) {
    return {{"individual", m.individual.text()},
            {"from", m.from},
            {"to", m.to},
            {"after_commit", m.after_commit}};
}

template <class T>
Json to_json_array(const std::vector<T>& values) {
    Json array = Json::array();
    for (const T& value : values) {
        array.push_back(to_json_value(value));
    }
    return array;
}

}  // namespace

std::string to_text(const LineageSummary& summary) {
    std::string text = heading(summary);
    if (!summary.outcomes.empty()) {
        text += "\n" + outcome_table(summary);
    }
    if (!summary.islands.empty()) {
        text += "\n" + island_table(summary);
        text += "\n" + operator_table(summary);
        if (const std::string models = model_table(summary); !models.empty()) {
            text += "\n" + models;
        }
        if (const std::string predictions = prediction_table(summary); !predictions.empty()) {
            text += "\n" + predictions;
        }
        text += "\n" + migration_text(summary);
    }
    if (!summary.progress.empty()) {
        text += "\n" + progress_chart(summary);
    }
    return text;
}

std::string to_json(const LineageSummary& s) {
    Json outcomes = Json::object();
    for (const auto& [outcome, count] : s.outcomes) {
        outcomes[std::string(to_string(outcome))] = count;
    }
    const Json json = {
        {"task", s.task},
        {"seed", s.seed},
        {"atoll_version", s.atoll_version},
        {"device", s.device},
        {"sessions", s.sessions},
        {"elapsed_ns", s.elapsed_ns},
        {"stop_reason", s.stop_reason.empty() ? Json() : Json(s.stop_reason)},
        {"finished", s.finished},
        {"tickets",
         {{"issued", s.tickets},
          {"committed", s.committed},
          {"failed", s.failed},
          {"in_flight", s.in_flight}}},
        {"evaluations", s.evaluations},
        {"duplicates", s.duplicates},
        {"turned_down", s.turned_down},
        {"outcomes", outcomes},
        {"islands", to_json_array(s.islands)},
        {"operators", to_json_array(s.operators)},
        {"models", to_json_array(s.models)},
        {"migrations", s.migrations},
        {"resets", s.resets},
        {"ancestral_migrations", to_json_array(s.ancestral_migrations)},
        {"best", s.best ? Json(s.best->text()) : Json()},
        {"best_fitness", s.best_fitness},
        {"confirmed_fitness", s.confirmed_fitness ? Json(*s.confirmed_fitness) : Json()},
        {"progress", to_json_array(s.progress)},
    };
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace atl
