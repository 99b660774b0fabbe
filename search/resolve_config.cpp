#include "search/engine.hpp"
#include "search/measures.hpp"

#include <algorithm>
#include <filesystem>

namespace atl {

Status resolve_config(CampaignConfig& config, const Task& task, const Evaluator& evaluator) {
    if (task.starters.empty()) {
        return failure(ErrorCode::invalid_argument, "the task has no starters",
                       task.folder.string(), "add one under starters/");
    }
    if (task.external.has_value() != (config.score == "external")) {
        return failure(ErrorCode::invalid_argument,
                       "\"" + config.score + "\" does not fit task " + task.name, "score.preset",
                       task.external ? "its judge is external: set score.preset = \"external\""
                                     : "it has no external judge: use \"speedup\" or \"light\"");
    }
    for (const std::string& measure : archive_measures(config.archive)) {
        ATOLL_TRY(check_measure(measure, &task));
    }
    std::error_code error;
    const std::filesystem::path folder = std::filesystem::absolute(task.folder, error);
    config.campaign.task = error ? task.folder.string() : folder.string();
    if (config.campaign.name.empty()) {
        config.campaign.name = task.name;
    }
    if (config.engine.tickets_in_flight == 0) {
        // One more than can be in work: a ticket deciding leaves no worker idle.
        config.engine.tickets_in_flight = std::max(1, evaluator.parallelism()) + 1;
    }
    return {};
}

}  // namespace atl
