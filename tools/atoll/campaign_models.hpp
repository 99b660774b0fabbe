#pragma once

#include "mutators/model/chat_model.hpp"
#include "mutators/operators/registry.hpp"
#include "mutators/prompts/prompts.hpp"
#include "population/run_folder.hpp"
#include "reward/device_facts.hpp"
#include "reward/task.hpp"
#include "search/config.hpp"

#include <memory>
#include <string>

namespace atl {

/// Writes the prompts that the campaign begins with, and what they say of the device, into the run
/// folder, from where all its sessions read them: so they stay the same when the shipped ones
/// change or it goes on on another machine. Nothing for a campaign without models and agent.
/// Errors: those of prompts, files.
[[nodiscard]] Status keep_prompts(const CampaignConfig& config, const Task& task,
                                  const RunFolder& run, const std::string& device,
                                  const DeviceFacts* facts);

/// Those of another run. Nothing where it has none.
[[nodiscard]] Status copy_prompts(const RunFolder& from, const RunFolder& to);

/// The operators that the campaign in `run` may use, with its own prompts.
[[nodiscard]] Expected<OperatorRegistry> operators_of(const CampaignConfig& config,
                                                      const Task& task, const RunFolder& run);

/// The same prompts, for what the engine itself asks; nullptr without models.
[[nodiscard]] Expected<std::shared_ptr<Prompts>> prompts_of(const CampaignConfig& config,
                                                            const Task& task, const RunFolder& run);

/// The endpoints and the agent that the campaign asks; nullptr without any. Errors: a key that is
/// missing.
[[nodiscard]] Expected<std::unique_ptr<ChatModel>> open_models(const CampaignConfig& config);

}  // namespace atl
