#include "reward/server/remote_message.hpp"

#include "reward/base/json_reader.hpp"
#include "reward/base/words.hpp"
#include "reward/server/job_request.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>

namespace atl {

namespace {

using nlohmann::json;

constexpr std::size_t k_longest_line = 64u << 20;
constexpr const char* k_where = "the server's answer";
constexpr std::chrono::seconds k_usual_pause{1};
constexpr std::chrono::seconds k_longest_pause{60};

Error corrupt(const std::string& what) {
    return {ErrorCode::corrupt, what, k_where, "is it a server of this version of Atoll?"};
}

/// One of "describe" is this; evaluations count from 1.
constexpr const char* k_describe_id = "0";

void add_candidate(json& object, const Candidate& candidate) {
    object["source"] = candidate.source;
    object["tune"] = candidate.tune;
    object["flags"] = candidate.flags;
}

Status check_candidate(const Candidate& candidate) {
    if (!candidate.files.empty()) {
        return failure(ErrorCode::limit, "a server takes no candidate that is a folder",
                       "candidate");
    }
    if (!is_utf8(candidate.source)) {
        return failure(ErrorCode::limit, "a server takes no source that is not UTF-8", "candidate");
    }
    return {};
}

/// Baselines are named: the server has them, with the libraries that they need.
json rival_json(const Rival& rival, const Task& task) {
    const bool is_baseline =
        std::any_of(task.baselines.begin(), task.baselines.end(), [&](const Baseline& baseline) {
            return baseline.name == rival.name && baseline.source == rival.candidate.source;
        });
    json object = {{"name", rival.name}};
    if (is_baseline) {
        object["baseline"] = true;
    } else {
        add_candidate(object, rival.candidate);
    }
    return object;
}

json task_part(const Task& task) {
    return {{"task", task.name}, {"kind", task.kind}, {"task_digest", task.digest.hex()}};
}

std::string text_of(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::int64_t number_of(const json& object, const char* key, std::int64_t low, std::int64_t high,
                       std::int64_t otherwise) {
    const auto found = object.find(key);
    return found != object.end() && found->is_number_integer()
               ? std::clamp(found->get<std::int64_t>(), low, high)
               : otherwise;
}

json object_of(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_object() ? *found : json::object();
}

ErrorCode code_from(const std::string& name) {
    for (int code = 0; code <= static_cast<int>(ErrorCode::internal); ++code) {
        if (to_string(static_cast<ErrorCode>(code)) == name) {
            return static_cast<ErrorCode>(code);
        }
    }
    return ErrorCode::internal;
}

/// Whoever asks, however often: these say so of the task, the device or the token.
bool is_final(const std::string& code) {
    return code == "unknown_task" || code == "unsupported_kind" || code == "task_differs" ||
           code == "token_needed";
}

bool is_for_later(const std::string& code) {
    return code == "queue_full" || code == "log_behind" || code == "draining" ||
           code == "no_credit" || code == "busy";
}

EvaluationResult fault(ErrorCode code, const json& said, int attempts) {
    const std::string message = text_of(said, "message");
    return tl::unexpected(InfrastructureFault{
        Error{code, "the server says: " + message, text_of(said, "where"), text_of(said, "hint")},
        attempts});
}

void read_job(const json& job, RemoteMessage& message) {
    const std::string state = text_of(job, "state");
    if (state == "done") {
        Expected<Verdict> verdict = parse_verdict(dump_json(object_of(job, "verdict")));
        if (verdict) {
            message.result = std::move(*verdict);
            const auto cached = job.find("cached");
            message.result->value().from_cache = cached != job.end() && *cached == true;
        } else {
            message.result = tl::unexpected(InfrastructureFault{verdict.error(), 1});
        }
        return;
    }
    const json said = object_of(job, "fault");
    const ErrorCode code = code_from(text_of(said, "code"));
    if (state == "fault" && code == ErrorCode::interrupted) {
        // It shuts down, or has restarted what evaluates: no fault of this job.
        message.type = RemoteMessage::Type::later;
        message.pause = k_usual_pause;
        return;
    }
    const int attempts = static_cast<int>(number_of(said, "attempts", 0, 1000, 1));
    message.result = fault(state == "fault" ? code : ErrorCode::unavailable, said, attempts);
}

void read_error(const json& object, RemoteMessage& message) {
    const json said = object_of(object, "error");
    const std::string code = text_of(said, "code");
    if (message.id == 0) {
        message.type = RemoteMessage::Type::refusal;
        message.error = Error{is_final(code) ? ErrorCode::invalid_argument : ErrorCode::unavailable,
                              "the server says: " + text_of(said, "message"),
                              text_of(said, "where"), text_of(said, "hint")};
    } else if (is_for_later(code)) {
        message.type = RemoteMessage::Type::later;
        message.pause = std::chrono::seconds(
            number_of(said, "retry_after_s", 1, k_longest_pause.count(), k_usual_pause.count()));
    } else {
        message.type = RemoteMessage::Type::answer;
        message.result =
            fault(is_final(code) ? ErrorCode::invalid_argument : ErrorCode::limit, said, 1);
    }
}

void read_description(const json& object, RemoteMessage& message) {
    const json device = object_of(object, "device");
    message.type = RemoteMessage::Type::description;
    message.device.fingerprint = text_of(device, "fingerprint");
    message.device.description = text_of(device, "description");
    message.device.parallelism = static_cast<int>(number_of(device, "parallelism", 1, 4096, 1));
}

}  // namespace

std::string token_line(const std::string& token) {
    return dump_json({{"op", "hello"}, {"token", token}}) + "\n";
}

std::string describe_line(const Task& task) {
    json request = task_part(task);
    request["source"] = "";
    request["scores"] = json::array();
    return dump_json({{"op", "describe"}, {"id", k_describe_id}, {"request", request}}) + "\n";
}

std::string cancel_line(std::uint64_t id) {
    return dump_json({{"op", "cancel"}, {"id", std::to_string(id)}}) + "\n";
}

std::string ping_line() {
    return "{\"op\":\"ping\"}\n";
}

Expected<std::string> evaluate_line(std::uint64_t id, const EvaluationRequest& request,
                                    std::chrono::seconds deadline) {
    ATOLL_TRY(check_candidate(request.candidate));
    json asked = task_part(*request.task);
    asked["kind"] = request.candidate.kind;
    add_candidate(asked, request.candidate);
    asked["level"] = to_string(request.level);
    asked["scores"] = json::array();  // the engine computes its own
    asked["profile"] = request.profile;
    asked["priority"] = std::clamp(request.priority, -k_highest_priority, k_highest_priority);
    asked["deadline_s"] = std::clamp<std::int64_t>(deadline.count(), 1, k_longest_deadline.count());
    asked["cutoff_ns"] = request.cutoff_ns;
    asked["fresh"] = !request.use_cache;
    json rivals = json::array();
    for (const Rival& rival : request.rivals) {
        ATOLL_TRY(check_candidate(rival.candidate));
        rivals.push_back(rival_json(rival, *request.task));
    }
    asked["rivals"] = std::move(rivals);
    return dump_json({{"op", "evaluate"}, {"id", std::to_string(id)}, {"request", asked}}) + "\n";
}

Expected<RemoteMessage> read_remote_message(std::string_view line) {
    ATOLL_TRY_ASSIGN(const json object, parse_json_object(line, k_longest_line, k_where));
    RemoteMessage message;
    const std::string type = text_of(object, "type");
    const std::string id = text_of(object, "id");
    const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), message.id);
    if (!id.empty() && (error != std::errc() || end != id.data() + id.size())) {
        return tl::unexpected(corrupt("an id that was never sent"));
    }
    if (type == "hello") {
        message.type = RemoteMessage::Type::hello;
        message.credits = static_cast<std::size_t>(number_of(object, "credits", 0, 1 << 20, 0));
        message.line_bytes =
            static_cast<std::size_t>(number_of(object, "line_bytes", 0, k_longest_line, 0));
        message.needs_token = object.value("needs_token", json(false)) == true;
        if (number_of(object, "protocol", 0, 1000, 0) != 1 || message.credits == 0) {
            return tl::unexpected(corrupt("it speaks another version of the line protocol"));
        }
    } else if (type == "description") {
        read_description(object, message);
    } else if (type == "error") {
        read_error(object, message);
    } else if (type == "result") {
        message.type = RemoteMessage::Type::answer;
        read_job(object_of(object, "job"), message);
    }
    return message;
}

}  // namespace atl
