#include "tools/atoll/check_decisions.hpp"

#include "mutators/operators/model_operators.hpp"
#include "reward/task.hpp"
#include "search/config.hpp"
#include "search/replay.hpp"

namespace atl {

namespace {

Expected<TaskPtr> task_as_it_was(const CampaignStarted& started, const CampaignConfig& config) {
    ATOLL_TRY_ASSIGN(const std::filesystem::path folder, find_task(config.campaign.task));
    ATOLL_TRY_ASSIGN(TaskPtr task, load_task(folder, config.campaign.kind));
    if (task->digest != started.task_digest) {
        return failure(ErrorCode::not_found,
                       "task " + task->name + " has changed since the campaign began");
    }
    return task;
}

Expected<ReplayReport> replay(const LineageData& data, const CampaignStarted& started) {
    ATOLL_TRY_ASSIGN(const CampaignConfig config, parse_config(started.config, "config"));
    ATOLL_TRY_ASSIGN(const TaskPtr task, task_as_it_was(started, config));
    // What prompts say decides nothing.
    ModelOperatorOptions options;
    options.agent = config.agent;
    ATOLL_TRY_ASSIGN(const OperatorRegistry operators,
                     asks_anybody(config) ? campaign_operators(*task, options)
                                          : Expected<OperatorRegistry>(shipped_operators()));
    return replay_decisions(data.events, *data.texts, config, task, operators);
}

}  // namespace

std::optional<std::uint64_t> check_decisions(const LineageData& data, const LineageView& view,
                                             std::string_view version, LineageCheck& check) {
    const Expected<ReplayReport> report = replay(data, *view.started);
    if (!report) {
        check.notes.push_back("the decisions were not taken again: " + report.error().message());
        return std::nullopt;
    }
    const bool same_version = view.started->atoll_version == version;
    for (const std::string& difference : report->differences) {
        if (same_version) {
            check.problem(difference);
        } else {
            check.notes.push_back(difference + " by this version of Atoll (" +
                                  view.started->atoll_version + " ran the campaign)");
        }
    }
    return report->decisions;
}

}  // namespace atl
