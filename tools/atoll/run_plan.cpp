#include "tools/atoll/run_plan.hpp"

#include "mutators/operators/model_operators.hpp"
#include "mutators/prompts/prompt_files.hpp"
#include "mutators/prompts/prompts.hpp"
#include "mutators/prompts/token_estimate.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace atl {

namespace {

constexpr double k_asked_again = 1.0 / 3;  // of the children, once: what is expected
constexpr double k_reply_words = 200;      // tokens of what a reply says beside the program
/// Of what a workload's timed launches may take: verification and what was disturbed.
constexpr double k_beside_timing = 1.5;

const std::string& longest_starter(const Task& task) {
    static const std::string none;
    const auto longest = std::max_element(
        task.starters.begin(), task.starters.end(),
        [](const auto& a, const auto& b) { return a.source.size() < b.source.size(); });
    return longest == task.starters.end() ? none : longest->source;
}

PlannedAmount times(const PlannedAmount& amount, double factor) {
    return {amount.least * factor, amount.expected * factor, amount.most * factor};
}

struct Shares {
    double asking = 0;     ///< of the tickets
    double questions = 0;  ///< for a child in each of those, over all tickets
    double evaluations_per_ticket = 0;
};

Shares shares_of(const CampaignConfig& config) {
    const auto weights = operator_weights(config);
    double sum = 0;
    for (const auto& [name, weight] : weights) {
        sum += weight;
    }
    Shares shares;
    for (const auto& [name, weight] : weights) {
        shares.asking += operator_asks_model(name) ? weight / sum : 0;
        shares.questions += weight / sum * questions_per_child(name);
        const auto many = static_cast<double>(config.engine.ticket_evaluations);
        shares.evaluations_per_ticket += weight / sum * (name == "tune" ? many : 1);
    }
    return shares;
}

double measured_seconds(const CampaignConfig& config, const Task& task) {
    const auto timed = std::count_if(
        task.workloads.begin(), task.workloads.end(),
        [](const Workload& w) { return !w.hidden && w.use == Workload::Use::measure; });
    return static_cast<double>(timed) * config.evaluation.measure_seconds;
}

/// Of models asked equally often.
std::optional<PlannedAmount> dollars_of(const RunPlan& plan, const CampaignConfig& config) {
    PlannedAmount sum;
    for (const ModelSettings& model : config.models) {
        if (!model.price) {
            return std::nullopt;
        }
        const double share = 1e-6 / static_cast<double>(config.models.size());
        const PlannedAmount prompts = times(plan.prompt_tokens, share * model.price->prompt);
        const PlannedAmount replies =
            times(plan.completion_tokens, share * model.price->completion);
        sum = {sum.least + prompts.least + replies.least,
               sum.expected + prompts.expected + replies.expected,
               sum.most + prompts.most + replies.most};
    }
    return sum;
}

std::string range(const PlannedAmount& amount) {
    return fmt::format("about {:.0f} ({:.0f} to {:.0f})", amount.expected, amount.least,
                       amount.most);
}

nlohmann::json json_of(const PlannedAmount& amount) {
    return {{"least", amount.least}, {"expected", amount.expected}, {"most", amount.most}};
}

}  // namespace

Expected<std::size_t> planned_prompt_tokens(const CampaignConfig& config, const Task& task) {
    if (config.models.empty()) {
        return std::size_t{0};
    }
    ATOLL_TRY_ASSIGN(const std::filesystem::path shipped, find_shipped_prompts());
    ATOLL_TRY_ASSIGN(Prompts prompts,
                     Prompts::load(shipped, config.asking.prompts, prompt_facts(task, "")));
    PromptMaterial material;
    material.parent = {"0.0", 1, longest_starter(task), "", ""};
    ATOLL_TRY_ASSIGN(
        const Prompt prompt,
        prompts.make("rewrite", material, static_cast<std::size_t>(config.asking.prompt_tokens)));
    return prompt.tokens;
}

RunPlan plan_run(const CampaignConfig& config, const Task& task, std::size_t prompt_tokens) {
    RunPlan plan;
    plan.budgeted = config.stop.max_evaluations > 0;
    plan.evaluations = plan.budgeted ? config.stop.max_evaluations : k_planned_evaluations;
    const Shares shares = shares_of(config);
    plan.model_share = shares.asking;
    const double tickets =
        static_cast<double>(plan.evaluations) / std::max(shares.evaluations_per_ticket, 1.0);
    const double children = tickets * shares.questions;
    const double insights = config.models.empty() || config.memory.insight_every == 0
                                ? 0
                                : tickets / static_cast<double>(config.memory.insight_every);
    const double most =
        static_cast<double>((1 + config.asking.retries) * (1 + config.asking.repairs));
    plan.calls = {children + insights, children * (1 + k_asked_again) + insights,
                  children * most + insights};
    const double reply =
        static_cast<double>(estimated_tokens(longest_starter(task))) + k_reply_words;
    plan.prompt_tokens = times(plan.calls, static_cast<double>(prompt_tokens));
    plan.prompt_tokens.most =
        plan.calls.most * static_cast<double>(prompt_tokens > 0 ? config.asking.prompt_tokens : 0);
    plan.completion_tokens = times(plan.calls, reply);
    if (config.asking.max_tokens > 0) {
        plan.completion_tokens.most =
            plan.calls.most * static_cast<double>(config.asking.max_tokens);
    }
    if (!config.models.empty()) {
        plan.dollars = dollars_of(plan, config);
    }
    const double seconds = static_cast<double>(plan.evaluations) * measured_seconds(config, task);
    plan.device_seconds = {0, seconds, seconds * k_beside_timing};
    return plan;
}

std::string plan_text(const RunPlan& plan, const CampaignConfig& config) {
    std::string text =
        fmt::format("Evaluations    {}{}\n", plan.evaluations,
                    plan.budgeted ? "" : " (there is no stop.max_evaluations; for so many:)");
    text +=
        fmt::format("Device         about {:.0f} s of timing, at most {:.0f} s with verification\n",
                    plan.device_seconds.expected, plan.device_seconds.most);
    if (config.models.empty()) {
        return text + "Models         none are asked\n";
    }
    text += fmt::format("Models         {}, asked by {} % of the tickets\n", config.models.size(),
                        static_cast<int>(100 * plan.model_share + 0.5));
    text += "Calls          " + range(plan.calls) + "\n";
    text += "Prompt tokens  " + range(plan.prompt_tokens) + "\n";
    text += "Reply tokens   " + range(plan.completion_tokens) +
            (config.asking.max_tokens > 0 ? "\n" : ", thoughts not counted\n");
    text += plan.dollars
                ? fmt::format("Money          about ${:.2f} (${:.2f} to ${:.2f})\n",
                              plan.dollars->expected, plan.dollars->least, plan.dollars->most)
                : "Money          unknown: a model has no price\n";
    return text + "Nothing was asked, compiled or run.\n";
}

std::string plan_json(const RunPlan& plan) {
    nlohmann::json json = {{"evaluations", plan.evaluations},
                           {"budgeted", plan.budgeted},
                           {"model_share", plan.model_share},
                           {"calls", json_of(plan.calls)},
                           {"prompt_tokens", json_of(plan.prompt_tokens)},
                           {"completion_tokens", json_of(plan.completion_tokens)},
                           {"dollars", nullptr},
                           {"device_seconds", json_of(plan.device_seconds)}};
    if (plan.dollars) {
        json["dollars"] = json_of(*plan.dollars);
    }
    return json.dump() + "\n";
}

}  // namespace atl
