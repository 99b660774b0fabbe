#pragma once

#include "reward/base/error.hpp"

#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace atl {

/// Reads the fields of a JSON object from another process: every field is required, of exactly the
/// right type and within its limits; the first complaint is kept. Include from .cpp files only.
class JsonFields {
  public:
    JsonFields(const nlohmann::json& object, std::string where)
        : m_object(object), m_where(std::move(where)) {
        if (!m_object.is_object()) {
            complain("is not an object");
        }
    }

    template <class Integer>
    JsonFields& integer(const char* key, Integer& out, Integer low, Integer high) {
        if (const nlohmann::json* value = find(key)) {
            read_integer(*value, key, out, low, high);
        }
        return *this;
    }

    JsonFields& number(const char* key, double& out, double low, double high) {
        if (const nlohmann::json* value = find(key)) {
            read_number(*value, key, out, low, high);
        }
        return *this;
    }

    JsonFields& boolean(const char* key, bool& out) {
        if (const nlohmann::json* value = find(key)) {
            if (value->is_boolean()) {
                out = value->get<bool>();
            } else {
                complain(std::string(key) + " is not a boolean");
            }
        }
        return *this;
    }

    JsonFields& text(const char* key, std::string& out, std::size_t max_bytes) {
        if (const nlohmann::json* value = find(key)) {
            read_text(*value, key, out, max_bytes);
        }
        return *this;
    }

    JsonFields& texts(const char* key, std::vector<std::string>& out, std::size_t max_count,
                      std::size_t max_bytes) {
        for (const nlohmann::json& item : array(key, max_count)) {
            read_text(item, key, out.emplace_back(), max_bytes);
        }
        return *this;
    }

    JsonFields& numbers(const char* key, std::vector<double>& out, std::size_t max_count) {
        for (const nlohmann::json& item : array(key, max_count)) {
            read_number(item, key, out.emplace_back(), std::numeric_limits<double>::lowest(),
                        std::numeric_limits<double>::max());
        }
        return *this;
    }

    template <class Integer>
    JsonFields& integers(const char* key, std::vector<Integer>& out, std::size_t max_count,
                         Integer low, Integer high) {
        for (const nlohmann::json& item : array(key, max_count)) {
            read_integer(item, key, out.emplace_back(), low, high);
        }
        return *this;
    }

    /// The array under `key`, or an empty one after a complaint.
    [[nodiscard]] const nlohmann::json& array(const char* key, std::size_t max_count) {
        static const nlohmann::json none = nlohmann::json::array();
        const nlohmann::json* value = find(key);
        if (value == nullptr) {
            return none;
        }
        if (!value->is_array() || value->size() > max_count) {
            complain(std::string(key) + " is not an array of at most " + std::to_string(max_count) +
                     " items");
            return none;
        }
        return *value;
    }

    void complain(const std::string& what) {
        if (m_complaint.empty()) {
            m_complaint = what;
        }
    }

    [[nodiscard]] Status status() const {
        if (m_complaint.empty()) {
            return {};
        }
        return failure(ErrorCode::corrupt, m_complaint, m_where);
    }

  private:
    const nlohmann::json* find(const char* key) {
        if (!m_complaint.empty()) {
            return nullptr;
        }
        const auto found = m_object.find(key);
        if (found == m_object.end()) {
            complain(std::string(key) + " is missing");
            return nullptr;
        }
        return &*found;
    }

    template <class Integer>
    void read_integer(const nlohmann::json& value, const char* key, Integer& out, Integer low,
                      Integer high) {
        const bool in_range = value.is_number_unsigned()
                                  ? std::cmp_less_equal(low, value.get<std::uint64_t>()) &&
                                        std::cmp_less_equal(value.get<std::uint64_t>(), high)
                                  : value.is_number_integer() &&
                                        std::cmp_less_equal(low, value.get<std::int64_t>()) &&
                                        std::cmp_less_equal(value.get<std::int64_t>(), high);
        if (!in_range) {
            complain(std::string(key) + " is not an integer from " + std::to_string(low) + " to " +
                     std::to_string(high));
            return;
        }
        out = value.get<Integer>();
    }

    void read_number(const nlohmann::json& value, const char* key, double& out, double low,
                     double high) {
        if (!value.is_number() || !(value.get<double>() >= low && value.get<double>() <= high)) {
            complain(std::string(key) + " is not a number from " + std::to_string(low) + " to " +
                     std::to_string(high));
            return;
        }
        out = value.get<double>();
    }

    void read_text(const nlohmann::json& value, const char* key, std::string& out,
                   std::size_t max_bytes) {
        if (!value.is_string() || value.get_ref<const std::string&>().size() > max_bytes) {
            complain(std::string(key) + " is not a text of at most " + std::to_string(max_bytes) +
                     " bytes");
            return;
        }
        out = value.get<std::string>();
    }

    const nlohmann::json& m_object;
    std::string m_where;
    std::string m_complaint;
};

}  // namespace atl
