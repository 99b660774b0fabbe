#include "reward/base/settings.hpp"
#include "reward/base/words.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <set>

namespace atl {

namespace {

constexpr std::size_t k_max_mistakes = 20;

struct Mistake {
    std::uint32_t line = 0;
    std::string text;
};

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) {
        text += (text.empty() ? "" : ", ") + word;
    }
    return text;
}

std::string last_part(const std::string& key) {
    const std::size_t dot = key.rfind('.');
    return dot == std::string::npos ? key : key.substr(dot + 1);
}

std::string described(const toml::node& node) {
    switch (node.type()) {
        case toml::node_type::table:
            return "a table";
        case toml::node_type::array:
            return "a list";
        case toml::node_type::string:
            return "a text";
        case toml::node_type::integer:
            return "an integer";
        case toml::node_type::floating_point:
            return "a real number";
        case toml::node_type::boolean:
            return "a boolean";
        default:
            return "a date or time";
    }
}

// Shown to people: no control characters, and no more than they can read.
std::string shortened(std::string_view text) {
    constexpr std::size_t k_longest = 80;
    std::string shown(text.substr(0, k_longest));
    std::replace_if(
        shown.begin(), shown.end(),
        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, '?');
    return shown + (text.size() > k_longest ? "..." : "");
}

std::string quoted(const std::string& text) {
    return "\"" + shortened(text) + "\"";
}

std::string number(std::int64_t value) {
    return std::to_string(value);
}
std::string number(double value) {
    return fmt::format("{:g}", value);
}

template <class T>
std::string out_of_range(const std::string& shown, const SettingRange<T>& range) {
    std::string text = shown + " is out of range: ";
    if (range.low > std::numeric_limits<T>::lowest()) {
        text += "at least " + number(range.low);
    }
    if (range.high < std::numeric_limits<T>::max()) {
        text += (text.ends_with(": ") ? "at most " : " and at most ") + number(range.high);
    }
    return text.ends_with(": ") ? shown + " is not a finite number" : text;
}

class Reader final : public SettingVisitor {
  public:
    explicit Reader(const toml::table& root) : m_root(root) {}

    void integer(std::string_view key, std::int64_t& value, SettingRange<std::int64_t> range,
                 std::string_view) override {
        if (const toml::node* node = find(key)) {
            const auto* number = node->as_integer();
            if (number == nullptr) {
                wrong_type(key, *node, "an integer");
            } else if (number->get() < range.low || number->get() > range.high) {
                mistake(key, *node, out_of_range(std::to_string(number->get()), range));
            } else {
                value = number->get();
            }
        }
    }

    void real(std::string_view key, double& value, SettingRange<double> range,
              std::string_view) override {
        if (const toml::node* node = find(key)) {
            const std::optional<double> number =
                node->is_number() ? node->value<double>() : std::nullopt;
            if (!number) {
                wrong_type(key, *node, "a number");
            } else if (!std::isfinite(*number) || *number < range.low || *number > range.high) {
                mistake(key, *node, out_of_range(fmt::format("{:g}", *number), range));
            } else {
                value = *number;
            }
        }
    }

    void boolean(std::string_view key, bool& value, std::string_view) override {
        if (const toml::node* node = find(key)) {
            if (const auto* flag = node->as_boolean()) {
                value = flag->get();
            } else {
                wrong_type(key, *node, "true or false");
            }
        }
    }

    void text(std::string_view key, std::string& value, std::string_view) override {
        if (const toml::node* node = find(key)) {
            if (const auto* text_node = node->as_string()) {
                value = text_node->get();
            } else {
                wrong_type(key, *node, "a text");
            }
        }
    }

    void name(std::string_view key, std::string& value, std::string_view meaning) override {
        const std::string before = value;
        text(key, value, meaning);
        if (!value.empty() && !is_plain_name(value)) {
            mistake(key, *m_root.at_path(key).node(),
                    quoted(value) + " is not a name: " + k_plain_name_rule);
            value = before;
        }
    }

    void choice(std::string_view key, std::string& value, const std::vector<std::string>& choices,
                std::string_view) override {
        const toml::node* node = find(key);
        if (node == nullptr) {
            return;
        }
        const auto* chosen = node->as_string();
        if (chosen == nullptr) {
            wrong_type(key, *node, "one of the texts " + joined(choices));
        } else if (std::find(choices.begin(), choices.end(), chosen->get()) == choices.end()) {
            mistake(key, *node,
                    quoted(chosen->get()) + " is not one of: " + joined(choices) +
                        suggestion(nearest_word(chosen->get(), choices)));
        } else {
            value = chosen->get();
        }
    }

    void texts(std::string_view key, std::vector<std::string>& value, std::string_view) override {
        const toml::node* node = find(key);
        if (node == nullptr) {
            return;
        }
        const auto* list = node->as_array();
        if (list == nullptr) {
            wrong_type(key, *node, "a list of texts");
            return;
        }
        std::vector<std::string> items;
        for (const toml::node& item : *list) {
            if (const auto* text_node = item.as_string()) {
                items.push_back(text_node->get());
            } else {
                wrong_type(key, item, "a list of texts only");
                return;
            }
        }
        value = std::move(items);
    }

    void weights(std::string_view key, std::vector<std::pair<std::string, double>>& value,
                 const std::vector<std::string>& names, std::string_view) override {
        const toml::node* node = find(key);
        if (node == nullptr) {
            return;
        }
        const toml::table* table = node->as_table();
        if (table == nullptr) {
            wrong_type(key, *node, "a table of numbers");
            return;
        }
        std::vector<std::pair<std::string, double>> items;
        for (const std::string& name : names) {  // in the order of `names`, not of the file
            if (const toml::node* item = table->get(name)) {
                const auto number = item->is_number() ? item->value<double>() : std::nullopt;
                if (!number || !std::isfinite(*number) || *number < 0) {
                    mistake(std::string(key) + "." + name, *item, "must be a number at least 0");
                } else {
                    items.emplace_back(name, *number);
                }
            }
        }
        for (const auto& [name, item] : *table) {
            const std::string shown(name.str());
            if (std::find(names.begin(), names.end(), shown) == names.end()) {
                mistake(std::string(key) + "." + shown, item,
                        "unknown name; known: " + joined(names) +
                            suggestion(nearest_word(shown, names)));
            }
        }
        value = std::move(items);
    }

    /// After all declarations: whatever the file has that nobody declared.
    void check_unknown() { check_table(m_root, ""); }

    std::vector<Mistake> mistakes;

  private:
    const toml::node* find(std::string_view key) {
        m_keys.emplace_back(key);
        return m_root.at_path(key).node();
    }

    void mistake(std::string_view key, const toml::node& node, const std::string& what) {
        mistakes.push_back({node.source().begin.line, shortened(key) + ": " + what});
    }

    void wrong_type(std::string_view key, const toml::node& node, const std::string& wanted) {
        mistake(key, node, "must be " + wanted + ", not " + described(node));
    }

    static std::string suggestion(const std::string& word) {
        return word.empty() ? "" : "; did you mean \"" + word + "\"?";
    }

    // A known key of the same name in another section, or else one that looks like this one.
    std::string nearest_key(const std::string& key) const {
        for (const std::string& known : m_keys) {
            if (last_part(known) == last_part(key)) {
                return known;
            }
        }
        return nearest_word(key, m_keys);
    }

    std::string unknown_key(const std::string& key, const std::string& prefix) const {
        const std::string nearest = nearest_key(key);
        if (!nearest.empty()) {
            return "unknown key" + suggestion(nearest);
        }
        std::vector<std::string> neighbours;
        for (const std::string& known : m_keys) {
            if (known.starts_with(prefix) && known == prefix + last_part(known)) {
                neighbours.push_back(last_part(known));
            }
        }
        return neighbours.empty() ? "unknown key; sections: " + joined(sections())
                                  : "unknown key; known here: " + joined(neighbours);
    }

    std::vector<std::string> sections() const {
        std::set<std::string> names;
        for (const std::string& key : m_keys) {
            for (std::size_t dot = key.find('.'); dot != std::string::npos;
                 dot = key.find('.', dot + 1)) {
                names.insert(key.substr(0, dot));
            }
        }
        return {names.begin(), names.end()};
    }

    void check_table(const toml::table& table, const std::string& prefix) {
        const std::vector<std::string> known_sections = sections();
        for (const auto& [name, node] : table) {
            const std::string key = prefix + std::string(name.str());
            // "a.b" in quotes is a key with a dot in it, and none of ours.
            const bool dotted = name.str().find('.') != std::string_view::npos;
            if (!dotted && std::find(m_keys.begin(), m_keys.end(), key) != m_keys.end()) {
                continue;
            }
            const bool section = !dotted && std::find(known_sections.begin(), known_sections.end(),
                                                      key) != known_sections.end();
            if (section && node.is_table()) {
                check_table(*node.as_table(), key + ".");
            } else if (section) {
                mistake(key, node, "is a section; write [" + key + "]");
            } else if (node.is_table()) {
                mistake(key, node,
                        "unknown section; known: " + joined(known_sections) +
                            suggestion(nearest_word(key, known_sections)));
            } else {
                mistake(key, node, unknown_key(key, prefix));
            }
        }
    }

    const toml::table& m_root;
    std::vector<std::string> m_keys;
};

Status report(std::vector<Mistake> mistakes, const std::string& file_name) {
    if (mistakes.empty()) {
        return {};
    }
    const auto where = [&](const Mistake& m) { return file_name + ":" + std::to_string(m.line); };
    const std::string hint = "`atoll config explain` lists every key";
    std::stable_sort(mistakes.begin(), mistakes.end(),
                     [](const Mistake& a, const Mistake& b) { return a.line < b.line; });
    if (mistakes.size() == 1) {
        return failure(ErrorCode::invalid_argument, mistakes[0].text, where(mistakes[0]), hint);
    }
    std::string what = std::to_string(mistakes.size()) + " mistakes";
    for (std::size_t i = 0; i < std::min(mistakes.size(), k_max_mistakes); ++i) {
        what += "\n  " + where(mistakes[i]) + ": " + mistakes[i].text;
    }
    what += mistakes.size() > k_max_mistakes ? "\n  ...\n" : "\n";
    return failure(ErrorCode::invalid_argument, what, file_name, hint);
}

}  // namespace

Expected<std::vector<std::string>> named_tables(const std::string& toml_text,
                                                const std::string& section, std::size_t most,
                                                const std::string& file_name) {
    std::vector<std::string> names;
    try {
        const toml::table root = toml::parse(toml_text, file_name);
        const toml::table* tables = root[section].as_table();
        if (tables == nullptr) {
            return names;  // another type than a table is an unknown key
        }
        for (const auto& [key, node] : *tables) {
            names.emplace_back(key.str());
            if (!is_plain_name(names.back()) || names.back().find('.') != std::string::npos) {
                return failure(ErrorCode::invalid_argument,
                               std::string("a name in [") + section + ".NAME] is " +
                                   k_plain_name_rule + ", and without '.'",
                               file_name + ": " + section);
            }
        }
    } catch (const toml::parse_error& error) {
        return failure(ErrorCode::invalid_argument,
                       "not valid TOML: " + std::string(error.description()),
                       file_name + ":" + std::to_string(error.source().begin.line));
    }
    if (names.size() > most) {
        return failure(ErrorCode::limit, "more than " + std::to_string(most) + " " + section,
                       file_name + ": " + section);
    }
    return names;
}

Status read_settings(const std::string& toml_text, const std::string& file_name,
                     const SettingDeclaration& declare) {
    try {
        const toml::table root = toml::parse(toml_text, file_name);
        Reader reader(root);
        declare(reader);
        reader.check_unknown();
        return report(std::move(reader.mistakes), file_name);
    } catch (const toml::parse_error& error) {
        return failure(ErrorCode::invalid_argument,
                       "not valid TOML: " + std::string(error.description()),
                       file_name + ":" + std::to_string(error.source().begin.line));
    }
}

}  // namespace atl
