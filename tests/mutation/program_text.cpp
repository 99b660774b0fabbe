#include "tests/mutation/program_text.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace atl::mutation {

namespace {

using Kind = CppToken::Kind;

constexpr std::array<std::string_view, 14> k_statement_words = {
    "return",   "if",    "else",   "for", "while",  "do",    "case",
    "continue", "break", "sizeof", "new", "delete", "throw", "operator"};
constexpr std::array<std::string_view, 9> k_base_types = {
    "float", "double", "int", "long", "unsigned", "short", "char", "bool", "auto"};
constexpr std::array<std::string_view, 5> k_before_angle = {"static_cast", "reinterpret_cast",
                                                            "const_cast", "template", "vector"};

template <std::size_t count>
bool contains(const std::array<std::string_view, count>& words, std::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

ProgramText::ProgramText(std::string source) : m_source(std::move(source)) {
    CppLexer lexer(m_source);
    bool in_directive = false;
    while (std::optional<CppToken> token = lexer.next()) {
        in_directive = in_directive || token->starts_directive;
        const bool ends = token->kind == Kind::directive_end;
        if (!in_directive && !ends && token->kind != Kind::comment) {
            m_tokens.push_back(std::move(*token));
        }
        in_directive = in_directive && !ends;
    }
    m_partners.assign(m_tokens.size(), k_nowhere);
    m_angles.assign(m_tokens.size(), false);
    match_brackets();
    match_angles();
    find_aliases();
    find_declarations();
    find_enumerators();
}

bool ProgramText::is(std::size_t at, std::string_view text) const {
    return at < m_tokens.size() && m_tokens[at].text == text;
}

bool ProgramText::is_one_of(std::size_t at, const std::vector<std::string_view>& texts) const {
    return at < m_tokens.size() &&
           std::find(texts.begin(), texts.end(), m_tokens[at].text) != texts.end();
}

bool ProgramText::is_word(std::size_t at) const {
    return at < m_tokens.size() && m_tokens[at].kind == Kind::word &&
           !contains(k_statement_words, m_tokens[at].text);
}

bool ProgramText::is_number(std::size_t at) const {
    return at < m_tokens.size() && m_tokens[at].kind == Kind::number;
}

bool ProgramText::is_angle(std::size_t at) const {
    return at < m_tokens.size() && m_angles[at];
}

std::size_t ProgramText::partner(std::size_t at) const {
    return at < m_tokens.size() ? m_partners[at] : k_nowhere;
}

bool ProgramText::is_type(std::size_t at) const {
    return at < m_tokens.size() &&
           (contains(k_base_types, m_tokens[at].text) || m_aliases.contains(m_tokens[at].text));
}

void ProgramText::match_brackets() {
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < m_tokens.size(); ++i) {
        if (is_one_of(i, {"(", "[", "{"})) {
            open.push_back(i);
        } else if (is_one_of(i, {")", "]", "}"}) && !open.empty()) {
            m_partners[i] = open.back();
            m_partners[open.back()] = i;
            open.pop_back();
        }
    }
}

void ProgramText::match_angles() {
    for (std::size_t i = 1; i < m_tokens.size(); ++i) {
        if (!is(i, "<") || !contains(k_before_angle, m_tokens[i - 1].text)) {
            continue;
        }
        for (std::size_t close = i + 1; close < m_tokens.size() && !is(close, ";"); ++close) {
            if (is(close, ">")) {
                m_angles[i] = m_angles[close] = true;
                m_partners[i] = close;
                m_partners[close] = i;
                break;
            }
        }
    }
}

void ProgramText::find_aliases() {
    for (std::size_t i = 0; i + 2 < m_tokens.size(); ++i) {
        if (is(i, "typedef") && is_word(i + 2)) {
            m_aliases[m_tokens[i + 2].text] = is_one_of(i + 1, {"float", "double"});
        } else if (is(i, "using") && is(i + 2, "=")) {
            m_aliases[m_tokens[i + 1].text] = is_one_of(i + 3, {"float", "double"});
        }
    }
}

void ProgramText::find_declarations() {
    for (std::size_t i = 0; i < m_tokens.size(); ++i) {
        if (!is_type(i)) {
            continue;
        }
        DeclaredType type{m_tokens[i].text, 0, i > 0 && is(i - 1, "constexpr")};
        std::size_t at = i + 1;
        for (; is_type(at) || is_one_of(at, {"*", "&", "const", "__restrict", "__restrict__"});
             ++at) {
            type.stars += is(at, "*") ? 1 : 0;
        }
        if (is(at, "(") && is(at + 1, "&")) {  // a reference to an array
            at += 2;
        }
        if (is_word(at) && !is(at + 1, "(")) {
            m_declarations[m_tokens[at].text].push_back({at, type});
        }
    }
}

void ProgramText::find_enumerators() {
    for (std::size_t i = 0; i < m_tokens.size(); ++i) {
        if (!is(i, "enum")) {
            continue;
        }
        const std::size_t open = find_end(i, {"{", ";"});
        for (std::size_t at = open + 1; is(open, "{") && at < partner(open); ++at) {
            if (is_word(at) && is(at + 1, "=") && is_one_of(at - 1, {"{", ","})) {
                m_declarations[m_tokens[at].text].push_back({at, {"long", 0, true}});
            }
        }
    }
}

std::size_t ProgramText::primary_begin(std::size_t at) const {
    while (is_one_of(at, {")", "]"}) || (is_angle(at) && is(at, ">"))) {
        const std::size_t open = partner(at);
        const bool parenthesised =
            is(at, ")") && open != k_nowhere &&
            !(open > 0 &&
              (is_word(open - 1) || is_one_of(open - 1, {")", "]"}) || is_angle(open - 1)));
        if (open == k_nowhere || open == 0 || parenthesised) {
            return open;
        }
        at = open - 1;
    }
    if (!is_word(at) && !is_number(at)) {
        return k_nowhere;
    }
    while (at >= 2 && is_one_of(at - 1, {".", "->", "::"})) {
        const std::size_t before = primary_begin(at - 2);
        if (before == k_nowhere) {
            break;
        }
        at = before;
    }
    return at;
}

std::size_t ProgramText::primary_end(std::size_t at) const {
    if (is(at, "(") && partner(at) != k_nowhere) {
        at = partner(at);
    } else if (!is_word(at) && !is_number(at)) {
        return k_nowhere;
    }
    for (;;) {
        if ((is_one_of(at + 1, {"(", "["}) || (is_angle(at + 1) && is(at + 1, "<"))) &&
            partner(at + 1) != k_nowhere) {
            at = partner(at + 1);
        } else if (is_one_of(at + 1, {".", "->", "::"}) && is_word(at + 2)) {
            at += 2;
        } else {
            return at;
        }
    }
}

std::size_t ProgramText::find_end(std::size_t at, const std::vector<std::string_view>& ends) const {
    for (; at < m_tokens.size(); ++at) {
        const bool wanted = is_one_of(at, ends) && !is_angle(at);
        if (wanted || is_one_of(at, {")", "]", "}"})) {
            return at;
        }
        const bool opens = is_one_of(at, {"(", "[", "{"}) || (is_angle(at) && is(at, "<"));
        if (opens) {
            at = partner(at) == k_nowhere ? m_tokens.size() - 1 : partner(at);
        }
    }
    return at;
}

bool ProgramText::is_binary(std::size_t at) const {
    return at > 0 && !is_angle(at) && primary_begin(at - 1) != k_nowhere &&
           !is_one_of(at - 1, {"const"}) && !is_type(at - 1);
}

std::string ProgramText::text(std::size_t first, std::size_t last) const {
    if (first > last || last >= m_tokens.size()) {
        return "";
    }
    return m_source.substr(m_tokens[first].begin, m_tokens[last].end - m_tokens[first].begin);
}

std::string ProgramText::replaced(std::size_t first, std::size_t last,
                                  const std::string& by) const {
    return m_source.substr(0, m_tokens[first].begin) + by + m_source.substr(m_tokens[last].end);
}

DeclaredType ProgramText::type_of(const std::string& name, std::size_t at) const {
    const auto found = m_declarations.find(name);
    DeclaredType type;
    if (found != m_declarations.end()) {
        for (const Declaration& declaration : found->second) {
            if (declaration.at <= at) {
                type = declaration.type;
            }
        }
    }
    return type;
}

bool ProgramText::is_floating(const std::string& base) const {
    const auto alias = m_aliases.find(base);
    return base == "float" || base == "double" || (alias != m_aliases.end() && alias->second);
}

}  // namespace atl::mutation
