#include "reward/json_object.hpp"

#include "reward/base/settings.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace atl {

namespace {

using Json = nlohmann::ordered_json;

/// That a reader looks for.
constexpr std::size_t k_usual_keys = 32;

const Json& null_json() {
    static const Json null;
    return null;
}

const Json& empty_object() {
    static const Json empty = Json::object();
    return empty;
}

}  // namespace

JsonObject::JsonObject(const Json& value, std::string where, std::optional<Error>& error)
    : m_value(&value), m_where(std::move(where)), m_error(&error) {
    if (!value.is_object()) {
        fail({}, std::string("an object {...} is needed here, not ") + value.type_name());
        m_value = &empty_object();
    }
}

std::string JsonObject::where(std::string_view key) const {
    if (key.empty()) {
        return m_where;
    }
    // "definition.json" + "axes" -> "definition.json: axes"; then "definition.json: axes.m".
    const bool has_path = m_where.find(": ") != std::string::npos;
    return m_where + (has_path ? "." : ": ") + std::string(key);
}

void JsonObject::fail(std::string_view key, const std::string& what, const std::string& hint,
                      ErrorCode code) {
    if (!m_error->has_value()) {
        *m_error = Error{code, what, where(key), hint};
    }
}

void JsonObject::fail_type(std::string_view key, const std::string& wanted, const Json& got) {
    std::string shown = got.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (shown.size() > 60) {
        shown = shown.substr(0, 60) + "...";
    }
    fail(key, wanted + " is needed here, not " + shown);
}

const Json* JsonObject::find(std::string_view key) {
    if (m_read.empty()) {
        m_read.reserve(k_usual_keys);
    }
    m_read.emplace_back(key);  // one that is read twice stands there twice
    const auto found = m_value->find(key);
    // The schema's writers spell "not given" as null.
    return found == m_value->end() || found->is_null() ? nullptr : &*found;
}

bool JsonObject::has(std::string_view key) const {
    return m_value->contains(key);
}

const Json& JsonObject::raw(std::string_view key) {
    const Json* value = find(key);
    return value == nullptr ? null_json() : *value;
}

std::string JsonObject::text(std::string_view key, std::string_view otherwise,
                             std::size_t max_bytes) {
    const Json* value = find(key);
    if (value == nullptr) {
        return std::string(otherwise);
    }
    if (!value->is_string()) {
        fail_type(key, "a text", *value);
        return std::string(otherwise);
    }
    std::string result = value->get<std::string>();
    if (result.size() > max_bytes) {
        fail(key, "text of " + std::to_string(result.size()) + " bytes",
             "at most " + std::to_string(max_bytes) + " are allowed", ErrorCode::limit);
        return std::string(otherwise);
    }
    if (result.find('\0') != std::string::npos) {
        fail(key, "the text holds a NUL byte");
        return std::string(otherwise);
    }
    return result;
}

std::string JsonObject::required_text(std::string_view key, std::size_t max_bytes) {
    if (!has(key)) {
        fail(key, "this key is missing");
        return {};
    }
    std::string result = text(key, "", max_bytes);
    if (result.empty()) {
        fail(key, "the text is empty");
    }
    return result;
}

double JsonObject::number(std::string_view key, double otherwise, double low, double high) {
    const Json* value = find(key);
    if (value == nullptr) {
        return otherwise;
    }
    if (!value->is_number()) {
        fail_type(key, "a number", *value);
        return otherwise;
    }
    const double result = value->get<double>();
    if (!(result >= low && result <= high)) {
        fail(key, value->dump() + " is out of range",
             "from " + Json(low).dump() + " to " + Json(high).dump());
        return otherwise;
    }
    return result;
}

std::int64_t JsonObject::integer(std::string_view key, std::int64_t otherwise, std::int64_t low,
                                 std::int64_t high) {
    const Json* value = find(key);
    if (value == nullptr) {
        return otherwise;
    }
    if (!value->is_number_integer()) {
        fail_type(key, "an integer", *value);
        return otherwise;
    }
    const bool too_large = value->is_number_unsigned() &&
                           value->get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX);
    const std::int64_t result = too_large ? INT64_MAX : value->get<std::int64_t>();
    if (too_large || result < low || result > high) {
        fail(key, value->dump() + " is out of range",
             "from " + std::to_string(low) + " to " + std::to_string(high));
        return otherwise;
    }
    return result;
}

bool JsonObject::boolean(std::string_view key, bool otherwise) {
    const Json* value = find(key);
    if (value == nullptr) {
        return otherwise;
    }
    if (!value->is_boolean()) {
        fail_type(key, "true or false", *value);
        return otherwise;
    }
    return value->get<bool>();
}

std::vector<std::string> JsonObject::texts(std::string_view key, std::size_t max_count,
                                           std::size_t max_bytes) {
    const Json* value = find(key);
    std::vector<std::string> result;
    if (value == nullptr) {
        return result;
    }
    if (!value->is_array()) {
        fail_type(key, "a list of texts", *value);
        return result;
    }
    if (value->size() > max_count) {
        fail(key, "list of " + std::to_string(value->size()) + " texts",
             "at most " + std::to_string(max_count) + " are allowed", ErrorCode::limit);
        return result;
    }
    for (const Json& item : *value) {
        if (!item.is_string() || item.get_ref<const std::string&>().size() > max_bytes ||
            item.get_ref<const std::string&>().find('\0') != std::string::npos) {
            fail_type(key, "a list of texts of at most " + std::to_string(max_bytes) + " bytes",
                      item);
            return result;
        }
        result.push_back(item.get<std::string>());
    }
    return result;
}

JsonObject JsonObject::object(std::string_view key) {
    const Json* value = find(key);
    return JsonObject(value == nullptr ? empty_object() : *value, where(key), *m_error);
}

std::vector<JsonObject> JsonObject::objects(std::string_view key, std::size_t max_count) {
    const Json* value = find(key);
    std::vector<JsonObject> result;
    if (value == nullptr) {
        return result;
    }
    if (!value->is_array()) {
        fail_type(key, "a list of objects", *value);
        return result;
    }
    if (value->size() > max_count) {
        fail(key, "list of " + std::to_string(value->size()) + " objects",
             "at most " + std::to_string(max_count) + " are allowed", ErrorCode::limit);
        return result;
    }
    for (std::size_t i = 0; i < value->size(); ++i) {
        result.emplace_back((*value)[i], where(key) + "[" + std::to_string(i) + "]", *m_error);
    }
    return result;
}

std::vector<std::string> JsonObject::keys(std::size_t max_count) {
    if (m_value->size() > max_count) {
        fail({}, std::to_string(m_value->size()) + " entries",
             "at most " + std::to_string(max_count) + " are allowed", ErrorCode::limit);
        return {};
    }
    std::vector<std::string> result;
    for (const auto& [key, value] : m_value->items()) {
        result.push_back(key);
    }
    return result;
}

void JsonObject::refuse_other_keys() {
    for (const auto& [key, value] : m_value->items()) {
        if (std::find(m_read.begin(), m_read.end(), key) != m_read.end()) {
            continue;
        }
        const std::string nearest = nearest_word(key, m_read);
        std::string hint = nearest.empty() ? "known keys:" : "did you mean '" + nearest + "'?";
        if (nearest.empty()) {
            for (auto known = m_read.begin(); known != m_read.end(); ++known) {
                const bool is_first = std::find(m_read.begin(), known, *known) == known;
                hint += is_first ? " " + *known : "";
            }
        }
        fail(key.substr(0, 80), "unknown key", hint);
        return;
    }
}

}  // namespace atl
