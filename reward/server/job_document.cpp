#include "reward/server/job_document.hpp"

#include "reward/base/json_reader.hpp"
#include "reward/server/feedback.hpp"

#include <nlohmann/json.hpp>

namespace atl {

namespace {

nlohmann::json head(const ServerJob& job, JobState state) {
    const JobRequest& request = job.request;
    nlohmann::json object = {{"id", job.id},
                             {"state", to_string(state)},
                             {"task", request.task->name},
                             {"kind", request.candidate.kind},
                             {"device", request.device->name},
                             {"level", to_string(request.level)}};
    if (!request.ids.trajectory.empty()) {
        object["trajectory_id"] = request.ids.trajectory;
    }
    if (!request.ids.group.empty()) {
        object["group_id"] = request.ids.group;
    }
    if (request.ids.turn) {
        object["turn"] = *request.ids.turn;
    }
    return object;
}

nlohmann::json timing_of(const ServerJob& job, const Verdict& verdict) {
    nlohmann::json stages = nlohmann::json::object();
    for (const StageTime& time : verdict.stage_times) {
        stages[std::string(to_string(time.stage))] = time.seconds;
    }
    return {{"total_s", job.age_s()},
            {"queue_s", verdict.from_cache ? 0.0 : verdict.queue_seconds},
            {"stages", std::move(stages)}};
}

}  // namespace

std::string_view to_string(JobState state) {
    switch (state) {
        case JobState::pending:
            return "pending";
        case JobState::done:
            return "done";
        case JobState::fault:
            return "fault";
        case JobState::cancelled:
            break;
    }
    return "cancelled";
}

std::string pending_document(const ServerJob& job) {
    nlohmann::json object = head(job, JobState::pending);
    object["timing"] = {{"total_s", job.age_s()}};
    return dump_json(object);
}

std::string verdict_document(const ServerJob& job, const Verdict& verdict,
                             const BaselineTimes& baseline) {
    const Verdict shown = public_part(verdict);
    nlohmann::json object = head(job, JobState::done);
    object["outcome"] = to_string(shown.outcome);
    object["correct"] = is_correct(shown.outcome);
    object["stage"] = to_string(shown.stage);
    object["reason"] = shown.reason;
    nlohmann::json scores = nlohmann::json::object();
    for (const std::string& name : job.request.scores) {
        scores[name] = number_to_json(score(name, shown, baseline).value_or(0));
    }
    object["scores"] = std::move(scores);
    object["feedback"] = feedback_text(shown, baseline);
    object["cached"] = shown.from_cache;
    object["timing"] = timing_of(job, shown);
    // The verdict's own text goes in as it is: reading it only to write it again would take longer
    // than all the rest.
    std::string text = dump_json(object);
    text.pop_back();
    return text + ",\"verdict\":" + to_json(shown) + "}";
}

std::string fault_document(const ServerJob& job, const InfrastructureFault& fault) {
    nlohmann::json object = head(job, JobState::fault);
    object["timing"] = {{"total_s", job.age_s()}};
    object["fault"] = {{"code", to_string(fault.error.code)},
                       {"message", fault.error.what},
                       {"where", fault.error.where},
                       {"hint", fault.error.hint},
                       {"attempts", fault.attempts}};
    return dump_json(object);
}

std::string cancelled_document(const ServerJob& job, const std::string& why) {
    nlohmann::json object = head(job, JobState::cancelled);
    object["timing"] = {{"total_s", job.age_s()}};
    object["reason"] = why;
    return dump_json(object);
}

Verdict no_code_verdict(const JobRequest& request) {
    Verdict verdict;
    verdict.outcome = Outcome::rejected;
    verdict.stage = Stage::lint;
    verdict.kind = request.candidate.kind;
    verdict.reason =
        "the reply holds no complete fenced code block: put the whole candidate "
        "between ``` lines";
    return verdict;
}

}  // namespace atl
