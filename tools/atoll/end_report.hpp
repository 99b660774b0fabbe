#pragma once

#include "population/journal/text_store.hpp"
#include "reward/task.hpp"
#include "search/config.hpp"
#include "search/engine.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace atl {

/// What the user reads when a campaign ends: why it ended, the confirmed best and what it is worth,
/// a chart of the best so far, and what to do next. `best_failure`: why the best kernel's file
/// could not be written, if it could not.
[[nodiscard]] std::string end_report(const EngineReport& report, const CampaignConfig& config,
                                     const Task& task, const TextSource& texts,
                                     const std::filesystem::path& run,
                                     const std::optional<Error>& best_failure = {});

/// The same for programs, as one line: the event "stopped" (tools/README.md).
[[nodiscard]] std::string end_report_json(const EngineReport& report, const Task& task,
                                          const TextSource& texts, const std::filesystem::path& run,
                                          const std::optional<Error>& best_failure = {});

/// " --seconds 120": options of `atoll resume` that let a campaign go on whose budgets are spent;
/// empty when none is.
[[nodiscard]] std::string larger_budget(const StopSettings& stop, const CampaignState& state);

}  // namespace atl
