#include "reward/source_text.hpp"

#include "reward/cpp_lexer.hpp"

#include <algorithm>

namespace atl {

namespace {

using Kind = CppToken::Kind;

constexpr std::size_t k_max_macros = 64;
constexpr std::size_t k_max_values = 64;
constexpr std::size_t k_max_value_bytes = 64;

std::string_view trimmed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) {
        return {};
    }
    return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

bool is_name(std::string_view text) {
    const auto inner = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
               (c >= '0' && c <= '9');
    };
    return !text.empty() && text.size() <= 64 && !(text[0] >= '0' && text[0] <= '9') &&
           std::all_of(text.begin(), text.end(), inner);
}

/// What a candidate may be given as a tune value (the lint stage has the same rule).
bool is_value(std::string_view text) {
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '+' || c == '-' || c == '.' || c == '*';
    };
    return !text.empty() && text.size() <= k_max_value_bytes &&
           std::all_of(text.begin(), text.end(), allowed);
}

/// True for words whose expansion depends on where in the file they stand.
bool depends_on_line(std::string_view word) {
    return word == "__LINE__" || word == "__builtin_LINE" || word == "__builtin_COLUMN" ||
           word == "source_location" || word == "__builtin_source_location";
}

/// How much of "# define NAME" the line has with this token, where `before` is how much it had
/// without: 3 right after the name.
int define_words_after(int before, const CppToken& token) {
    if (token.starts_directive) {
        return 1;
    }
    return before == 1 && token.text == "define" ? 2 : before == 2 ? 3 : 0;
}

/// Whether white space before the token would make another program: it is the ( of a macro's
/// parameters, or what could be the suffix of a literal (of kind `last`).
bool is_bound_to(Kind last, int define_words, const CppToken& token) {
    const bool is_quoted = token.text[0] == '"' || token.text[0] == '\'';
    const bool begins_with_word =
        token.kind == Kind::word || (token.kind == Kind::text && !is_quoted);
    return (define_words == 3 && token.text == "(") || (last == Kind::text && begins_with_word);
}

/// A tune macro and the place of its default value in the text.
struct Knob {
    TuneMacro macro;
    std::size_t begin = 0;
    std::size_t end = 0;
};

/// "tune: 1, 2, 4" (the comment's text without its marker) -> values; empty when it is no such
/// comment.
std::vector<std::string> tune_values(std::string_view comment) {
    comment = trimmed(comment);
    if (comment.substr(0, 5) != "tune:") {
        return {};
    }
    comment.remove_prefix(5);
    std::vector<std::string> values;
    while (!comment.empty() && values.size() < k_max_values) {
        const std::size_t comma = std::min(comment.find(','), comment.size());
        const std::string_view value = trimmed(comment.substr(0, comma));
        if (is_value(value) && std::find(values.begin(), values.end(), value) == values.end()) {
            values.emplace_back(value);
        }
        comment.remove_prefix(std::min(comma + 1, comment.size()));
    }
    return values;
}

void add_knob(std::vector<Knob>& knobs, std::string_view source, std::string_view name,
              std::size_t begin, std::size_t end, std::string_view comment, std::size_t line) {
    Knob knob;
    knob.macro.values = tune_values(comment);
    const std::string_view value = trimmed(source.substr(begin, end - begin));
    const bool known = std::any_of(knobs.begin(), knobs.end(),
                                   [&](const Knob& other) { return other.macro.name == name; });
    if (knob.macro.values.empty() || value.empty() || value.size() > k_max_value_bytes ||
        value.find('\n') != std::string_view::npos || known || !is_name(name)) {
        return;
    }
    knob.macro.name = name;
    knob.macro.default_value = value;
    knob.macro.line = line;
    knob.begin = static_cast<std::size_t>(value.data() - source.data());
    knob.end = knob.begin + value.size();
    std::vector<std::string>& values = knob.macro.values;
    if (std::find(values.begin(), values.end(), value) == values.end()) {
        values.emplace_back(value);
    }
    knobs.push_back(std::move(knob));
}

/// #define NAME value  // tune: ...
void find_defines(std::string_view source, std::vector<Knob>& knobs) {
    CppLexer lexer(source);
    std::vector<CppToken> directive;
    while (std::optional<CppToken> token = lexer.next()) {
        if (token->starts_directive) {
            directive.clear();
        }
        if (token->starts_directive || !directive.empty()) {
            directive.push_back(*token);
        }
        if (token->kind != Kind::directive_end) {
            continue;
        }
        // # define NAME value... comment end
        const std::size_t count = directive.size();
        const bool candidate = count >= 6 && directive[1].text == "define" &&
                               directive[2].kind == Kind::word &&
                               directive[count - 2].kind == Kind::comment &&
                               directive[3].after_space;  // no macro arguments
        if (candidate) {
            const CppToken& comment = directive[count - 2];
            std::string_view text = std::string_view(comment.text).substr(2);
            if (comment.text[1] == '*' && text.size() >= 2) {
                text.remove_suffix(2);
            }
            add_knob(knobs, source, directive[2].text, directive[3].begin, comment.begin, text,
                     directive[0].line);
        }
        directive.clear();
    }
}

/// NAME = value  # tune: ... (Python and its like), one line each.
void find_assignments(std::string_view source, std::vector<Knob>& knobs) {
    std::size_t line = 0;
    for (std::size_t begin = 0; begin < source.size();) {
        const std::size_t end = std::min(source.find('\n', begin), source.size());
        const std::string_view text = source.substr(begin, end - begin);
        ++line;
        const std::size_t equals = text.find('=');
        const std::size_t hash = text.find('#', equals == std::string_view::npos ? 0 : equals);
        if (equals != std::string_view::npos && hash != std::string_view::npos) {
            add_knob(knobs, source, trimmed(text.substr(0, equals)), begin + equals + 1,
                     begin + hash, text.substr(hash + 1), line);
        }
        begin = end + 1;
    }
}

std::vector<Knob> find_knobs(std::string_view source) {
    std::vector<Knob> knobs;
    find_defines(source, knobs);
    find_assignments(source, knobs);
    std::sort(knobs.begin(), knobs.end(),
              [](const Knob& a, const Knob& b) { return a.begin < b.begin; });
    knobs.resize(std::min(knobs.size(), k_max_macros));
    return knobs;
}

/// The name in a line "// region: NAME" or "# region: NAME" (`word` says which); empty if none.
std::string_view marker_name(std::string_view line, std::string_view word) {
    line = trimmed(line);
    const std::size_t marker = line.substr(0, 2) == "//" ? 2 : line.substr(0, 1) == "#" ? 1 : 0;
    if (marker == 0) {
        return {};
    }
    line = trimmed(line.substr(marker));
    if (line.substr(0, word.size()) != word) {
        return {};
    }
    const std::string_view name = trimmed(line.substr(word.size()));
    return is_name(name) ? name : std::string_view{};
}

}  // namespace

std::string normalised_tokens(std::string_view source) {
    std::string stream;
    CppLexer lexer(source);
    bool in_directive = false;
    int define_words = 0;
    Kind last = Kind::directive_end;
    while (std::optional<CppToken> token = lexer.next()) {
        if (token->kind == Kind::comment) {
            continue;
        }
        if (token->kind == Kind::directive_end) {
            stream += '\n';
            in_directive = false;
            continue;
        }
        const bool stringizes = in_directive && (token->text == "#" || token->text == "%:");
        if (stringizes || (token->kind == Kind::word && depends_on_line(token->text))) {
            // White space and line numbers are part of what this source means.
            return std::string(source);
        }
        const bool bound = !token->after_space && is_bound_to(last, define_words, *token);
        if (token->starts_directive) {
            in_directive = true;
            if (!stream.empty() && stream.back() != '\n') {
                stream += '\n';
            }
        } else if (!bound && !stream.empty() && stream.back() != '\n') {
            stream += ' ';
        }
        stream += token->text;
        last = token->kind;
        define_words = define_words_after(define_words, *token);
    }
    return stream;
}

std::vector<TuneMacro> tune_macros(std::string_view source) {
    std::vector<TuneMacro> macros;
    for (Knob& knob : find_knobs(source)) {
        macros.push_back(std::move(knob.macro));
    }
    return macros;
}

std::string apply_tune_to_text(std::string_view source,
                               const std::map<std::string, std::string>& tune) {
    std::string result;
    std::size_t at = 0;
    for (const Knob& knob : find_knobs(source)) {
        const auto chosen = tune.find(knob.macro.name);
        if (chosen != tune.end()) {
            result += source.substr(at, knob.begin - at);
            result += chosen->second;
            at = knob.end;
        }
    }
    result += source.substr(at);
    return result;
}

std::vector<Region> marked_regions(std::string_view source) {
    std::vector<Region> regions;
    std::string open;
    std::size_t open_begin = 0;
    for (std::size_t begin = 0; begin < source.size();) {
        const std::size_t end = std::min(source.find('\n', begin), source.size());
        const std::string_view line = source.substr(begin, end - begin);
        if (const std::string_view opened = marker_name(line, "region:"); !opened.empty()) {
            open = opened;
            open_begin = std::min(end + 1, source.size());
        } else if (const std::string_view closed = marker_name(line, "endregion:");
                   !closed.empty()) {
            if (closed == open) {
                regions.push_back({open, open_begin, begin});
            }
            open.clear();
        }
        begin = end + 1;
    }
    return regions;
}

}  // namespace atl
