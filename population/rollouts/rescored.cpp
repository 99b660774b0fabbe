#include "population/rollouts/rescored.hpp"

#include "population/lineage/text_layout.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>

namespace atl {

namespace {

using Places = std::map<std::string, std::vector<std::size_t>>;

Rewards values_at(const std::vector<RescoredRow>& rows, const std::vector<std::size_t>& places,
                  std::optional<double> RescoredRow::*value) {
    Rewards values;
    for (const std::size_t place : places) {
        values.push_back(rows[place].*value);
    }
    return values;
}

/// Rows by a word of their records; those without are left out.
Places places_by(const std::vector<RescoredRow>& rows, std::string RunRecord::*word) {
    Places places;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (const std::string& key = rows[i].record->*word; !key.empty()) {
            places[key].push_back(i);
        }
    }
    return places;
}

void add_returns(std::vector<RescoredRow>& rows, double gamma, Returns returns) {
    for (auto& [trajectory, places] : places_by(rows, &RunRecord::trajectory)) {
        std::stable_sort(places.begin(), places.end(), [&](std::size_t a, std::size_t b) {
            return rows[a].record->turn < rows[b].record->turn;
        });
        const Rewards values =
            turn_returns(values_at(rows, places, &RescoredRow::reward), gamma, returns);
        for (std::size_t i = 0; i < places.size(); ++i) {
            rows[places[i]].turn_return = values[i];
        }
    }
    for (RescoredRow& row : rows) {
        if (row.record->trajectory.empty()) {
            row.turn_return = row.reward;
        }
    }
}

void add_advantages(std::vector<RescoredRow>& rows, const Places& groups, Advantage advantage,
                    std::optional<double> RescoredRow::*of) {
    for (const auto& [group, places] : groups) {
        const Rewards values = advantages(values_at(rows, places, of), advantage);
        for (std::size_t i = 0; i < places.size(); ++i) {
            rows[places[i]].advantage = values[i];
        }
    }
}

std::vector<Rescored::BestOf> best_of_groups(const std::vector<RescoredRow>& rows,
                                             const Places& groups) {
    std::vector<Rescored::BestOf> all;
    for (std::size_t k = 1;; k *= 2) {
        Rescored::BestOf one{k, 0, 0};
        for (const auto& [group, places] : groups) {
            std::vector<double> values;
            for (const std::size_t place : places) {
                if (rows[place].reward) {
                    values.push_back(*rows[place].reward);
                }
            }
            if (const std::optional<double> best = best_of(values, k)) {
                one.mean += *best;
                ++one.groups;
            }
        }
        if (one.groups == 0) {
            return all;
        }
        one.mean /= static_cast<double>(one.groups);
        all.push_back(one);
    }
}

std::string cell(const std::optional<double>& value) {
    return value ? fmt::format("{:.4g}", *value) : "-";
}

nlohmann::ordered_json json_of(const std::optional<double>& value) {
    return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
}

}  // namespace

Rescored rescore(const std::vector<RunRecord>& records, const ScorePreset& preset,
                 const RescoreSettings& settings) {
    Rescored result;
    result.preset = preset.words();
    result.settings = settings;
    Rewards rewards;
    for (const RunRecord& record : records) {
        RescoredRow row;
        row.record = &record;
        if (!record.logged.empty()) {
            row.logged = record.logged.front().second;
        }
        if (record.verdict) {
            row.reward = record.verdict->rewards.at(0);
        }
        rewards.push_back(row.reward);
        result.rows.push_back(row);
    }
    result.all = group_statistics(rewards);
    const Places groups = places_by(result.rows, &RunRecord::group);
    result.groups = groups.size();
    for (const auto& [group, places] : groups) {
        result.degenerate_groups +=
            group_statistics(values_at(result.rows, places, &RescoredRow::reward)).is_degenerate()
                ? 1
                : 0;
    }
    result.best_of = best_of_groups(result.rows, groups);
    if (settings.gamma) {
        add_returns(result.rows, *settings.gamma, settings.returns);
    }
    if (settings.advantage) {
        add_advantages(result.rows, groups, *settings.advantage,
                       settings.gamma ? &RescoredRow::turn_return : &RescoredRow::reward);
    }
    return result;
}

std::string to_text(const Rescored& rescored, std::size_t most) {
    std::string text = fmt::format(
        "{}\n{} records, {} with a reward: mean {:.4g}, deviation {:.4g}, from {:.4g} to {:.4g}\n",
        rescored.preset, rescored.rows.size(), rescored.all.count, rescored.all.mean,
        rescored.all.deviation, rescored.all.least, rescored.all.most);
    if (rescored.groups > 0) {
        text += fmt::format("{} groups, {} of them tell nothing apart\n", rescored.groups,
                            rescored.degenerate_groups);
    }
    for (const Rescored::BestOf& one : rescored.best_of) {
        text +=
            fmt::format("best of {}: {:.4g} (mean of {} groups)\n", one.k, one.mean, one.groups);
    }
    std::vector<std::vector<std::string>> table = {
        {"record", "logged", "reward", "return", "advantage", "turn", "outcome", "group"}};
    for (std::size_t i = 0; i < std::min(most, rescored.rows.size()); ++i) {
        const RescoredRow& row = rescored.rows[i];
        const RunRecord& record = *row.record;
        table.push_back(
            {record.name, cell(row.logged), cell(row.reward), cell(row.turn_return),
             cell(row.advantage), record.turn < 0 ? "-" : std::to_string(record.turn),
             record.verdict ? std::string(to_string(record.verdict->outcome)) : "no verdict",
             one_line(record.group, 40)});
    }
    text += "\n" + aligned(table);
    if (rescored.rows.size() > most) {
        text += fmt::format("... and {} more (--rows)\n", rescored.rows.size() - most);
    }
    return text;
}

std::string to_json(const Rescored& rescored) {
    using Json = nlohmann::ordered_json;
    Json rows = Json::array();
    for (const RescoredRow& row : rescored.rows) {
        const RunRecord& record = *row.record;
        rows.push_back(
            {{"record", record.name},
             {"group", record.group},
             {"trajectory", record.trajectory},
             {"turn", record.turn < 0 ? Json(nullptr) : Json(record.turn)},
             {"policy_version", record.policy_version},
             {"outcome", record.verdict ? Json(to_string(record.verdict->outcome)) : Json(nullptr)},
             {"logged", json_of(row.logged)},
             {"reward", json_of(row.reward)},
             {"return", json_of(row.turn_return)},
             {"advantage", json_of(row.advantage)}});
    }
    Json best = Json::array();
    for (const Rescored::BestOf& one : rescored.best_of) {
        best.push_back({{"k", one.k}, {"mean", one.mean}, {"groups", one.groups}});
    }
    const Json json = {
        {"preset", rescored.preset},   {"rewards", rescored.all.count},
        {"mean", rescored.all.mean},   {"deviation", rescored.all.deviation},
        {"least", rescored.all.least}, {"most", rescored.all.most},
        {"groups", rescored.groups},   {"degenerate_groups", rescored.degenerate_groups},
        {"best_of", std::move(best)},  {"records", std::move(rows)}};
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace atl
