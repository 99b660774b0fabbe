#include "reward/json_object.hpp"

#include <nlohmann/json.hpp>
#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace atl {

namespace {

using Json = nlohmann::ordered_json;

constexpr int k_max_depth = 64;
/// An ordered object finds a key by looking at all of them.
constexpr std::size_t k_max_keys = 1024;

/// Thrown and caught inside parse_json_strictly: the parser's callback has no other way to stop.
struct Refusal {
    std::string what;
};

/// Watches the parser's events for duplicate keys, depth and size.
class Guard {
  public:
    bool operator()(int depth, Json::parse_event_t event, Json& parsed) {
        if (event == Json::parse_event_t::object_start ||
            event == Json::parse_event_t::array_start) {
            if (depth >= k_max_depth) {
                throw Refusal{"nested deeper than " + std::to_string(k_max_depth) + " levels"};
            }
            m_keys.resize(static_cast<std::size_t>(depth) + 2);
            m_keys.back().clear();
        } else if (event == Json::parse_event_t::key) {
            const std::string& key = parsed.get_ref<const std::string&>();
            m_keys.resize(static_cast<std::size_t>(depth) + 1);
            if (!m_keys.back().insert(key).second) {
                throw Refusal{"key '" + key.substr(0, 80) + "' stands twice in one object"};
            }
            if (m_keys.back().size() > k_max_keys) {
                throw Refusal{"more than " + std::to_string(k_max_keys) + " keys in one object"};
            }
        }
        return true;
    }

  private:
    std::vector<std::set<std::string>> m_keys;  ///< per depth, of the object being read there
};

std::string without_prefix(const std::string& message) {
    // "[json.exception.parse_error.101] parse error at line 3, column 5: ..."
    const std::size_t end = message.find("] ");
    return end == std::string::npos ? message : message.substr(end + 2);
}

/// What a thread keeps of its parser's memory is in proportion to the longest text it read.
constexpr std::size_t k_short_text = 64u << 10;

std::optional<Json> plain_value(simdjson::dom::element element, int depth);

std::optional<Json> plain_array(simdjson::dom::array array, int depth) {
    Json values = Json::array();
    values.get_ref<Json::array_t&>().reserve(array.size());
    for (const simdjson::dom::element element : array) {
        std::optional<Json> value = plain_value(element, depth + 1);
        if (!value) {
            return std::nullopt;
        }
        values.push_back(std::move(*value));
    }
    return values;
}

std::optional<Json> plain_object(simdjson::dom::object object, int depth) {
    Json values = Json::object();
    auto& members =
        static_cast<std::vector<Json::object_t::value_type>&>(values.get_ref<Json::object_t&>());
    for (const auto& [key, element] : object) {
        if (members.size() == k_max_keys || values.contains(key)) {
            return std::nullopt;
        }
        std::optional<Json> value = plain_value(element, depth + 1);
        if (!value) {
            return std::nullopt;
        }
        members.emplace_back(key, std::move(*value));
    }
    return values;
}

std::optional<Json> plain_value(simdjson::dom::element element, int depth) {
    using Type = simdjson::dom::element_type;
    const Type type = element.type();
    if ((type == Type::ARRAY || type == Type::OBJECT) && depth >= k_max_depth) {
        return std::nullopt;
    }
    switch (type) {
        case Type::ARRAY:
            return plain_array(element.get_array().value_unsafe(), depth);
        case Type::OBJECT:
            return plain_object(element.get_object().value_unsafe(), depth);
        case Type::STRING:
            return Json(element.get_string().value_unsafe());
        case Type::BOOL:
            return Json(element.get_bool().value_unsafe());
        case Type::NULL_VALUE:
            return Json();
        case Type::UINT64:
            return Json(element.get_uint64().value_unsafe());
        case Type::INT64: {
            const std::int64_t value = element.get_int64().value_unsafe();
            return value < 0 ? Json(value) : Json(static_cast<std::uint64_t>(value));
        }
        case Type::DOUBLE:
            break;
    }
    return std::nullopt;
}

/// By simdjson, which reads texts several times as fast as nlohmann's parser. What is not plain
/// (fractions, which are its reader's to round, and all that is wrong) is given up; then the other
/// parser says what there is or what is wrong with it.
std::optional<Json> parse_plain(std::string_view text) {
    thread_local simdjson::dom::parser kept(k_short_text);
    simdjson::dom::parser own;
    simdjson::dom::parser& parser = text.size() <= k_short_text ? kept : own;
    simdjson::dom::element root;
    if (parser.parse(text.data(), text.size()).get(root) != simdjson::SUCCESS) {
        return std::nullopt;
    }
    return plain_value(root, 0);
}

}  // namespace

Expected<Json> parse_json_strictly(std::string_view text, const std::string& where) {
    if (std::optional<Json> value = parse_plain(text)) {
        return std::move(*value);
    }
    if (text.find('\0') != std::string_view::npos) {  // which nlohmann's takes for the end
        return failure(ErrorCode::invalid_argument, "not valid JSON: it holds a byte of zero",
                       where);
    }
    try {
        return Json::parse(text.begin(), text.end(), Guard{});
    } catch (const Refusal& refusal) {
        return failure(ErrorCode::invalid_argument, refusal.what, where);
    } catch (const Json::exception& error) {
        return failure(ErrorCode::invalid_argument,
                       "not valid JSON: " + without_prefix(error.what()), where);
    }
}

}  // namespace atl
