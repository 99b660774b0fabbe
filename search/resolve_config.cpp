#include "search/engine.hpp"
#include "search/measures.hpp"

#include <algorithm>
#include <filesystem>

namespace atl {

Status fit_to_task(CampaignConfig& config, const Task& task) {
    if (task.starters.empty()) {
        return failure(ErrorCode::invalid_argument, "the task has no starters",
                       task.folder.string(), "add one under starters/");
    }
    const bool timed =
        std::any_of(task.workloads.begin(), task.workloads.end(), [](const Workload& workload) {
            return !workload.hidden && workload.use == Workload::Use::measure;
        });
    if (!timed && !task.external) {
        return failure(ErrorCode::invalid_argument, "no public workload is measured",
                       (task.folder / "workload.jsonl").string(),
                       "give one that is not hidden \"use\": \"measure\"");
    }
    if (config.score == k_score_auto) {
        config.score = task.external ? "external" : "speedup";
    }
    if (task.external.has_value() != (config.score == "external")) {
        return failure(
            ErrorCode::invalid_argument, "\"" + config.score + "\" does not fit task " + task.name,
            "score.preset",
            task.external
                ? "its judge is external: use \"external\" or leave the key out"
                : "it has no external judge: use \"speedup\" or \"light\", or leave the key out");
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
    return {};
}

constexpr std::int64_t k_most_asking = 64;

Status resolve_config(CampaignConfig& config, const Task& task, const Evaluator& evaluator) {
    ATOLL_TRY(fit_to_task(config, task));
    if (config.engine.tickets_in_flight == 0) {
        // One more than can be in work: a ticket deciding leaves no worker idle.
        config.engine.tickets_in_flight = std::max(1, evaluator.parallelism()) + 1;
        // Those that wait for a model keep no device busy.
        std::int64_t asking = 0;
        for (const ModelSettings& model : config.models) {
            asking += model.in_flight;
        }
        config.engine.tickets_in_flight += std::min(asking, k_most_asking);
    }
    return {};
}

}  // namespace atl
