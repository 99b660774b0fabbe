#include "reward/json_object.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/src.hpp>
#include <nlohmann/json.hpp>

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

/// Builds a value from the events of Boost's parser, which reads texts several times as fast as
/// nlohmann's. What is not plain (fractions, which it rounds less well, and all that is wrong) it
/// gives up; then the other parser says what there is or what is wrong with it.
class Builder {
  public:
    using Text = boost::json::string_view;
    using Code = boost::json::error_code;
    static constexpr std::size_t max_object_size = k_max_keys;
    static constexpr std::size_t max_array_size = SIZE_MAX;
    static constexpr std::size_t max_key_size = SIZE_MAX;
    static constexpr std::size_t max_string_size = SIZE_MAX;

    [[nodiscard]] Json take() { return std::move(m_root); }

    bool on_document_begin(Code&) { return true; }
    bool on_document_end(Code&) { return true; }
    bool on_object_begin(Code&) { return open(Json::object()); }
    bool on_object_end(std::size_t, Code&) { return close(); }
    bool on_array_begin(Code&) { return open(Json::array()); }
    bool on_array_end(std::size_t, Code&) { return close(); }
    bool on_key_part(Text text, std::size_t, Code&) { return append(text); }
    bool on_key(Text text, std::size_t, Code& error) {
        append(text);
        if (m_open.back()->contains(m_text)) {
            return give_up(error);
        }
        m_key = std::exchange(m_text, {});
        return true;
    }
    bool on_string_part(Text text, std::size_t, Code&) { return append(text); }
    bool on_string(Text text, std::size_t, Code&) {
        append(text);
        add(std::exchange(m_text, {}));
        return true;
    }
    bool on_number_part(Text, Code&) { return true; }
    bool on_int64(std::int64_t value, Text, Code&) {
        if (value < 0) {
            add(value);
        } else {
            add(static_cast<std::uint64_t>(value));
        }
        return true;
    }
    bool on_uint64(std::uint64_t value, Text, Code&) {
        add(value);
        return true;
    }
    bool on_double(double, Text, Code& error) { return give_up(error); }
    bool on_bool(bool value, Code&) {
        add(value);
        return true;
    }
    bool on_null(Code&) {
        add(nullptr);
        return true;
    }
    bool on_comment_part(Text, Code& error) { return give_up(error); }
    bool on_comment(Text, Code& error) { return give_up(error); }

  private:
    static bool give_up(Code& error) {
        error = boost::json::error::syntax;
        return false;
    }
    bool append(Text text) {
        m_text.append(text.data(), text.size());
        return true;
    }
    Json& add(Json value) {
        if (m_open.empty()) {
            return m_root = std::move(value);
        }
        Json& parent = *m_open.back();
        if (parent.is_array()) {
            parent.push_back(std::move(value));
            return parent.back();
        }
        auto& members = parent.get_ref<Json::object_t&>();
        // That it is not there was seen when the key came.
        return static_cast<std::vector<Json::object_t::value_type>&>(members)
            .emplace_back(std::move(m_key), std::move(value))
            .second;
    }
    bool open(Json empty) {
        m_open.push_back(&add(std::move(empty)));
        return true;
    }
    bool close() {
        m_open.pop_back();
        return true;
    }

    Json m_root;
    std::vector<Json*> m_open;  // a value stays where it is until it is closed
    std::string m_key;
    std::string m_text;
};

std::optional<Json> parse_plain(std::string_view text) {
    boost::json::parse_options options;
    options.max_depth = k_max_depth;
    boost::json::basic_parser<Builder> parser(options);
    boost::json::error_code error;
    const std::size_t read = parser.write_some(false, text.data(), text.size(), error);
    if (error || read != text.size() || !parser.done()) {
        return std::nullopt;
    }
    return parser.handler().take();
}

}  // namespace

Expected<Json> parse_json_strictly(std::string_view text, const std::string& where) {
    if (std::optional<Json> value = parse_plain(text)) {
        return std::move(*value);
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
