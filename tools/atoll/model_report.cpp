#include "tools/atoll/model_report.hpp"

#include "mutators/model/spent.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace atl {

namespace {

Spent spent_on(const ModelStats& stats) {
    Spent spent;
    spent.calls = stats.calls;
    spent.failed = stats.failed;
    spent.without_usage = stats.without_usage;
    spent.without_price = stats.without_price;
    spent.tokens = {stats.prompt_tokens, stats.cached_tokens, stats.completion_tokens, 0};
    spent.nano_dollars = stats.nano_dollars;
    return spent;
}

std::string tokens_text(const Spent& spent) {
    std::string text = fmt::format("{} + {} tokens", spent.tokens.prompt, spent.tokens.completion);
    if (const auto share = spent.cached_share()) {
        text += fmt::format(" ({:.0f} % of the prompts cached)", 100 * *share);
    }
    return text;
}

}  // namespace

std::string model_lines(const CampaignState& state) {
    std::string text;
    for (const auto& [name, stats] : state.exchanged()) {
        const Spent spent = spent_on(stats);
        text += fmt::format("{:<14} {} calls{}, {}, {}\n", name, spent.calls,
                            spent.failed > 0 ? fmt::format(" ({} failed)", spent.failed) : "",
                            tokens_text(spent), spent.money_text());
    }
    return text;
}

std::string model_summary(const CampaignState& state) {
    Spent all;
    for (const auto& [name, stats] : state.exchanged()) {
        all += spent_on(stats);
    }
    return all.calls == 0
               ? ""
               : fmt::format("{} calls{}, ${:.4g}", all.calls,
                             all.failed > 0 ? fmt::format(" ({} failed)", all.failed) : "",
                             static_cast<double>(all.nano_dollars) / 1e9);
}

nlohmann::json model_json(const CampaignState& state) {
    nlohmann::json models = nlohmann::json::array();
    for (const auto& [name, stats] : state.exchanged()) {
        const Spent spent = spent_on(stats);
        const auto share = spent.cached_share();
        models.push_back({{"model", name},
                          {"calls", stats.calls},
                          {"failed", stats.failed},
                          {"without_usage", stats.without_usage},
                          {"without_price", stats.without_price},
                          {"prompt_tokens", stats.prompt_tokens},
                          {"cached_tokens", stats.cached_tokens},
                          {"cached_share", share ? nlohmann::json(*share) : nlohmann::json()},
                          {"completion_tokens", stats.completion_tokens},
                          {"dollars", static_cast<double>(stats.nano_dollars) / 1e9},
                          {"cost", spent.money_text()}});
    }
    return models;
}

}  // namespace atl
