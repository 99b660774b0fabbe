#include "reward/cuda/split_macros.hpp"

#include <algorithm>
#include <map>
#include <string_view>
#include <vector>

namespace atl {

namespace {

using Tokens = std::span<const CppToken>;

/// Tokens between the ( at 0 and the ) at the end, by commas that no parentheses enclose.
std::vector<Tokens> arguments_of(Tokens use) {
    std::vector<Tokens> arguments;
    std::size_t begin = 1;
    int depth = 0;
    for (std::size_t i = 1; i + 1 < use.size(); ++i) {
        depth += use[i].text == "(" ? 1 : use[i].text == ")" ? -1 : 0;
        if (use[i].text == "," && depth == 0) {
            arguments.push_back(use.subspan(begin, i - begin));
            begin = i + 1;
        }
    }
    arguments.push_back(use.subspan(begin, use.size() - 1 - begin));
    return arguments;
}

std::string text_of(Tokens tokens) {
    std::string text;
    for (const CppToken& token : tokens) {
        text.append(token.after_space && !text.empty() ? " " : "").append(token.text);
    }
    return text;
}

std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        out.append(c == '"' || c == '\\' ? "\\" : "").push_back(c);
    }
    return out.append("\"");
}

/// The parameters' values by name, and the replacement.
class Expansion {
  public:
    /// Whether the two fit.
    [[nodiscard]] bool begin(Tokens definition, Tokens use);
    [[nodiscard]] std::optional<std::string> write(std::size_t most_bytes) const;

  private:
    [[nodiscard]] const std::string* value_at(std::size_t at) const {
        const auto found = at < m_body.size() ? m_values.find(m_body[at].text) : m_values.end();
        return found == m_values.end() ? nullptr : &found->second;
    }

    std::map<std::string, std::string, std::less<>> m_values;
    Tokens m_body;
};

bool Expansion::begin(Tokens definition, Tokens use) {
    std::vector<std::string_view> names;
    bool variadic = false;
    std::size_t at = 1;
    for (; at < definition.size() && definition[at].text != ")"; ++at) {
        const CppToken& token = definition[at];
        if (token.text == "...") {
            variadic = true;
        } else if (token.kind == CppToken::Kind::word) {
            names.emplace_back(token.text);
        }
    }
    if (at >= definition.size() || use.size() < 2) {
        return false;
    }
    m_body = definition.subspan(at + 1);
    const std::vector<Tokens> arguments = arguments_of(use);
    const bool none = names.empty() && !variadic && arguments.front().empty();
    if (!none &&
        (arguments.size() < names.size() || (arguments.size() > names.size() && !variadic))) {
        return false;
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
        m_values.emplace(names[i], text_of(arguments[i]));
    }
    if (variadic) {
        std::string& rest = m_values["__VA_ARGS__"];
        for (std::size_t i = names.size(); i < arguments.size(); ++i) {
            rest.append(i > names.size() ? ", " : "").append(text_of(arguments[i]));
        }
    }
    return true;
}

std::optional<std::string> Expansion::write(std::size_t most_bytes) const {
    std::string out;
    bool paste = false;
    for (std::size_t i = 0; i < m_body.size() && out.size() <= most_bytes; ++i) {
        const CppToken& token = m_body[i];
        if (token.text == "__VA_OPT__" || token.text.find('\n') != std::string::npos) {
            return std::nullopt;
        }
        const std::string* value = value_at(i);
        if (token.text == "##") {
            while (out.ends_with(' ')) {
                out.pop_back();
            }
            // As GNU has it: a comma before no arguments goes with them.
            const bool rest = i + 1 < m_body.size() && m_body[i + 1].text == "__VA_ARGS__";
            if (rest && out.ends_with(',') && value_at(i + 1) != nullptr &&
                value_at(i + 1)->empty()) {
                out.pop_back();
            }
            paste = true;
            continue;
        }
        out.append(!paste && (token.after_space || value != nullptr) ? " " : "");
        if (token.text == "#" && value_at(i + 1) != nullptr) {
            out.append(quoted(*value_at(++i)));
        } else {
            out.append(value != nullptr ? *value : token.text);
        }
        // An operator must not grow by what stood next to a parameter.
        const bool pasted_next = i + 1 < m_body.size() && m_body[i + 1].text == "##";
        out.append(value != nullptr && !pasted_next ? " " : "");
        paste = false;
    }
    return out;
}

}  // namespace

std::optional<std::string> write_out(Tokens definition, Tokens use, std::size_t most_bytes) {
    const auto spans_lines = [](const CppToken& token) {
        return token.text.find('\n') != std::string::npos;
    };
    Expansion expansion;
    if (std::any_of(use.begin(), use.end(), spans_lines) || !expansion.begin(definition, use)) {
        return std::nullopt;
    }
    return expansion.write(most_bytes);
}

}  // namespace atl
