#include "mutators/model/chat_json.hpp"
#include "mutators/model/json_limits.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace atl {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* k_reply = "reply of the endpoint";
constexpr std::size_t k_max_message_bytes = 300;
constexpr std::size_t k_max_code_bytes = 64;
constexpr std::string_view k_think = "<think>";
constexpr std::string_view k_think_end = "</think>";

tl::unexpected<Error> corrupt(const std::string& what) {
    return failure(ErrorCode::corrupt, what, k_reply,
                   "the endpoint does not speak OpenAI's chat completions as Atoll knows them");
}

/// The member, or nullptr when `value` is no object, has none or it is null.
const Json* member(const Json& value, const char* key) {
    if (!value.is_object()) {
        return nullptr;
    }
    const auto found = value.find(key);
    return found == value.end() || found->is_null() ? nullptr : &*found;
}

const std::string* text_member(const Json& value, const char* key) {
    const Json* found = member(value, key);
    return found != nullptr && found->is_string() ? &found->get_ref<const std::string&>() : nullptr;
}

std::string printable(std::string_view text, std::size_t most) {
    std::string line;
    for (const char c : text.substr(0, most)) {
        line.push_back(c < ' ' || c > '~' ? ' ' : c);
    }
    return line;
}

FinishReason read_finish(const Json& choice) {
    const std::string* reason = text_member(choice, "finish_reason");
    if (reason == nullptr) {
        return FinishReason::unknown;
    }
    for (const FinishReason known : {FinishReason::stop, FinishReason::length,
                                     FinishReason::content_filter, FinishReason::tool_calls}) {
        if (*reason == to_string(known)) {
            return known;
        }
    }
    return *reason == "function_call" ? FinishReason::tool_calls : FinishReason::unknown;
}

/// Texts go to the content, thoughts to the reasoning; other parts (images, calls) say nothing.
Status read_parts(const Json& parts, ChatChoice& choice) {
    for (const Json& part : parts) {
        const std::string* type = text_member(part, "type");
        if (type == nullptr) {
            return corrupt("a part of the content has no type");
        }
        if (*type == "text" || *type == "output_text") {
            if (const std::string* text = text_member(part, "text")) {
                choice.content += *text;
            }
        } else if (*type == "thinking" || *type == "reasoning") {
            for (const char* key : {"thinking", "reasoning", "text"}) {
                if (const std::string* text = text_member(part, key)) {
                    choice.reasoning += *text;
                }
            }
        }
    }
    return {};
}

/// Endpoints that do not know the model's way of thinking leave it in the content; where the
/// prompt's template opens the thought, only its end is there.
void split_thoughts(ChatChoice& choice) {
    const std::string& all = choice.content;
    const std::size_t begin = all.find_first_not_of(" \t\r\n");
    if (begin == std::string::npos) {
        return;
    }
    const bool opened = all.compare(begin, k_think.size(), k_think) == 0;
    const std::size_t end = all.find(k_think_end);
    if (end == std::string::npos) {
        if (opened) {
            choice.reasoning = all.substr(begin + k_think.size());
            choice.content.clear();
        }
        return;
    }
    if (!opened && all.find(k_think) < end) {
        return;  // talks about the words
    }
    const std::size_t from = opened ? begin + k_think.size() : 0;
    choice.reasoning = all.substr(from, end - from);
    const std::size_t answer = all.find_first_not_of(" \t\r\n", end + k_think_end.size());
    choice.content = answer == std::string::npos ? std::string() : all.substr(answer);
}

Status check_choice(const ChatChoice& choice) {
    for (const std::string* text : {&choice.content, &choice.reasoning}) {
        if (text->size() > k_max_choice_bytes) {
            return failure(ErrorCode::limit,
                           "a choice of more than " + std::to_string(k_max_choice_bytes) + " bytes",
                           k_reply, "set max_tokens");
        }
        if (text->find('\0') != std::string::npos) {
            return corrupt("a choice holds a NUL");
        }
    }
    return {};
}

Expected<ChatChoice> read_choice(const Json& value) {
    const Json* message = member(value, "message");
    if (message == nullptr || !message->is_object()) {
        return corrupt("a choice has no message");
    }
    ChatChoice choice;
    choice.finish = read_finish(value);
    const Json* content = member(*message, "content");
    if (content != nullptr && content->is_string()) {
        choice.content = content->get<std::string>();
    } else if (content != nullptr && content->is_array()) {
        ATOLL_TRY(read_parts(*content, choice));
    } else if (content != nullptr) {
        return corrupt("the content of a message is neither a text nor a list of parts");
    } else if (const std::string* refusal = text_member(*message, "refusal")) {
        choice.content = *refusal;
        choice.finish = FinishReason::content_filter;
    }
    bool kept_apart = !choice.reasoning.empty();
    for (const char* key : {"reasoning_content", "reasoning"}) {
        const std::string* text = text_member(*message, key);
        kept_apart = kept_apart || text != nullptr;
        if (text != nullptr && choice.reasoning.empty()) {
            choice.reasoning = *text;
        }
    }
    if (!kept_apart) {
        split_thoughts(choice);
    }
    ATOLL_TRY(check_choice(choice));
    return choice;
}

/// Nothing: the number is there and makes no sense.
std::optional<std::int64_t> read_count(const Json& object, const char* key,
                                       std::optional<std::int64_t> otherwise) {
    const Json* value = member(object, key);
    if (value == nullptr) {
        return otherwise;
    }
    if (!value->is_number_unsigned() && !value->is_number_integer()) {
        return std::nullopt;
    }
    const bool fits = value->is_number_unsigned()
                          ? value->get<std::uint64_t>() <= std::uint64_t{k_max_chat_tokens} * 1000
                          : value->get<std::int64_t>() >= 0;
    return fits ? std::optional(value->get<std::int64_t>()) : std::nullopt;
}

std::optional<TokenUsage> read_usage(const Json& document) {
    const Json* usage = member(document, "usage");
    if (usage == nullptr) {
        return std::nullopt;
    }
    static const Json none = Json::object();
    const Json* prompt_details = member(*usage, "prompt_tokens_details");
    const Json* completion_details = member(*usage, "completion_tokens_details");
    const auto prompt = read_count(*usage, "prompt_tokens", std::nullopt);
    const auto completion = read_count(*usage, "completion_tokens", std::nullopt);
    // DeepSeek has its own word for it.
    const auto hits = read_count(*usage, "prompt_cache_hit_tokens", 0);
    const auto cached =
        read_count(prompt_details == nullptr ? none : *prompt_details, "cached_tokens", hits);
    const auto reasoning = read_count(completion_details == nullptr ? none : *completion_details,
                                      "reasoning_tokens", 0);
    if (!prompt || !completion || !cached || !reasoning || *cached > *prompt ||
        *reasoning > *completion) {
        return std::nullopt;
    }
    return TokenUsage{*prompt, *cached, *completion, *reasoning};
}

std::string code_of(const Json& error) {
    for (const char* key : {"code", "type"}) {
        const std::string* text = text_member(error, key);
        if (text != nullptr && !text->empty() && text->size() <= k_max_code_bytes) {
            return printable(*text, k_max_code_bytes);
        }
    }
    return {};
}

}  // namespace

Expected<ChatReply> read_chat_reply(std::string_view body, int samples) {
    ATOLL_TRY_ASSIGN(const Json document,
                     parse_bounded_json(body, k_max_reply_bytes, k_max_json_values, k_reply));
    const Json* choices = member(document, "choices");
    if (choices == nullptr || !choices->is_array() || choices->empty()) {
        return corrupt("there are no choices");
    }
    if (std::cmp_greater(choices->size(), samples)) {
        return failure(ErrorCode::limit,
                       std::to_string(choices->size()) + " choices where " +
                           std::to_string(samples) + " were asked for",
                       k_reply);
    }
    ChatReply reply;
    for (const Json& value : *choices) {
        ATOLL_TRY_ASSIGN(ChatChoice choice, read_choice(value));
        reply.choices.push_back(std::move(choice));
    }
    reply.usage = read_usage(document);
    if (const std::string* model = text_member(document, "model")) {
        reply.served_by = printable(*model, k_max_model_bytes);
    }
    return reply;
}

std::string write_chat_reply(const ChatReply& reply) {
    Json choices = Json::array();
    for (std::size_t i = 0; i < reply.choices.size(); ++i) {
        const ChatChoice& choice = reply.choices[i];
        Json message = {{"role", "assistant"}, {"content", choice.content}};
        // Always there, so that whoever reads it does not look for thoughts in the content.
        message["reasoning_content"] = choice.reasoning;
        choices.push_back({{"index", i},
                           {"message", std::move(message)},
                           {"finish_reason", to_string(choice.finish)}});
    }
    Json document = {
        {"object", "chat.completion"}, {"model", reply.served_by}, {"choices", std::move(choices)}};
    if (reply.usage) {
        const TokenUsage& usage = *reply.usage;
        document["usage"] = {
            {"prompt_tokens", usage.prompt},
            {"completion_tokens", usage.completion},
            {"total_tokens", usage.prompt + usage.completion},
            {"prompt_tokens_details", {{"cached_tokens", usage.cached}}},
            {"completion_tokens_details", {{"reasoning_tokens", usage.reasoning}}}};
    }
    return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

EndpointError read_endpoint_error(std::string_view body) {
    const Expected<Json> document =
        parse_bounded_json(body, k_max_reply_bytes, k_max_json_values, k_reply);
    EndpointError said;
    if (!document || !document->is_object()) {
        said.message = printable(body, k_max_message_bytes);
        return said;
    }
    const Json* error = member(*document, "error");
    const Json& holder = error != nullptr && error->is_object() ? *error : *document;
    for (const char* key : {"message", "error", "detail"}) {
        const std::string* text = text_member(holder, key);
        if (text != nullptr && said.message.empty()) {
            said.message = printable(*text, k_max_message_bytes);
        }
    }
    if (said.message.empty()) {
        said.message = printable(body, k_max_message_bytes);
    }
    said.code = code_of(holder);
    if (const Json* code = member(holder, "code"); code != nullptr && code->is_number_unsigned()) {
        const auto status = code->get<std::uint64_t>();
        said.status = status >= 100 && status < 600 ? static_cast<int>(status) : 0;
    }
    return said;
}

bool is_endpoint_error(std::string_view body) {
    const Expected<Json> document =
        parse_bounded_json(body, k_max_reply_bytes, k_max_json_values, k_reply);
    return document && member(*document, "error") != nullptr &&
           member(*document, "choices") == nullptr;
}

}  // namespace atl
