#include "reward/server/job_document.hpp"

#include "reward/base/json_reader.hpp"
#include "reward/feedback.hpp"
#include "reward/server/json_text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace atl {

namespace {

/// Appends `"key":"value",`. By hand, since every answer begins with these: to make a tree of JSON
/// for them would take longer than all else that a known answer costs.
void append(std::string& out, std::string_view key, std::string_view value) {
    ((out += '"') += key) += "\":";
    append_json_text(out, value);
    out += ',';
}

/// The beginning of a job's object, after which more must follow.
std::string head(const ServerJob& job, JobState state) {
    const JobRequest& request = job.request;
    std::string text = "{";
    append(text, "id", job.id);
    append(text, "state", to_string(state));
    append(text, "task", request.task->name);
    append(text, "kind", request.candidate.kind);
    append(text, "device", request.device->name);
    append(text, "level", to_string(request.level));
    if (!request.ids.trajectory.empty()) {
        append(text, "trajectory_id", request.ids.trajectory);
    }
    if (!request.ids.group.empty()) {
        append(text, "group_id", request.ids.group);
    }
    if (request.ids.turn) {
        text += "\"turn\":" + std::to_string(*request.ids.turn) + ",";
    }
    if (!request.ids.policy_version.empty()) {
        append(text, "policy_version", request.ids.policy_version);
    }
    return text + fmt::format("\"timing\":{{\"total_s\":{}", job.age_s());
}

/// What an object without a verdict ends with: the fields of `rest`.
std::string with_rest(std::string head, const nlohmann::json& rest) {
    return head + "}," + dump_json(rest).substr(1);
}

/// What `timing` has besides total_s, as fields of an object.
nlohmann::json timing_of(const Verdict& verdict) {
    nlohmann::json stages = nlohmann::json::object();
    for (const StageTime& time : verdict.stage_times) {
        stages[std::string(to_string(time.stage))] = time.seconds;
    }
    return {{"queue_s", verdict.from_cache ? 0.0 : verdict.queue_seconds},
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
    return head(job, JobState::pending) + "}}";
}

Expected<NamedScores> scores_of(const JobRequest& request, const Verdict& verdict,
                                const BaselineTimes& baseline) {
    NamedScores scores;
    if (request.scores.empty()) {
        return scores;
    }
    const Verdict shown = public_part(verdict);
    for (const std::string& name : request.scores) {
        const ScorePreset& preset = *request.presets->find(name);
        const std::optional<double> value = preset.score(shown, baseline);
        if (!value) {
            const bool is_said = shown.profile && !shown.profile->why_static.empty();
            return failure(ErrorCode::not_found,
                           "no score '" + name + "': " +
                               (is_said ? shown.profile->why_static : "nothing was counted"),
                           "metric " + preset.values.counter,
                           "let the device count (`atoll doctor`), or ask for another score");
        }
        scores.emplace_back(name, *value);
    }
    return scores;
}

std::string verdict_text(const JobRequest& request, const Verdict& verdict,
                         const BaselineTimes& baseline, const NamedScores& scores) {
    const Verdict shown = public_part(verdict);
    nlohmann::json object = nlohmann::json::object();
    object["outcome"] = to_string(shown.outcome);
    object["correct"] = is_correct(shown.outcome);
    object["stage"] = to_string(shown.stage);
    object["reason"] = shown.reason;
    object["scores"] = nlohmann::json::object();
    for (const auto& [name, value] : scores) {
        object["scores"][name] = value;
    }
    object["feedback"] = feedback_text(shown, baseline);
    object["cached"] = shown.from_cache;
    // The verdict's own text goes in as it is: reading it only to write it again would take longer
    // than all the rest.
    std::string text = dump_json(timing_of(shown)) + "," + dump_json(object).substr(1);
    text.erase(0, 1);
    if (request.with_verdict) {
        text.pop_back();
        ((text += ",\"verdict\":") += to_json(shown)) += '}';
    }
    return text;
}

std::string verdict_document(const ServerJob& job, std::string_view text,
                             std::optional<bool> logged) {
    std::string document = head(job, JobState::done);
    document.reserve(document.size() + text.size() + 24);
    (document += ',') += text;
    if (logged) {
        document.pop_back();
        document += *logged ? ",\"logged\":true}" : ",\"logged\":false}";
    }
    return document;
}

EvaluationFacts evaluation_facts(Verdict verdict, const BaselineTimes& baseline,
                                 NamedScores scores) {
    EvaluationFacts facts;
    facts.outcome = verdict.outcome;
    facts.cached = verdict.from_cache;
    facts.scores = std::move(scores);
    facts.baseline = baseline.empty() ? "" : dump_json(baseline);
    // What differs from one time that it was asked for to the next: so that one text stands for
    // all.
    verdict.from_cache = false;
    verdict.queue_seconds = 0;
    facts.verdict = to_json(verdict);
    return facts;
}

EvaluationRecord evaluation_record(ServerJob& job, std::shared_ptr<const EvaluationFacts> facts,
                                   std::string fault) {
    JobRequest& request = job.request;
    EvaluationRecord record;
    record.task = request.task->name;
    record.task_digest = request.task->digest;
    record.kind = request.candidate.kind;
    record.device = request.device->name;
    record.level = to_string(request.level);
    record.tune = request.candidate.tune;
    record.flags = request.candidate.flags;
    record.source = std::move(request.candidate.source);
    record.reply = std::move(request.rollout.reply);
    record.trajectory = request.ids.trajectory;
    record.group = request.ids.group;
    record.policy_version = request.ids.policy_version;
    record.turn = request.ids.turn.value_or(-1);
    record.token_ids = std::move(request.rollout.token_ids);
    record.log_probabilities = std::move(request.rollout.log_probabilities);
    record.facts = std::move(facts);
    record.fault = std::move(fault);
    record.seconds = job.age_s();
    return record;
}

std::string fault_document(const ServerJob& job, const InfrastructureFault& fault) {
    return with_rest(head(job, JobState::fault), {{"fault",
                                                   {{"code", to_string(fault.error.code)},
                                                    {"message", fault.error.what},
                                                    {"where", fault.error.where},
                                                    {"hint", fault.error.hint},
                                                    {"attempts", fault.attempts}}}});
}

std::string cancelled_document(const ServerJob& job, const std::string& why) {
    return with_rest(head(job, JobState::cancelled), {{"reason", why}});
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
