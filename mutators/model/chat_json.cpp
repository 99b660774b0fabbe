#include "mutators/model/chat_json.hpp"

#include "mutators/model/json_limits.hpp"
#include "reward/base/json_reader.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace atl {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* k_request = "chat request";

tl::unexpected<Error> bad(const std::string& field, const std::string& what,
                          ErrorCode code = ErrorCode::invalid_argument) {
    return failure(code, what, std::string(k_request) + ": " + field);
}

/// A text, or the text parts of a list.
Expected<std::string> read_message_content(const Json& content, const std::string& field) {
    if (content.is_string()) {
        return content.get<std::string>();
    }
    if (!content.is_array()) {
        return bad(field, "a text or a list of text parts is needed");
    }
    std::string all;
    for (const Json& part : content) {
        const auto text = part.is_object() ? part.find("text") : part.end();
        if (!part.is_object() || text == part.end() || !text->is_string()) {
            return bad(field, "only parts of type text are understood");
        }
        all += text->get_ref<const std::string&>();
    }
    return all;
}

Expected<ChatMessage> read_message(const Json& value, const std::string& field) {
    if (!value.is_object() || !value.contains("role") || !value["role"].is_string()) {
        return bad(field, "an object with role and content is needed");
    }
    ChatMessage message;
    const auto& role = value["role"].get_ref<const std::string&>();
    const std::optional<ChatRole> known =
        role == "developer" ? ChatRole::system : parse_chat_role(role);
    if (!known) {
        return bad(field + ".role", "system, developer, user or assistant is needed");
    }
    message.role = *known;
    const auto content = value.find("content");
    if (content == value.end()) {
        return bad(field, "there is no content");
    }
    ATOLL_TRY_ASSIGN(message.content, read_message_content(*content, field + ".content"));
    return message;
}

template <class T>
Status read_number(const Json& document, const char* key, std::optional<T>& out) {
    const auto value = document.find(key);
    if (value == document.end() || value->is_null()) {
        return {};
    }
    const bool fits = std::is_integral_v<T> ? value->is_number_integer() : value->is_number();
    if (!fits) {
        return bad(key, std::is_integral_v<T> ? "a whole number is needed" : "a number is needed");
    }
    out = value->get<T>();
    return {};
}

Status read_stop(const Json& document, std::vector<std::string>& out) {
    const auto value = document.find("stop");
    if (value == document.end() || value->is_null()) {
        return {};
    }
    const Json list = value->is_array() ? *value : Json::array({*value});
    for (const Json& stop : list) {
        if (!stop.is_string()) {
            return bad("stop", "a text or a list of texts is needed");
        }
        out.push_back(stop.get<std::string>());
    }
    return {};
}

/// What would need an answer of another form.
Status refuse_other_forms(const Json& document) {
    const auto stream = document.find("stream");
    if (stream != document.end() && *stream != false && !stream->is_null()) {
        return bad("stream", "answers are not streamed; ask without");
    }
    const auto tools = document.find("tools");
    if (tools != document.end() && !tools->is_null() && !tools->empty()) {
        return bad("tools", "tools are not called; ask without");
    }
    return {};
}

Status read_sampling(const Json& document, ChatRequest& request) {
    std::optional<std::int64_t> samples;
    ATOLL_TRY(read_number(document, "n", samples));
    if (samples && (*samples < 1 || *samples > k_max_samples)) {
        return bad("n", "from 1 to " + std::to_string(k_max_samples));
    }
    request.samples = static_cast<int>(samples.value_or(1));
    ATOLL_TRY(read_number(document, "temperature", request.temperature));
    ATOLL_TRY(read_number(document, "top_p", request.top_p));
    ATOLL_TRY(read_number(document, "seed", request.seed));
    ATOLL_TRY(read_number(document, "max_completion_tokens", request.max_tokens));
    if (!request.max_tokens) {
        ATOLL_TRY(read_number(document, "max_tokens", request.max_tokens));
    }
    return read_stop(document, request.stop);
}

}  // namespace

std::string write_chat_request(const ChatRequest& request, const ChatDialect& dialect) {
    Json document = {{"model", dialect.model}, {"messages", Json::array()}};
    for (const ChatMessage& message : request.messages) {
        document["messages"].push_back(
            {{"role", to_string(message.role)}, {"content", message.content}});
    }
    if (request.samples != 1) {
        document["n"] = request.samples;
    }
    if (request.temperature) {
        document["temperature"] = *request.temperature;
    }
    if (request.top_p) {
        document["top_p"] = *request.top_p;
    }
    if (request.seed) {
        document["seed"] = *request.seed;
    }
    if (request.max_tokens) {
        document[dialect.max_tokens_field] = *request.max_tokens;
    }
    if (!request.stop.empty()) {
        document["stop"] = request.stop;
    }
    return document.dump();
}

Expected<ChatRequest> read_chat_request(std::string_view body) {
    ATOLL_TRY_ASSIGN(const Json document,
                     parse_bounded_json(body, k_max_request_bytes, k_max_json_values, k_request));
    if (!document.is_object()) {
        return bad("it", "an object is needed");
    }
    ATOLL_TRY(refuse_other_forms(document));
    ChatRequest request;
    const auto model = document.find("model");
    if (model == document.end() || !model->is_string()) {
        return bad("model", "a name is needed");
    }
    request.model = model->get<std::string>();
    const auto messages = document.find("messages");
    if (messages == document.end() || !messages->is_array()) {
        return bad("messages", "a list is needed");
    }
    for (const Json& message : *messages) {
        const std::string field = "messages[" + std::to_string(request.messages.size()) + "]";
        ATOLL_TRY_ASSIGN(ChatMessage read, read_message(message, field));
        request.messages.push_back(std::move(read));
    }
    ATOLL_TRY(read_sampling(document, request));
    ATOLL_TRY(check_chat_request(request));
    return request;
}

}  // namespace atl
