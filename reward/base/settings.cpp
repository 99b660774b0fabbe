#include "reward/base/settings.hpp"

#include "reward/base/words.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

namespace atl {

namespace {

std::string number_text(std::int64_t value) {
    return std::to_string(value);
}

// Shortest text that reads back as the same double, as a TOML float.
std::string number_text(double value) {
    std::array<char, 64> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
    std::string text(buffer.data(), end);
    if (text.find_first_of(".en") == std::string::npos) {
        text += ".0";
    }
    return text;
}

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            std::array<char, 8> escape{};
            std::snprintf(escape.data(), escape.size(), "\\u%04X", static_cast<unsigned char>(c));
            out += escape.data();
        } else {
            out += c;
        }
    }
    return out + "\"";
}

template <class T>
std::string range_text(const SettingRange<T>& range) {
    const bool low = range.low > std::numeric_limits<T>::lowest();
    const bool high = range.high < std::numeric_limits<T>::max();
    if (low && high) {
        return number_text(range.low) + " to " + number_text(range.high);
    }
    if (low) {
        return "at least " + number_text(range.low);
    }
    return high ? "at most " + number_text(range.high) : "";
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) {
        text += (text.empty() ? "" : ", ") + word;
    }
    return text;
}

class Lister final : public SettingVisitor {
  public:
    void integer(std::string_view key, std::int64_t& value, SettingRange<std::int64_t> range,
                 std::string_view meaning) override {
        add(key, "integer", number_text(value), range_text(range), meaning);
    }
    void real(std::string_view key, double& value, SettingRange<double> range,
              std::string_view meaning) override {
        add(key, "real", number_text(value), range_text(range), meaning);
    }
    void boolean(std::string_view key, bool& value, std::string_view meaning) override {
        add(key, "boolean", value ? "true" : "false", "", meaning);
    }
    void text(std::string_view key, std::string& value, std::string_view meaning) override {
        add(key, "text", quoted(value), "", meaning);
    }
    void name(std::string_view key, std::string& value, std::string_view meaning) override {
        add(key, "name", quoted(value), k_plain_name_rule, meaning);
    }
    void choice(std::string_view key, std::string& value, const std::vector<std::string>& choices,
                std::string_view meaning) override {
        add(key, "choice", quoted(value), "one of: " + joined(choices), meaning);
    }
    void texts(std::string_view key, std::vector<std::string>& value,
               std::string_view meaning) override {
        std::vector<std::string> items;
        for (const std::string& item : value) {
            items.push_back(quoted(item));
        }
        add(key, "list of texts", "[" + joined(items) + "]", "", meaning);
    }
    void weights(std::string_view key, std::vector<std::pair<std::string, double>>& value,
                 const std::vector<std::string>& names, std::string_view meaning) override {
        std::vector<std::string> items;
        for (const auto& [name, weight] : value) {
            items.push_back(name + " = " + number_text(weight));
        }
        add(key, "table of numbers", items.empty() ? "{}" : "{ " + joined(items) + " }",
            "names: " + joined(names) + "; numbers at least 0", meaning);
    }

    std::vector<SettingInfo> infos;

  private:
    void add(std::string_view key, std::string type, std::string value, std::string range,
             std::string_view meaning) {
        infos.push_back({std::string(key), std::move(type), std::move(value), std::move(range),
                         std::string(meaning)});
    }
};

}  // namespace

std::vector<SettingInfo> list_settings(const SettingDeclaration& declare) {
    Lister lister;
    declare(lister);
    return std::move(lister.infos);
}

std::string write_settings(const SettingDeclaration& declare) {
    std::vector<std::pair<std::string, std::string>> sections;  // TOML allows each only once
    for (const SettingInfo& info : list_settings(declare)) {
        const std::size_t dot = info.key.rfind('.');
        const std::string section = dot == std::string::npos ? "" : info.key.substr(0, dot);
        const std::string name = dot == std::string::npos ? info.key : info.key.substr(dot + 1);
        auto place = std::find_if(sections.begin(), sections.end(),
                                  [&](const auto& s) { return s.first == section; });
        if (place == sections.end()) {
            // Keys without a section must stand before the first header.
            place = sections.insert(section.empty() ? sections.begin() : sections.end(),
                                    {section, std::string()});
        }
        place->second += name + " = " + info.default_value + "\n";
    }
    std::string text;
    for (const auto& [section, lines] : sections) {
        text += text.empty() ? "" : "\n";
        text += section.empty() ? lines : "[" + section + "]\n" + lines;
    }
    return text;
}

}  // namespace atl
