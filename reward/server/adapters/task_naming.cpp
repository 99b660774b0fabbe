#include "reward/server/adapters/task_naming.hpp"

#include "reward/json_object.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace atl {

namespace {

using nlohmann::ordered_json;

constexpr std::string_view k_open = "<atoll>";
constexpr std::string_view k_close = "</atoll>";
constexpr const char* k_rule =
    "name it in the metadata's key 'atoll', the label, or between <atoll> and </atoll> in the "
    "prompt, or put ?task=NAME behind the URL";
/// What a wish must not say: these are the candidate, would lead back here, or are what the format
/// has a place for.
constexpr std::array k_not_wishes = {"source", "reply", "name_from", "idempotency_key", "verdict"};
constexpr std::array k_query_keys = {"task", "kind", "device", "level", "score"};

template <class Names>
bool is_among(const std::string& word, const Names& names) {
    return std::find(names.begin(), names.end(), word) != names.end();
}

std::string trimmed(std::string_view text) {
    constexpr std::string_view k_space = " \t\r\n";
    const std::size_t begin = std::min(text.find_first_not_of(k_space), text.size());
    text.remove_prefix(begin);
    return std::string(text.substr(0, text.find_last_not_of(k_space) + 1));
}

/// Fills a request with what places say, nearest first.
class Naming {
  public:
    explicit Naming(ordered_json& request) : m_request(request) {}

    Answered<void> add_text(std::string_view raw, const std::string& where) {
        const std::string text = trimmed(raw);
        if (text.empty()) {
            return {};
        }
        if (text.size() > k_longest_wish) {
            return refuse(422, "invalid_request",
                          {ErrorCode::limit, "what should name a task is too long", where,
                           "at most " + std::to_string(k_longest_wish) + " bytes"});
        }
        if (text.front() != '{') {
            keep("task", text);
            return {};
        }
        const Expected<ordered_json> wish = parse_json_strictly(text, where);
        if (!wish) {
            return refuse(422, "invalid_request", wish.error());
        }
        return add_object(*wish, where);
    }

    Answered<void> add(const ordered_json& wish, const std::string& where) {
        if (wish.is_string()) {
            return add_text(wish.get_ref<const std::string&>(), where);
        }
        return wish.is_object() ? add_object(wish, where) : Answered<void>();
    }

    Answered<void> add_query(const std::map<std::string, std::string>& query) {
        for (const auto& [key, value] : query) {
            if (!is_among(key, k_query_keys)) {
                return refuse(400, "invalid_request",
                              {ErrorCode::invalid_argument, "unknown parameter '" + key + "'",
                               "query", "there are: task, kind, device, level, score"});
            }
            put(key, value);
        }
        return {};
    }

  private:
    Answered<void> add_object(const ordered_json& wish, const std::string& where) {
        for (const auto& [key, value] : wish.items()) {
            if (is_among(key, k_not_wishes)) {
                return refuse(422, "invalid_request",
                              {ErrorCode::invalid_argument, "'" + key + "' is not for here", where,
                               "what names a task does not hold the candidate"});
            }
            put(key, value);
        }
        return {};
    }

    void put(const std::string& key, const ordered_json& value) {
        if (key == "score") {
            keep("scores", ordered_json::array({value}));
        } else {
            keep(key, value);
        }
    }

    void keep(const std::string& key, ordered_json value) {
        if (!m_request.contains(key)) {
            m_request[key] = std::move(value);
        }
    }

    ordered_json& m_request;
};

std::optional<std::string_view> tag_in(std::string_view text) {
    const std::size_t open = text.find(k_open);
    if (open == std::string_view::npos) {
        return std::nullopt;
    }
    text.remove_prefix(open + k_open.size());
    const std::size_t close = text.find(k_close);
    return close == std::string_view::npos ? std::nullopt : std::optional(text.substr(0, close));
}

/// The first tag of a prompt.
std::optional<std::string> tag_in_prompt(const ordered_json& prompt) {
    const auto copied = [](std::optional<std::string_view> tag) {
        return tag ? std::optional<std::string>(*tag) : std::nullopt;
    };
    if (prompt.is_string()) {
        return copied(tag_in(prompt.get_ref<const std::string&>()));
    }
    if (!prompt.is_array()) {
        return std::nullopt;
    }
    for (const ordered_json& message : prompt) {
        if (!message.is_object() || !message.contains("content")) {
            continue;
        }
        const ordered_json role = message.value("role", ordered_json("user"));
        if (role != "user" && role != "system" && role != "developer") {
            continue;
        }
        const std::string text = text_of_content(message["content"]);
        if (const std::optional<std::string_view> tag = tag_in(text)) {
            return copied(tag);
        }
    }
    return std::nullopt;
}

}  // namespace

std::string text_of_content(const ordered_json& content) {
    if (content.is_string()) {
        return content.get<std::string>();
    }
    std::string text;
    if (content.is_array()) {
        for (const ordered_json& part : content) {
            if (part.is_object() && part.contains("text") && part["text"].is_string()) {
                text += (text.empty() ? "" : "\n") + part["text"].get<std::string>();
            }
        }
    }
    return text;
}

Answered<void> name_task(const NamingPlaces& places, const std::string& where,
                         ordered_json& request) {
    Naming naming(request);
    const auto open = [&] { return !request.contains("task"); };
    Answered<void> said;
    if (open() && places.metadata != nullptr && places.metadata->is_object() &&
        places.metadata->contains("atoll")) {
        said = naming.add((*places.metadata)["atoll"], where + ": metadata.atoll");
    }
    if (said && open() && places.label != nullptr) {
        said = naming.add(*places.label, where + ": label");
    }
    if (said && open() && places.prompt != nullptr) {
        if (const std::optional<std::string> tag = tag_in_prompt(*places.prompt)) {
            said = naming.add_text(*tag, where + ": <atoll> in the prompt");
        }
    }
    if (said && places.query != nullptr) {
        said = naming.add_query(*places.query);
    }
    if (said && open()) {
        return refuse(422, "no_task",
                      {ErrorCode::invalid_argument, "the request names no task", where, k_rule});
    }
    return said;
}

Answered<ordered_json> with_task_named(const ordered_json& request, const std::string& where) {
    ordered_json named = ordered_json::object();
    for (const auto& [key, value] : request.items()) {
        if (key != "name_from") {
            named[key] = value;
        }
    }
    std::optional<Error> error;
    JsonObject root(request, where, error);
    JsonObject places = root.object("name_from");
    const ordered_json& metadata = places.raw("metadata");
    const ordered_json& label = places.raw("label");
    const ordered_json& prompt = places.raw("prompt");
    places.refuse_other_keys();
    if (error) {
        return refuse(422, "invalid_request", *error);
    }
    if (const Answered<void> said =
            name_task({.metadata = &metadata, .label = &label, .prompt = &prompt},
                      where + ".name_from", named);
        !said) {
        return tl::unexpected(said.error());
    }
    return named;
}

}  // namespace atl
