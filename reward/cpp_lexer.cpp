#include "reward/cpp_lexer.hpp"

#include <array>
#include <utility>

namespace atl {

namespace {

using Kind = CppToken::Kind;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' ||
           is_digit(c) || static_cast<unsigned char>(c) >= 0x80;
}

// Longest first, so that the first match is the longest.
constexpr std::array<std::string_view, 32> k_punctuation = {
    "%:%:", "<<=", ">>=", "<=>", "->*", "...", "##", "::", "->", "++", "--",
    "<<",   ">>",  "<=",  ">=",  "==",  "!=",  "&&", "||", "+=", "-=", "*=",
    "/=",   "%=",  "^=",  "&=",  "|=",  ".*",  "<:", ":>", "<%", "%>"};

}  // namespace

/// Offset after any line splices at `at`.
std::size_t CppLexer::splice(std::size_t at) const {
    while (at < m_source.size() && m_source[at] == '\\') {
        if (m_source.substr(at + 1, 1) == "\n") {
            at += 2;
        } else if (m_source.substr(at + 1, 2) == "\r\n") {
            at += 3;
        } else {
            break;
        }
    }
    return at;
}

char CppLexer::peek(std::size_t ahead) const {
    std::size_t at = splice(m_at);
    for (; ahead > 0 && at < m_source.size(); --ahead) {
        at = splice(at + 1);
    }
    return at < m_source.size() ? m_source[at] : '\0';
}

/// Moves one character (after splices) into the token.
void CppLexer::take(CppToken& token) {
    const std::size_t at = splice(m_at);
    if (at < m_source.size()) {
        for (std::size_t i = m_at; i <= at; ++i) {
            m_line += m_source[i] == '\n' ? 1 : 0;
        }
        token.text += m_source[at];
        m_at = at + 1;
    } else {
        m_at = m_source.size();
    }
}

void CppLexer::skip_space() {
    for (;;) {
        const std::size_t at = splice(m_at);
        if (at >= m_source.size()) {
            m_at = m_source.size();
            return;
        }
        const char c = m_source[at];
        const bool newline = c == '\n';
        if (c != ' ' && c != '\t' && c != '\r' && c != '\v' && c != '\f' && !newline) {
            return;
        }
        if (newline && m_in_directive) {
            return;  // next() makes a token of it
        }
        CppToken ignored;
        take(ignored);
        m_after_space = true;
        m_line_start = m_line_start || newline;
    }
}

CppToken CppLexer::begin_token() {
    CppToken token;
    const std::size_t at = splice(m_at);
    for (; m_at < at; ++m_at) {
        m_line += m_source[m_at] == '\n' ? 1 : 0;
    }
    token.begin = m_at;
    token.line = m_line;
    token.after_space = std::exchange(m_after_space, false);
    return token;
}

void CppLexer::lex_comment(CppToken& token) {
    token.kind = Kind::comment;
    const bool block = peek(1) == '*';
    take(token);
    take(token);
    while (m_at < m_source.size()) {
        if (!block && peek() == '\n') {
            break;
        }
        const bool closes = block && peek() == '*' && peek(1) == '/';
        take(token);
        if (closes) {
            take(token);
            break;
        }
    }
}

void CppLexer::lex_word(CppToken& token) {
    token.kind = Kind::word;
    while (m_at < m_source.size() && is_word(peek())) {
        take(token);
    }
    const std::string& word = token.text;
    const char quote = peek();
    const bool encoding = word == "u8" || word == "u" || word == "U" || word == "L";
    const bool raw = word == "R" || word == "u8R" || word == "uR" || word == "UR" || word == "LR";
    if (quote == '"' && raw) {
        lex_raw_string(token);
    } else if ((quote == '"' || quote == '\'') && encoding) {
        lex_quoted(token, quote);
    }
}

void CppLexer::lex_number(CppToken& token) {
    token.kind = Kind::number;
    while (m_at < m_source.size()) {
        const char c = peek();
        const char last = token.text.empty() ? '\0' : token.text.back();
        const bool exponent_sign =
            (c == '+' || c == '-') && (last == 'e' || last == 'E' || last == 'p' || last == 'P');
        const bool separator = c == '\'' && is_word(peek(1));
        if (!is_word(c) && c != '.' && !exponent_sign && !separator) {
            break;
        }
        take(token);
    }
}

void CppLexer::lex_quoted(CppToken& token, char quote) {
    token.kind = Kind::text;
    take(token);
    while (m_at < m_source.size() && peek() != '\n') {
        const char c = peek();
        take(token);
        if (c == quote) {
            break;
        }
        if (c == '\\' && peek() != '\n') {
            take(token);
        }
    }
}

/// At the quote of R"delimiter( ... )delimiter". Line splices are text in here.
void CppLexer::lex_raw_string(CppToken& token) {
    const std::size_t quote = splice(m_at);
    const std::size_t open = m_source.find_first_of("( )\\\n\"", quote + 1);
    const bool valid =
        open != std::string_view::npos && m_source[open] == '(' && open - quote - 1 <= 16;
    if (!valid) {
        lex_quoted(token, '"');
        return;
    }
    token.kind = Kind::text;
    const std::string closing =
        ")" + std::string(m_source.substr(quote + 1, open - quote - 1)) + "\"";
    const std::size_t found = m_source.find(closing, open + 1);
    const std::size_t end =
        found == std::string_view::npos ? m_source.size() : found + closing.size();
    token.text += m_source.substr(quote, end - quote);
    for (; m_at < end; ++m_at) {
        m_line += m_source[m_at] == '\n' ? 1 : 0;
    }
}

void CppLexer::lex_punctuation(CppToken& token) {
    token.kind = Kind::punctuation;
    for (const std::string_view punctuation : k_punctuation) {
        bool matches = true;
        for (std::size_t i = 0; matches && i < punctuation.size(); ++i) {
            matches = peek(i) == punctuation[i];
        }
        if (matches) {
            for (std::size_t i = 0; i < punctuation.size(); ++i) {
                take(token);
            }
            return;
        }
    }
    take(token);
}

std::optional<CppToken> CppLexer::next() {
    skip_space();
    CppToken token = begin_token();
    if (m_in_directive && (m_at >= m_source.size() || peek() == '\n')) {
        token.kind = Kind::directive_end;
        token.end = m_at;
        m_in_directive = false;
        m_include_words = 0;
        return token;
    }
    if (m_at >= m_source.size()) {
        return std::nullopt;
    }
    const char c = peek();
    const bool line_start = m_line_start;
    const int include_words = m_include_words;
    if (c == '/' && (peek(1) == '/' || peek(1) == '*')) {
        lex_comment(token);
        m_after_space = true;
        token.end = m_at;
        return token;  // a comment is white space: what is true of the line stays true
    }
    m_line_start = false;
    m_include_words = 0;
    if (include_words == 2 && c == '<') {
        token.kind = Kind::header_name;
        while (m_at < m_source.size() && peek() != '\n' &&
               (token.text.empty() || token.text.back() != '>')) {
            take(token);
        }
    } else if (is_digit(c) || (c == '.' && is_digit(peek(1)))) {
        lex_number(token);
    } else if (is_word(c)) {
        lex_word(token);
        const bool include = token.text == "include" || token.text == "include_next";
        m_include_words = include_words == 1 && include ? 2 : 0;
    } else if (c == '"' || c == '\'') {
        lex_quoted(token, c);
    } else {
        lex_punctuation(token);
        if (line_start && !m_in_directive && (token.text == "#" || token.text == "%:")) {
            token.starts_directive = true;
            m_in_directive = true;
            m_include_words = 1;
        }
    }
    token.end = m_at;
    return token;
}

}  // namespace atl
