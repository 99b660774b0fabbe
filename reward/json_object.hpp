#pragma once

#include "reward/base/error.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// Parses JSON that came from outside: duplicate keys, nesting deeper than 64 levels, more than
/// 1024 keys in one object, invalid UTF-8 and numbers outside double are errors that name `where`
/// and the line. Key order is kept.
[[nodiscard]] Expected<nlohmann::ordered_json> parse_json_strictly(std::string_view text,
                                                                   const std::string& where);

/// Reads the keys of one JSON object, each at most once. The first mistake of any object that
/// shares `error` is kept there, naming file and key; after it everything reads as its default, so
/// a caller reads all it wants and looks at `error` once. Not thread-safe.
class JsonObject {
  public:
    /// `value` must outlive this. `where` is "file" or "file: key.key".
    JsonObject(const nlohmann::ordered_json& value, std::string where, std::optional<Error>& error);

    [[nodiscard]] bool has(std::string_view key) const;
    [[nodiscard]] std::string text(std::string_view key, std::string_view otherwise,
                                   std::size_t max_bytes = 4096);
    [[nodiscard]] std::string required_text(std::string_view key, std::size_t max_bytes = 4096);
    [[nodiscard]] double number(std::string_view key, double otherwise, double low, double high);
    [[nodiscard]] std::int64_t integer(std::string_view key, std::int64_t otherwise,
                                       std::int64_t low, std::int64_t high);
    [[nodiscard]] bool boolean(std::string_view key, bool otherwise);
    [[nodiscard]] std::vector<std::string> texts(std::string_view key, std::size_t max_count,
                                                 std::size_t max_bytes = 4096);
    /// The value of a key as an object; an empty one when absent.
    [[nodiscard]] JsonObject object(std::string_view key);
    /// Objects of a list; empty when absent.
    [[nodiscard]] std::vector<JsonObject> objects(std::string_view key, std::size_t max_count);
    /// Keys in file order; at most `max_count`, or an error.
    [[nodiscard]] std::vector<std::string> keys(std::size_t max_count);
    /// The raw value (null when absent); marks the key as read.
    [[nodiscard]] const nlohmann::ordered_json& raw(std::string_view key);

    /// Refuses keys that were not read, with the nearest key that could have been meant.
    void refuse_other_keys();
    /// Records a mistake about `key` (empty: about the object).
    void fail(std::string_view key, const std::string& what, const std::string& hint = {},
              ErrorCode code = ErrorCode::invalid_argument);
    [[nodiscard]] std::string where(std::string_view key) const;
    [[nodiscard]] bool failed() const { return m_error->has_value(); }

  private:
    const nlohmann::ordered_json* find(std::string_view key);
    void fail_type(std::string_view key, const std::string& wanted,
                   const nlohmann::ordered_json& got);

    const nlohmann::ordered_json* m_value;
    std::string m_where;
    std::optional<Error>* m_error;
    std::vector<std::string> m_read;
};

}  // namespace atl
