#include "reward/base/json_reader.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace atl {

namespace {

constexpr int k_max_depth = 32;

}  // namespace

Expected<nlohmann::json> parse_json_object(std::string_view text, std::size_t max_bytes,
                                           const std::string& where) {
    if (text.size() > max_bytes) {
        return failure(ErrorCode::limit,
                       "JSON of " + std::to_string(text.size()) + " bytes, at most " +
                           std::to_string(max_bytes) + " are read",
                       where);
    }
    bool too_deep = false;
    const auto watch_depth = [&](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
        too_deep = too_deep || depth > k_max_depth;
        return !too_deep;
    };
    nlohmann::json value = nlohmann::json::parse(text, watch_depth, false);
    if (too_deep) {
        return failure(ErrorCode::corrupt, "JSON nested too deeply", where);
    }
    if (!value.is_object()) {
        return failure(ErrorCode::corrupt, "not a JSON object", where);
    }
    return value;
}

nlohmann::json number_to_json(double value) {
    if (std::isfinite(value)) {
        return value;
    }
    return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

Expected<double> number_from_json(const nlohmann::json& value, const std::string& where) {
    if (value.is_number()) {
        return value.get<double>();
    }
    if (value.is_string()) {
        const auto& text = value.get_ref<const std::string&>();
        if (text == "nan") {
            return std::numeric_limits<double>::quiet_NaN();
        }
        if (text == "inf" || text == "-inf") {
            const double infinity = std::numeric_limits<double>::infinity();
            return text == "inf" ? infinity : -infinity;
        }
    }
    return failure(ErrorCode::corrupt, "must be a number", where);
}

std::string dump_json(const nlohmann::json& value) {
    return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

JsonReader::JsonReader(const nlohmann::json& object, std::string where)
    : m_object(&object), m_where(std::move(where)) {
    if (!object.is_object()) {
        fail("must be an object");
    }
}

void JsonReader::fail(const std::string& what) {
    if (m_status) {
        m_status = failure(ErrorCode::corrupt, what, m_where);
    }
}

const nlohmann::json* JsonReader::find(const char* key) {
    if (!m_status) {
        return nullptr;
    }
    m_seen.insert(key);
    const auto found = m_object->find(key);
    if (found == m_object->end()) {
        fail(std::string("'") + key + "' is missing");
        return nullptr;
    }
    return &*found;
}

void JsonReader::read_text(const nlohmann::json& value, const char* key, std::string& out,
                           std::size_t max_bytes) {
    if (!value.is_string() || value.get_ref<const std::string&>().size() > max_bytes) {
        fail(std::string("'") + key + "' must be a text of at most " + std::to_string(max_bytes) +
             " bytes");
    } else {
        out = value.get<std::string>();
    }
}

void JsonReader::read_integer(const nlohmann::json& value, const char* key, std::int64_t& out,
                              std::int64_t low, std::int64_t high) {
    const bool fits = value.is_number_unsigned()
                          ? value.get<std::uint64_t>() <=
                                static_cast<std::uint64_t>(std::max<std::int64_t>(high, 0))
                          : value.is_number_integer();
    if (!fits || value.get<std::int64_t>() < low || value.get<std::int64_t>() > high) {
        fail(std::string("'") + key + "' must be an integer from " + std::to_string(low) + " to " +
             std::to_string(high));
    } else {
        out = value.get<std::int64_t>();
    }
}

JsonReader& JsonReader::text(const char* key, std::string& out, std::size_t max_bytes) {
    if (const nlohmann::json* value = find(key)) {
        read_text(*value, key, out, max_bytes);
    }
    return *this;
}

JsonReader& JsonReader::texts(const char* key, std::vector<std::string>& out, std::size_t max_items,
                              std::size_t max_bytes) {
    out.clear();
    if (const nlohmann::json* items = array(key, max_items)) {
        for (const nlohmann::json& item : *items) {
            read_text(item, key, out.emplace_back(), max_bytes);
        }
    }
    return *this;
}

JsonReader& JsonReader::numbers(const char* key, std::vector<double>& out, std::size_t max_items) {
    out.clear();
    if (const nlohmann::json* items = array(key, max_items)) {
        for (const nlohmann::json& item : *items) {
            if (!item.is_number()) {
                fail(std::string("'") + key + "' must hold numbers");
                break;
            }
            out.push_back(item.get<double>());
        }
    }
    return *this;
}

JsonReader& JsonReader::integers(const char* key, std::vector<std::int64_t>& out,
                                 std::size_t max_items, std::int64_t low, std::int64_t high) {
    out.clear();
    if (const nlohmann::json* items = array(key, max_items)) {
        for (const nlohmann::json& item : *items) {
            read_integer(item, key, out.emplace_back(), low, high);
        }
    }
    return *this;
}

JsonReader& JsonReader::number(const char* key, double& out) {
    if (const nlohmann::json* value = find(key)) {
        if (const Expected<double> number = number_from_json(*value, path(key))) {
            out = *number;
        } else {
            fail(std::string("'") + key + "' must be a number");
        }
    }
    return *this;
}

JsonReader& JsonReader::number(const char* key, double& out, double low, double high) {
    if (const nlohmann::json* value = find(key)) {
        if (value->is_number() && value->get<double>() >= low && value->get<double>() <= high) {
            out = value->get<double>();
        } else {
            fail(std::string("'") + key + "' must be a number from " + std::to_string(low) +
                 " to " + std::to_string(high));
        }
    }
    return *this;
}

JsonReader& JsonReader::integer(const char* key, std::int64_t& out, std::int64_t low,
                                std::int64_t high) {
    if (const nlohmann::json* value = find(key)) {
        read_integer(*value, key, out, low, high);
    }
    return *this;
}

JsonReader& JsonReader::boolean(const char* key, bool& out) {
    if (const nlohmann::json* value = find(key)) {
        if (value->is_boolean()) {
            out = value->get<bool>();
        } else {
            fail(std::string("'") + key + "' must be true or false");
        }
    }
    return *this;
}

JsonReader& JsonReader::digest(const char* key, Digest& out) {
    std::string hex;
    text(key, hex, 64);
    if (ok()) {
        if (const std::optional<Digest> digest = Digest::from_hex(hex)) {
            out = *digest;
        } else {
            fail(std::string("'") + key + "' must be 64 hexadecimal digits");
        }
    }
    return *this;
}

const nlohmann::json* JsonReader::array(const char* key, std::size_t max_items) {
    const nlohmann::json* value = find(key);
    if (value != nullptr && (!value->is_array() || value->size() > max_items)) {
        fail(std::string("'") + key + "' must be an array of at most " + std::to_string(max_items) +
             " items");
        return nullptr;
    }
    return value;
}

const nlohmann::json* JsonReader::object(const char* key, std::size_t max_items) {
    const nlohmann::json* value = find(key);
    if (value != nullptr && (!value->is_object() || value->size() > max_items)) {
        fail(std::string("'") + key + "' must be an object of at most " +
             std::to_string(max_items) + " entries");
        return nullptr;
    }
    return value;
}

const nlohmann::json* JsonReader::object_or_null(const char* key, std::size_t max_items) {
    const nlohmann::json* value = find(key);
    if (value == nullptr || value->is_null()) {
        return nullptr;
    }
    return object(key, max_items);
}

Status JsonReader::finish() {
    if (m_status) {
        for (const auto& item : m_object->items()) {
            if (!m_seen.contains(item.key())) {
                fail("unknown field '" + item.key().substr(0, 64) + "'");
                break;
            }
        }
    }
    return m_status;
}

}  // namespace atl
