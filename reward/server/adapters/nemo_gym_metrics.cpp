#include "reward/base/json_reader.hpp"
#include "reward/server/adapters/adapters.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace atl {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr const char* k_task_index = "_ng_task_index";
constexpr const char* k_rollout_index = "_ng_rollout_index";

/// The values of each numeric field, over some responses.
using Columns = std::map<std::string, std::vector<double>>;

struct Group {
    Columns columns;
    std::size_t rollouts = 0;
};

void add(const ordered_json& response, Group& group) {
    ++group.rollouts;
    for (const auto& [key, value] : response.items()) {
        if (key == k_task_index || key == k_rollout_index) {
            continue;
        }
        if (value.is_boolean()) {
            group.columns[key].push_back(value.get<bool>() ? 1 : 0);
        } else if (value.is_number()) {
            group.columns[key].push_back(value.get<double>());
        }
    }
}

double median_of(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const std::size_t middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

void describe(const std::string& name, const std::vector<double>& values, json& metrics) {
    const double count = static_cast<double>(values.size());
    const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
    double squares = 0;
    for (const double value : values) {
        squares += (value - mean) * (value - mean);
    }
    metrics["mean/" + name] = mean;
    metrics["max/" + name] = *std::max_element(values.begin(), values.end());
    metrics["min/" + name] = *std::min_element(values.begin(), values.end());
    metrics["median/" + name] = median_of(values);
    metrics["std/" + name] = count > 1 ? std::sqrt(squares / (count - 1)) : 0.0;
}

json described(const Columns& columns) {
    json metrics = json::object();
    for (const auto& [name, values] : columns) {
        describe(name, values, metrics);
    }
    return metrics;
}

}  // namespace

Answered<std::string> nemo_gym_metrics(const ordered_json& body) {
    const ordered_json& responses = member(body, "verify_responses");
    if (!responses.is_array()) {
        return refuse(
            422, "invalid_request",
            {ErrorCode::invalid_argument, "a list is needed here", "body: verify_responses", ""});
    }
    Group all;
    std::map<std::int64_t, Group> tasks;
    for (const ordered_json& response : responses) {
        if (!response.is_object() || response.contains("_ng_failure_class") ||
            member(response, "mask_sample") == true) {
            continue;
        }
        const ordered_json& index = member(response, k_task_index);
        add(response, all);
        add(response, tasks[index.is_number_integer() ? index.get<std::int64_t>() : 0]);
    }
    json groups = json::array();
    for (const auto& [index, group] : tasks) {
        json metrics = described(group.columns);
        metrics[k_task_index] = index;
        metrics["num_rollouts"] = group.rollouts;
        groups.push_back(std::move(metrics));
    }
    json agent = described(all.columns);
    json key = json::object();
    for (const auto& [name, value] : agent.items()) {
        if (name.starts_with("mean/")) {
            key[name] = value;
        }
    }
    return dump_json({{"group_level_metrics", std::move(groups)},
                      {"agent_metrics", std::move(agent)},
                      {"key_metrics", std::move(key)}});
}

}  // namespace atl
