#pragma once

#include "reward/task.hpp"
#include "search/config.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace atl {

/// From a least to a most.
struct PlannedAmount {
    double least = 0;
    double expected = 0;
    double most = 0;
};

/// What a campaign will take, before anything is spent.
struct RunPlan {
    std::int64_t evaluations = 0;  ///< that it is planned for
    bool budgeted = false;  ///< they are stop.max_evaluations; else k_planned_evaluations, as there
                            ///< is none
    double model_share = 0;       ///< of the tickets that ask a model
    PlannedAmount calls;          ///< to models, all together
    PlannedAmount prompt_tokens;  ///< of all calls
    PlannedAmount completion_tokens;
    std::optional<PlannedAmount> dollars;  ///< nothing where a model has no price
    PlannedAmount device_seconds;          ///< of measuring and verifying
};

inline constexpr std::int64_t k_planned_evaluations = 1000;

/// Operators are taken to get their weights' shares of the tickets and models to be asked equally
/// often; an operator that asks a model evaluates one child per ticket, `tune` as many as a ticket
/// may, others one. Those that plan first ask twice for a child; what an agent asks for itself is
/// not counted; insights are. A reply has the tokens of the longest starter. Expected: every third
/// child needs one more question. Most: each needs all retries and repairs. `prompt_tokens`: of one
/// question.
[[nodiscard]] RunPlan plan_run(const CampaignConfig& config, const Task& task,
                               std::size_t prompt_tokens);

/// estimated_tokens() of the question about the longest starter; 0 for a campaign without models.
/// Errors: of prompts.
[[nodiscard]] Expected<std::size_t> planned_prompt_tokens(const CampaignConfig& config,
                                                          const Task& task);

[[nodiscard]] std::string plan_text(const RunPlan& plan, const CampaignConfig& config);
[[nodiscard]] std::string plan_json(const RunPlan& plan);

}  // namespace atl
