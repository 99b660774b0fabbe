#include "reward/server/line_message.hpp"

#include "reward/base/json_reader.hpp"
#include "reward/json_object.hpp"
#include "reward/server/json_text.hpp"

#include <nlohmann/json.hpp>

namespace atl {

namespace {

constexpr const char* k_where = "line";

tl::unexpected<LineProblem> problem(std::string id, Refusal refusal) {
    return tl::unexpected(LineProblem{std::move(id), std::move(refusal)});
}

std::optional<LineMessage::Op> op_from(const std::string& name) {
    if (name == "hello") {
        return LineMessage::Op::hello;
    }
    if (name == "evaluate") {
        return LineMessage::Op::evaluate;
    }
    if (name == "describe") {
        return LineMessage::Op::describe;
    }
    if (name == "cancel") {
        return LineMessage::Op::cancel;
    }
    return name == "ping" ? std::optional(LineMessage::Op::ping) : std::nullopt;
}

}  // namespace

tl::expected<LineMessage, LineProblem> parse_line(std::string_view line, const Offer& offer) {
    Answered<nlohmann::ordered_json> value = parse_body(line, k_where);
    if (!value) {
        return problem("", value.error());
    }
    std::optional<Error> error;
    JsonObject object(*value, k_where, error);
    LineMessage message;
    const std::string name = object.required_text("op", k_longest_id);
    const std::optional<LineMessage::Op> op = op_from(name);
    if (!op) {
        object.fail("op", "there is no op '" + name + "'",
                    "hello, evaluate, describe, cancel or ping");
    }
    message.op = op.value_or(LineMessage::Op::ping);
    if (message.op == LineMessage::Op::hello) {
        message.token = object.text("token", "", 4096);
    } else if (message.op != LineMessage::Op::ping) {
        message.id = object.required_text("id", k_longest_id);
    }
    const bool evaluates = op == LineMessage::Op::evaluate || op == LineMessage::Op::describe;
    const nlohmann::ordered_json* request = evaluates ? &object.raw("request") : nullptr;
    object.refuse_other_keys();
    if (error) {
        return problem(message.id, {422, "invalid_request", *error});
    }
    if (request != nullptr) {
        Answered<JobRequest> read =
            parse_job_request(*request, std::string(k_where) + ": request", offer);
        if (!read) {
            return problem(message.id, read.error());
        }
        message.request = std::move(*read);
    }
    return message;
}

std::string token_of(std::string_view line) {
    const Answered<nlohmann::ordered_json> value = parse_body(line, k_where);
    const auto text = [&](const char* key) {
        const bool is_there = value && value->is_object() && value->contains(key);
        return is_there && (*value)[key].is_string() ? (*value)[key].get<std::string>() : "";
    };
    return text("op") == "hello" ? text("token") : "";
}

std::string hello_line(std::size_t credits, std::size_t line_bytes, bool needs_token) {
    return dump_json({{"type", "hello"},
                      {"protocol", k_line_protocol},
                      {"credits", credits},
                      {"line_bytes", line_bytes},
                      {"needs_token", needs_token}}) +
           "\n";
}

void append_result_line(std::string& out, std::string_view id, std::string_view document) {
    out += "{\"type\":\"result\",\"id\":";
    append_json_text(out, id);
    ((out += ",\"job\":") += document) += "}\n";
}

std::string error_line(const std::string& id, const Refusal& refusal) {
    const std::string named = id.empty() ? "" : "\"id\":" + dump_json(id) + ",";
    return "{\"type\":\"error\"," + named + to_json(refusal).substr(1) + "\n";
}

std::string description_line(const std::string& id, const JobRequest& request) {
    const Evaluator& evaluator = *request.device->evaluator;
    return dump_json({{"type", "description"},
                      {"id", id},
                      {"task",
                       {{"name", request.task->name},
                        {"kind", request.task->kind},
                        {"digest", request.task->digest.hex()}}},
                      {"device",
                       {{"name", request.device->name},
                        {"count", request.device->count},
                        {"parallelism", evaluator.parallelism()},
                        {"fingerprint", evaluator.fingerprint()},
                        {"description", evaluator.description()}}}}) +
           "\n";
}

std::string pong_line() {
    return "{\"type\":\"pong\"}\n";
}

}  // namespace atl
