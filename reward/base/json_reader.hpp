#pragma once

#include "reward/base/error.hpp"
#include "reward/base/hash.hpp"

#include <nlohmann/json_fwd.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace atl {

/// JSON that nobody vouches for: stored files, frames, answers of programs.

/// Parses one JSON object. Errors: limit above `max_bytes`, corrupt when it is not JSON, nested
/// deeper than 32, or not an object. `where` names the source in errors.
[[nodiscard]] Expected<nlohmann::json> parse_json_object(std::string_view text,
                                                         std::size_t max_bytes,
                                                         const std::string& where);

/// A number, or the strings "nan", "inf", "-inf", which JSON cannot say as numbers.
[[nodiscard]] nlohmann::json number_to_json(double value);
[[nodiscard]] Expected<double> number_from_json(const nlohmann::json& value,
                                                const std::string& where);

/// The text form; bytes that are not UTF-8 (compiler output, sources) are replaced by U+FFFD.
[[nodiscard]] std::string dump_json(const nlohmann::json& value);

/// Reads the fields of one object and remembers the first thing that was wrong, so that a parser
/// is a list of fields. Every field named is required; a field not named is an error too. The
/// object must outlive the reader. Not thread-safe.
class JsonReader {
  public:
    JsonReader(const nlohmann::json& object, std::string where);

    JsonReader& text(const char* key, std::string& out, std::size_t max_bytes = 1 << 20);
    JsonReader& number(const char* key, double& out);
    /// A finite number from `low` to `high`.
    JsonReader& number(const char* key, double& out, double low, double high);
    JsonReader& integer(const char* key, std::int64_t& out, std::int64_t low, std::int64_t high);
    /// Other integer types; values above the largest std::int64_t are refused.
    template <std::integral Integer>
    JsonReader& integer(const char* key, Integer& out, std::type_identity_t<Integer> low,
                        std::type_identity_t<Integer> high) {
        constexpr auto k_most = std::numeric_limits<std::int64_t>::max();
        std::int64_t value = 0;
        integer(key, value, static_cast<std::int64_t>(low),
                std::cmp_less(high, k_most) ? static_cast<std::int64_t>(high) : k_most);
        if (ok()) {
            out = static_cast<Integer>(value);
        }
        return *this;
    }
    /// Lists of at most `max_items`, which replace `out`.
    JsonReader& texts(const char* key, std::vector<std::string>& out, std::size_t max_items,
                      std::size_t max_bytes);
    JsonReader& numbers(const char* key, std::vector<double>& out, std::size_t max_items);
    JsonReader& integers(const char* key, std::vector<std::int64_t>& out, std::size_t max_items,
                         std::int64_t low, std::int64_t high);
    JsonReader& boolean(const char* key, bool& out);
    JsonReader& digest(const char* key, Digest& out);
    /// The field's value when it is an array of at most `max_items`; else nullptr.
    const nlohmann::json* array(const char* key, std::size_t max_items);
    /// The field's value when it is an object of at most `max_items`; else nullptr.
    const nlohmann::json* object(const char* key, std::size_t max_items);
    /// The same, nullptr also for null (which is no error).
    const nlohmann::json* object_or_null(const char* key, std::size_t max_items);

    /// Records a problem found by the caller.
    void fail(const std::string& what);
    /// "where.key", for readers of nested values.
    [[nodiscard]] std::string path(const char* key) const { return m_where + "." + key; }
    [[nodiscard]] bool ok() const { return m_status.has_value(); }
    /// The first problem, or corrupt when the object has a field that was never asked for.
    [[nodiscard]] Status finish();

  private:
    const nlohmann::json* find(const char* key);
    void read_text(const nlohmann::json& value, const char* key, std::string& out,
                   std::size_t max_bytes);
    void read_integer(const nlohmann::json& value, const char* key, std::int64_t& out,
                      std::int64_t low, std::int64_t high);

    const nlohmann::json* m_object;
    std::string m_where;
    std::set<std::string, std::less<>> m_seen;
    Status m_status;
};

}  // namespace atl
