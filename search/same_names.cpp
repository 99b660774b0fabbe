#include "search/same_names.hpp"

#include "reward/cpp_lexer.hpp"
#include "reward/source_text.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace atl {

namespace {

using Kind = CppToken::Kind;

constexpr std::array<std::string_view, 31> k_types = {
    "auto",     "bool",     "char",     "double", "float",   "int",     "long",         "short",
    "signed",   "size_t",   "unsigned", "int8_t", "int16_t", "int32_t", "int64_t",      "uint8_t",
    "uint16_t", "uint32_t", "uint64_t", "half",   "half2",   "__half",  "__half2",      "float2",
    "float3",   "float4",   "int2",     "int3",   "int4",    "uint4",   "__nv_bfloat16"};
constexpr std::array<std::string_view, 8> k_between = {
    "*", "&", "const", "volatile", "restrict", "__restrict", "__restrict__", "constexpr"};
constexpr std::array<std::string_view, 7> k_ends = {"=", ";", ",", ")", "[", ":", "{"};
/// Inline assembly names variables in texts; of the others the layout counts, names and all.
constexpr std::array<std::string_view, 9> k_texts_count = {"asm",
                                                           "__asm__",
                                                           "__asm",
                                                           "__LINE__",
                                                           "__COUNTER__",
                                                           "source_location",
                                                           "__builtin_LINE",
                                                           "__builtin_COLUMN",
                                                           "__builtin_source_location"};
/// Words that may stand behind a type without being a name.
constexpr std::array<std::string_view, 6> k_no_names = {"operator", "final",   "override",
                                                        "noexcept", "mutable", "decltype"};

template <class Words>
bool is_one_of(const Words& words, const std::string& text) {
    return std::find(words.begin(), words.end(), text) != words.end();
}

struct Token {
    CppToken token;
    bool in_directive = false;
};

/// Nothing where names may count.
std::vector<Token> tokens_of(const std::string& stream) {
    std::vector<Token> tokens;
    CppLexer lexer(stream);
    bool in_directive = false;
    while (std::optional<CppToken> token = lexer.next()) {
        if (token->kind == Kind::directive_end) {
            in_directive = false;
            continue;
        }
        const bool starts = token->starts_directive;
        if ((in_directive && (token->text.starts_with('#') || token->text.starts_with("%:"))) ||
            is_one_of(k_texts_count, token->text) || token->kind == Kind::comment) {
            return {};
        }
        in_directive = in_directive || starts;
        tokens.push_back({std::move(*token), in_directive});
    }
    return tokens;
}

class Names {
  public:
    explicit Names(const std::vector<Token>& tokens) : m_tokens(tokens) {
        for (std::size_t i = 0; i < tokens.size(); ++i) {
            if (tokens[i].token.kind != Kind::word) {
                continue;
            }
            if (may_be_other(i)) {
                m_kept.insert(text(i));
            } else if (const auto type = type_before(i)) {
                (is_from_elsewhere(*type) ? m_kept : m_declared).insert(text(i));
            }
        }
    }

    [[nodiscard]] bool is_numbered(std::size_t i) const {
        return m_tokens[i].token.kind == Kind::word && m_declared.contains(text(i)) &&
               !m_kept.contains(text(i));
    }

  private:
    [[nodiscard]] const std::string& text(std::size_t i) const { return m_tokens[i].token.text; }
    [[nodiscard]] bool next_is(std::size_t i, std::string_view what) const {
        return i + 1 < m_tokens.size() && text(i + 1) == what;
    }

    [[nodiscard]] bool may_be_other(std::size_t i) const {
        const bool after = i > 0 && (text(i - 1) == "." || text(i - 1) == "->" ||
                                     text(i - 1) == "::" || text(i - 1) == "goto");
        return after || next_is(i, "(") || next_is(i, "::") || m_tokens[i].in_directive;
    }

    /// Place of the type that the word is declared with, where it is a variable.
    [[nodiscard]] std::optional<std::size_t> type_before(std::size_t i) const {
        if (i + 1 >= m_tokens.size() || !is_one_of(k_ends, text(i + 1)) ||
            is_one_of(k_types, text(i)) || is_one_of(k_between, text(i)) ||
            is_one_of(k_no_names, text(i))) {
            return std::nullopt;
        }
        std::size_t before = i;
        while (before > 0 && is_one_of(k_between, text(before - 1))) {
            --before;
        }
        const bool typed = before > 0 && is_one_of(k_types, text(before - 1));
        return typed ? std::optional(before - 1) : std::nullopt;
    }

    /// extern and extern "C": the linker knows it by its name.
    [[nodiscard]] bool is_from_elsewhere(std::size_t type) const {
        while (type > 0 &&
               (is_one_of(k_types, text(type - 1)) || is_one_of(k_between, text(type - 1)))) {
            --type;
        }
        return type > 0 &&
               (text(type - 1) == "extern" || m_tokens[type - 1].token.kind == Kind::text);
    }

    const std::vector<Token>& m_tokens;
    std::set<std::string> m_declared;
    std::set<std::string> m_kept;
};

}  // namespace

std::string with_numbered_names(std::string_view source) {
    std::string stream = normalised_tokens(source);
    const std::vector<Token> tokens = tokens_of(stream);
    const Names names(tokens);
    std::map<std::string, std::size_t> numbers;
    std::string result;
    std::size_t at = 0;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        const CppToken& token = tokens[i].token;
        if (!names.is_numbered(i)) {
            continue;
        }
        const std::size_t number = numbers.emplace(token.text, numbers.size()).first->second;
        result.append(stream, at, token.begin - at);
        result += '\x01' + std::to_string(number);  // no source that compiles has this byte
        at = token.end;
    }
    result.append(stream, at);
    return result;
}

}  // namespace atl
