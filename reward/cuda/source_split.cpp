#include "reward/cuda/source_split.hpp"

#include "reward/cpp_lexer.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace atl {

namespace {

using Kind = CppToken::Kind;

/// Deeper ones are left as they are.
constexpr int k_max_scopes = 64;

constexpr std::uint8_t k_host_half = 1;
constexpr std::uint8_t k_device_half = 2;

/// What the words before a function's parameters or a variable's name say.
struct Specifiers {
    bool global = false;
    bool device = false;
    bool host = false;
    bool memory = false;    ///< __shared__, __constant__, __managed__
    bool constant = false;  ///< const, constexpr, consteval, constinit

    void add(std::string_view word) {
        global = global || word == "__global__";
        device = device || word == "__device__";
        host = host || word == "__host__";
        memory = memory || word == "__shared__" || word == "__constant__" || word == "__managed__";
        constant = constant || word == "const" || word == "constexpr" || word == "consteval" ||
                   word == "constinit";
    }
    void add(const Specifiers& other) {
        global = global || other.global;
        device = device || other.device;
        host = host || other.host;
        memory = memory || other.memory;
        constant = constant || other.constant;
    }
    [[nodiscard]] bool any_space() const { return global || device || host || memory; }
};

struct Macro {
    Specifiers specifiers;
    bool takes_arguments = false;
    bool has_body = false;  ///< a brace in its replacement: it defines something
};

template <std::size_t N>
bool is_one_of(std::string_view word, const std::array<std::string_view, N>& list) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

/// Words whose parentheses are not those of a function's parameters.
bool takes_no_parameters(std::string_view word) {
    static constexpr std::array<std::string_view, 14> k_words{
        "__launch_bounds__", "__attribute__",  "alignas",           "__align__", "decltype",
        "noexcept",          "__declspec",     "explicit",          "requires",  "__cluster_dims__",
        "__maxnreg__",       "__block_size__", "__grid_constant__", "throw"};
    return is_one_of(word, k_words);
}

/// Types of the host's library: what holds one cannot be meant for the device.
bool is_host_type(std::string_view word) {
    static constexpr std::array<std::string_view, 16> k_words{
        "vector", "string", "map",      "unordered_map", "set",        "unordered_set",
        "mutex",  "deque",  "function", "unique_ptr",    "shared_ptr", "once_flag",
        "thread", "FILE",   "ostream",  "ostringstream"};
    return is_one_of(word, k_words);
}

bool is_device_library(std::string_view word) {
    static constexpr std::array<std::string_view, 7> k_words{
        "cooperative_groups", "nvcuda", "cub", "cuda", "cute", "cutlass", "wmma"};
    return is_one_of(word, k_words);
}

bool is_cuda_header(std::string_view name) {
    static constexpr std::array<std::string_view, 20> k_beginnings{"cuda_",
                                                                   "cuda.h",
                                                                   "cudaTypedefs.h",
                                                                   "cuda/",
                                                                   "cub/",
                                                                   "cute/",
                                                                   "cutlass/",
                                                                   "nv/",
                                                                   "thrust/",
                                                                   "crt/",
                                                                   "sm_",
                                                                   "mma.h",
                                                                   "cooperative_groups",
                                                                   "device_launch_parameters.h",
                                                                   "driver_types.h",
                                                                   "vector_types.h",
                                                                   "vector_functions.h",
                                                                   "math_constants.h",
                                                                   "curand",
                                                                   "builtin_types.h"};
    return std::any_of(k_beginnings.begin(), k_beginnings.end(),
                       [&](std::string_view one) { return name.starts_with(one); });
}

/// Headers whose contents NVRTC has by itself or cannot have.
bool is_host_header(std::string_view name) {
    static constexpr std::array<std::string_view, 25> k_names{"cuda_runtime.h",
                                                              "cuda_runtime_api.h",
                                                              "device_launch_parameters.h",
                                                              "driver_types.h",
                                                              "vector_types.h",
                                                              "vector_functions.h",
                                                              "builtin_types.h",
                                                              "cuda_device_runtime_api.h",
                                                              "assert.h",
                                                              "ctype.h",
                                                              "errno.h",
                                                              "float.h",
                                                              "inttypes.h",
                                                              "limits.h",
                                                              "math.h",
                                                              "stdbool.h",
                                                              "stddef.h",
                                                              "stdint.h",
                                                              "stdio.h",
                                                              "stdlib.h",
                                                              "string.h",
                                                              "time.h",
                                                              "unistd.h",
                                                              "memory.h",
                                                              "cuda_profiler_api.h"};
    return is_one_of(name, k_names) || name.find_first_of("./") == std::string_view::npos ||
           name.starts_with("torch/") || name.starts_with("ATen/") || name.starts_with("c10/");
}

/// Headers of C that the shim's own declarations can stand in for.
bool is_plain_header(std::string_view name) {
    static constexpr std::array<std::string_view, 18> k_names{
        "cmath",  "math.h",  "cstdlib", "stdlib.h", "cstring", "string.h",
        "cstdio", "stdio.h", "cstdint", "stdint.h", "cstddef", "stddef.h",
        "cfloat", "float.h", "climits", "limits.h", "cassert", "assert.h"};
    return is_one_of(name, k_names);
}

/// Those of them that cost nothing and define macros.
bool is_light_header(std::string_view name) {
    return name == "cfloat" || name == "float.h" || name == "climits" || name == "limits.h";
}

bool has_tensor_maps(std::string_view header) {
    return header == "cuda.h" || header == "cudaTypedefs.h";
}

/// In place of cuda.h, which NVRTC cannot read: what kernels take from it.
constexpr std::string_view k_tensor_map =
    "struct __align__(64) CUtensorMap_st { unsigned long long opaque[16]; }; "
    "typedef CUtensorMap_st CUtensorMap;";

class Splitter {
  public:
    explicit Splitter(std::string_view source) : m_source(source) {
        read_tokens();
        drop_unbalanced_branches();
        match_brackets();
    }

    SplitSource split() {
        std::size_t at = 0;
        while (at < m_code.size()) {
            at = scope(at, false, 0) + 1;  // a stray } ends none
        }
        for (const Conditional& one : m_conditional) {
            if (!m_host_words.contains(one.name)) {
                mark(one.begin, one.end, k_device_half);
            } else if (one.body_begin < one.body_end && !one.keep_body) {
                mark(one.body_begin + 1, one.body_end, k_device_half);
            }
        }
        const bool headers = needs_host_headers();
        return {text_of(k_device_half), text_of(k_host_half), headers};
    }

  private:
    /// Of the device alone unless host code names it. Places in m_code, ends exclusive.
    struct Conditional {
        std::string_view name;
        std::size_t begin = 0;
        std::size_t end = 0;
        std::size_t body_begin = 0;  ///< the braces; equal to body_end: none
        std::size_t body_end = 0;
        bool keep_body = false;
    };

    /// Tokens of a directive.
    struct Include {
        std::size_t begin = 0;
        std::size_t end = 0;
        std::string name;
    };

    /// A declaration as far as it was read.
    struct Declaration {
        std::size_t begin = 0;
        std::size_t at = 0;  ///< the token that is looked at
        Specifiers specifiers;
        std::string_view first;      ///< its first word after template<...>
        std::string_view function;   ///< the word before its parameters
        std::string_view type_name;  ///< of a class or an alias
        bool is_template = false;
        bool parameters = false;
        bool class_key = false;
        bool enumeration = false;
        bool assigned = false;
        bool initialisers = false;  ///< : after the parameters
        bool needs_type_name = false;
    };

    // What the source is made of.
    void read_tokens();
    void read_directive(std::size_t& index);
    void read_macro(std::size_t begin, std::size_t end);
    void read_include(std::size_t begin, std::size_t end);
    bool needs_host_headers();
    void drop_unbalanced_branches();
    void match_brackets();

    // Declarations, by place in m_code.
    std::size_t scope(std::size_t at, bool in_class, int depth);
    std::size_t declaration(std::size_t at, bool in_class, int depth);
    [[nodiscard]] std::size_t after_template(std::size_t at) const;
    void read_word(Declaration& declaration) const;
    void read_parenthesis(Declaration& declaration) const;
    [[nodiscard]] bool opens_function(const Declaration& declaration) const;
    void end_function(const Declaration& declaration, std::size_t close, bool in_class);
    void end_class(const Declaration& declaration, std::size_t open, std::size_t close, int depth);
    void end_simple(const Declaration& declaration, std::size_t end, bool in_class);
    std::size_t namespace_scope(std::size_t at, int depth);

    // Marks.
    void mark(std::size_t begin, std::size_t end, std::uint8_t halves);
    void drop_static(const Declaration& declaration, std::size_t end);
    void note_host_words(std::size_t begin, std::size_t end);
    [[nodiscard]] bool any_word(std::size_t begin, std::size_t end,
                                bool (*wanted)(std::string_view)) const;
    [[nodiscard]] std::string text_of(std::uint8_t half) const;

    [[nodiscard]] const CppToken& token(std::size_t at) const { return m_tokens[m_code[at]]; }
    [[nodiscard]] std::string_view text(std::size_t at) const {
        return at < m_code.size() ? std::string_view(token(at).text) : std::string_view();
    }
    [[nodiscard]] bool is_word(std::size_t at) const {
        return at < m_code.size() && token(at).kind == Kind::word;
    }

    std::string_view m_source;
    std::vector<CppToken> m_tokens;      ///< without comments
    std::vector<std::uint8_t> m_halves;  ///< per token: the halves that have it
    std::vector<bool> m_in_directive;    ///< per token; pragmas count as code when marked
    std::vector<std::size_t> m_code;     ///< tokens that structure it
    std::vector<std::size_t> m_match;    ///< per m_code: of ( [ {, where it closes
    std::map<std::string, Macro, std::less<>> m_macros;
    std::map<std::size_t, bool> m_tensor_map_at;  ///< tokens that k_tensor_map stands in for
    std::vector<Include> m_includes;
    std::vector<Conditional> m_conditional;
    std::set<std::string_view> m_host_words;
    std::set<std::string, std::less<>> m_device_aliases;  ///< of namespaces
    /// #if, #else and #endif: (place in m_code, kind).
    enum class Branch { open, other, close };
    std::vector<std::pair<std::size_t, Branch>> m_branches;
};

void Splitter::read_tokens() {
    CppLexer lexer(m_source);
    std::vector<CppToken> tokens;
    while (std::optional<CppToken> token = lexer.next()) {
        if (token->kind != Kind::comment) {
            m_tokens.push_back(std::move(*token));
        }
    }
    m_halves.assign(m_tokens.size(), k_host_half | k_device_half);
    m_in_directive.assign(m_tokens.size(), false);
    for (std::size_t i = 0; i < m_tokens.size(); ++i) {
        if (m_tokens[i].starts_directive) {
            read_directive(i);
        } else {
            m_code.push_back(i);
        }
    }
}

/// Leaves `index` at the directive's end.
void Splitter::read_directive(std::size_t& index) {
    const std::size_t begin = index;
    while (index < m_tokens.size() && m_tokens[index].kind != Kind::directive_end) {
        ++index;
    }
    const std::string_view name =
        begin + 1 < index ? std::string_view(m_tokens[begin + 1].text) : std::string_view();
    if (name != "pragma") {
        for (std::size_t i = begin; i < std::min(index + 1, m_tokens.size()); ++i) {
            m_in_directive[i] = true;
        }
    }
    if (name == "define") {
        read_macro(begin + 2, index);
    } else if (name == "include") {
        read_include(begin, index);
    } else if (name == "if" || name == "ifdef" || name == "ifndef") {
        m_branches.emplace_back(m_code.size(), Branch::open);
    } else if (name == "else" || name.starts_with("elif")) {
        m_branches.emplace_back(m_code.size(), Branch::other);
    } else if (name == "endif") {
        m_branches.emplace_back(m_code.size(), Branch::close);
    }
}

void Splitter::read_macro(std::size_t begin, std::size_t end) {
    if (begin >= end) {
        return;
    }
    Macro macro;
    std::size_t at = begin + 1;
    macro.takes_arguments = at < end && m_tokens[at].text == "(" && !m_tokens[at].after_space;
    for (; at < end; ++at) {
        const CppToken& token = m_tokens[at];
        macro.has_body = macro.has_body || token.text == "{";
        macro.specifiers.add(token.text);
        if (const auto inner = m_macros.find(token.text); inner != m_macros.end()) {
            macro.specifiers.add(inner->second.specifiers);
        }
    }
    m_macros[m_tokens[begin].text] = macro;
}

void Splitter::read_include(std::size_t begin, std::size_t end) {
    if (begin + 2 >= end || m_tokens[begin + 2].text.size() < 2) {
        return;
    }
    const std::string_view quoted = m_tokens[begin + 2].text;
    const std::string_view name = quoted.substr(1, quoted.size() - 2);
    std::uint8_t halves = k_host_half | k_device_half;
    if (is_cuda_header(name)) {
        halves &= static_cast<std::uint8_t>(~k_host_half);
    }
    if (is_host_header(name) || has_tensor_maps(name)) {
        halves &= static_cast<std::uint8_t>(~k_device_half);
    }
    for (std::size_t i = begin; i < end; ++i) {
        m_halves[i] = halves;
    }
    m_includes.push_back({begin, end, std::string(name)});
    if (has_tensor_maps(name)) {
        m_tensor_map_at.emplace(begin, m_tensor_map_at.empty());
    }
}

/// When all that the host half includes is plain C, it is taken out.
bool Splitter::needs_host_headers() {
    for (const Include& one : m_includes) {
        if ((m_halves[one.begin] & k_host_half) != 0 && !is_plain_header(one.name)) {
            return true;
        }
    }
    for (const Include& one : m_includes) {
        for (std::size_t i = one.begin; i < one.end && !is_light_header(one.name); ++i) {
            m_halves[i] &= static_cast<std::uint8_t>(~k_host_half);
        }
    }
    return false;
}

/// Where branches of #if open or close brackets, only the first one counts for the structure.
void Splitter::drop_unbalanced_branches() {
    std::vector<bool> dropped(m_code.size(), false);
    struct Group {
        std::vector<std::size_t> begins;
    };
    std::vector<Group> open;
    const auto balanced = [&](std::size_t begin, std::size_t end) {
        int depth = 0;
        for (std::size_t i = begin; i < end && depth >= 0; ++i) {
            const std::string_view one = dropped[i] ? "" : text(i);
            depth += one == "{" || one == "(" ? 1 : one == "}" || one == ")" ? -1 : 0;
        }
        return depth == 0;
    };
    for (const auto& [place, kind] : m_branches) {
        if (kind == Branch::open) {
            // Nested ones are looked at again by each around them.
            if (open.size() < k_max_scopes) {
                open.push_back({{place}});
            }
        } else if (!open.empty() && kind == Branch::other) {
            open.back().begins.push_back(place);
        } else if (!open.empty()) {
            std::vector<std::size_t> begins = std::move(open.back().begins);
            open.pop_back();
            begins.push_back(place);
            bool all_balanced = true;
            for (std::size_t i = 0; i + 1 < begins.size(); ++i) {
                all_balanced = all_balanced && balanced(begins[i], begins[i + 1]);
            }
            for (std::size_t i = begins[1]; !all_balanced && i < place; ++i) {
                dropped[i] = true;
            }
        }
    }
    std::size_t kept = 0;
    for (std::size_t i = 0; i < m_code.size(); ++i) {
        if (!dropped[i]) {
            m_code[kept++] = m_code[i];
        }
    }
    m_code.resize(kept);
}

void Splitter::match_brackets() {
    m_match.assign(m_code.size(), m_code.size());
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < m_code.size(); ++i) {
        const std::string_view one = text(i);
        if (one == "(" || one == "[" || one == "{") {
            open.push_back(i);
        } else if ((one == ")" || one == "]" || one == "}") && !open.empty()) {
            m_match[open.back()] = i;
            open.pop_back();
        }
    }
}

/// Reads declarations up to the } that ends the scope; its place.
std::size_t Splitter::scope(std::size_t at, bool in_class, int depth) {
    while (at < m_code.size() && text(at) != "}") {
        const std::string_view word = text(at);
        const bool access = word == "public" || word == "private" || word == "protected";
        if (word == ";") {
            ++at;
        } else if (in_class && access && text(at + 1) == ":") {
            at += 2;
        } else if (word == "namespace" || (word == "inline" && text(at + 1) == "namespace")) {
            at = namespace_scope(at, depth);
        } else if (word == "extern" && at + 2 < m_code.size() && token(at + 1).kind == Kind::text &&
                   text(at + 2) == "{") {
            at = (depth < k_max_scopes ? scope(at + 3, false, depth + 1) : m_match[at + 2]) + 1;
        } else {
            at = declaration(at, in_class, depth);
        }
    }
    return std::min(at, m_code.size());
}

std::size_t Splitter::namespace_scope(std::size_t at, int depth) {
    const std::size_t begin = at;
    bool alias = false;
    while (at < m_code.size() && text(at) != "{" && text(at) != ";") {
        alias = alias || text(at) == "=";
        ++at;
    }
    if (at >= m_code.size() || text(at) == ";") {
        const bool device = any_word(begin, at, is_device_library);
        if (alias && device && is_word(begin + 1)) {
            m_device_aliases.emplace(text(begin + 1));
        }
        return std::min(at + 1, m_code.size());
    }
    const std::size_t close = depth < k_max_scopes ? scope(at + 1, false, depth + 1) : m_match[at];
    if (at == begin + 1 && close < m_code.size()) {
        mark(begin, at + 1, 0);  // unnamed
        mark(close, close + 1, 0);
    }
    return std::min(close + 1, m_code.size());
}

/// Past template<...>, which may stand several times.
std::size_t Splitter::after_template(std::size_t at) const {
    while (text(at) == "template" && text(at + 1) == "<") {
        int depth = 0;
        for (++at; at < m_code.size(); ++at) {
            const std::string_view one = text(at);
            if ((one == "(" || one == "[" || one == "{") && m_match[at] < m_code.size()) {
                at = m_match[at];
            } else if (one == "<") {
                ++depth;
            } else if (one == ">" || one == ">>") {
                depth -= static_cast<int>(one.size());
            } else if (one == ";" || one == "}") {
                return at;
            }
            if (depth <= 0) {
                ++at;
                break;
            }
        }
    }
    return at;
}

void Splitter::read_word(Declaration& declaration) const {
    const std::string_view word = text(declaration.at);
    if (declaration.first.empty()) {
        declaration.first = word;
    }
    if (declaration.needs_type_name && !takes_no_parameters(word)) {
        declaration.type_name = word;
        declaration.needs_type_name = false;
    }
    if (declaration.parameters || declaration.assigned) {
        return;
    }
    declaration.specifiers.add(word);
    if (const auto macro = m_macros.find(word); macro != m_macros.end()) {
        declaration.specifiers.add(macro->second.specifiers);
    }
    const bool key = word == "struct" || word == "class" || word == "union" || word == "enum";
    if (key || word == "using") {
        declaration.class_key = declaration.class_key || key;
        declaration.enumeration = declaration.enumeration || word == "enum";
        declaration.needs_type_name = true;
    }
}

void Splitter::read_parenthesis(Declaration& declaration) const {
    const std::size_t at = declaration.at;
    const std::string_view before = at > declaration.begin ? text(at - 1) : std::string_view();
    bool attribute = takes_no_parameters(before);
    if (const auto macro = m_macros.find(before); macro != m_macros.end()) {
        attribute = attribute || macro->second.specifiers.any_space();
    }
    if (!attribute && !declaration.assigned) {
        if (!declaration.parameters) {
            declaration.function = before;
        }
        declaration.parameters = true;
    }
}

bool Splitter::opens_function(const Declaration& declaration) const {
    if (!declaration.parameters || declaration.assigned) {
        return false;
    }
    // X(int a) : m{a} { ... }
    const std::string_view before = text(declaration.at - 1);
    return !declaration.initialisers || before == ")" || before == "}";
}

/// Reads one declaration; the place after it.
std::size_t Splitter::declaration(std::size_t at, bool in_class, int depth) {
    // A macro that stands alone, as in DEFINE_KERNEL(float).
    if (const auto macro = m_macros.find(text(at));
        macro != m_macros.end() && macro->second.takes_arguments && text(at + 1) == "(" &&
        (macro->second.has_body || !macro->second.specifiers.any_space())) {
        return m_match[at + 1] >= m_code.size() ? m_code.size() : m_match[at + 1] + 1;
    }
    Declaration one;
    one.begin = at;
    one.at = after_template(at);
    one.is_template = one.at != at;
    std::size_t class_open = m_code.size();
    for (; one.at < m_code.size(); ++one.at) {
        const std::string_view here = text(one.at);
        if (here == ";" || here == "}") {
            break;
        }
        const bool bracket = here == "(" || here == "[" || here == "{";
        const std::size_t close = bracket ? m_match[one.at] : 0;
        if (here == "{" && opens_function(one)) {
            end_function(one, close, in_class);
            return std::min(close + 1, m_code.size());
        }
        if (here == "{" && one.class_key && !one.enumeration && !one.parameters && !one.assigned &&
            class_open == m_code.size()) {
            class_open = one.at;
        } else if (here == "(") {
            read_parenthesis(one);
        } else if (here == "=" && text(one.at - 1) != "operator") {
            one.assigned = true;
        } else if (here == ":" && one.parameters) {
            one.initialisers = true;
        } else if (is_word(one.at)) {
            read_word(one);
        }
        if (bracket) {
            if (close >= m_code.size()) {
                return m_code.size();
            }
            one.at = close;
        }
    }
    if (class_open < m_code.size()) {
        end_class(one, class_open, m_match[class_open], depth);
    } else {
        end_simple(one, one.at, in_class);
    }
    return text(one.at) == ";" ? one.at + 1 : one.at;
}

void Splitter::end_function(const Declaration& one, std::size_t close, bool in_class) {
    const std::size_t end = std::min(close + 1, m_code.size());
    const Specifiers& spaces = one.specifiers;
    if (spaces.global) {
        mark(one.at + 1, close, k_device_half);
        drop_static(one, one.at);
        note_host_words(one.begin, one.at);
    } else if (spaces.device && !spaces.host && in_class) {
        mark(one.begin, end, k_device_half);
    } else if (spaces.device && !spaces.host) {
        m_conditional.push_back({one.function, one.begin, end, one.at, close, spaces.constant});
    } else if (spaces.device || (spaces.constant && !spaces.host && !in_class)) {
        note_host_words(one.begin, end);
    } else if (!in_class || spaces.host || any_word(one.at, end, [](std::string_view word) {
                   return word.starts_with("cuda") || is_host_type(word);
               })) {
        mark(one.begin, end, k_host_half);
        note_host_words(one.begin, end);
    } else {
        note_host_words(one.begin, end);
    }
}

void Splitter::end_class(const Declaration& one, std::size_t open, std::size_t close, int depth) {
    if (depth >= k_max_scopes) {
        return;
    }
    const std::size_t marked = m_conditional.size();
    (void)scope(open + 1, true, depth + 1);
    m_conditional.resize(marked);
    // What is left outside the bodies of functions says whose it is.
    bool host = false;
    bool device = false;
    for (std::size_t i = open; i < std::min(close, m_code.size()); ++i) {
        const std::uint8_t halves = m_halves[m_code[i]];
        const bool both = halves == (k_host_half | k_device_half);
        if (both && text(i) == "(" && m_match[i] < close) {
            i = m_match[i];
        } else if (both && text(i) == "{" && text(i - 1) == ")") {
            i = std::min(m_match[i], close);
        } else if (both && is_word(i)) {
            host = host || (is_host_type(text(i)) && text(i - 1) == "::");
            device = device || is_device_library(text(i)) || m_device_aliases.contains(text(i));
        }
    }
    if (host) {
        mark(one.begin, one.at, k_host_half);
    } else if (device) {
        m_conditional.push_back({one.type_name, one.begin, one.at, open, open, true});
    }
}

/// A declaration without a body, `end` at its ;
void Splitter::end_simple(const Declaration& one, std::size_t end, bool in_class) {
    const Specifiers& spaces = one.specifiers;
    const bool function = one.parameters && !one.assigned;
    if (in_class) {
        if (spaces.host && !spaces.device) {
            mark(one.begin, end, k_host_half);
        }
        return;
    }
    if (spaces.global || spaces.memory || (spaces.device && (spaces.host || !function))) {
        drop_static(one, end);
    } else if (spaces.device) {
        m_conditional.push_back({one.function, one.begin, end, end, end, true});
    } else if (one.first == "using" || one.first == "typedef" || one.first == "static_assert" ||
               one.first == "concept" || (one.class_key && !function)) {
        const bool borrowed = one.first == "using" && !one.assigned && text(one.begin + 1) == "std";
        if (borrowed || any_word(one.begin, end, is_host_type)) {
            mark(one.begin, end + 1, k_host_half);
        } else if (one.assigned && any_word(one.begin, end, is_device_library)) {
            m_conditional.push_back({one.type_name, one.begin, end, end, end, true});
        }
    } else if (!spaces.constant || function || any_word(one.begin, end, is_host_type)) {
        mark(one.begin, end + 1, k_host_half);
        note_host_words(one.begin, end);
    }
}

/// Leaves the tokens to these halves only; pragmas between them, too, but no other directives.
void Splitter::mark(std::size_t begin, std::size_t end, std::uint8_t halves) {
    end = std::min(end, m_code.size());
    if (begin >= end) {
        return;
    }
    for (std::size_t i = m_code[begin]; i <= m_code[end - 1]; ++i) {
        if (!m_in_directive[i]) {
            m_halves[i] &= halves;
        }
    }
}

void Splitter::drop_static(const Declaration& one, std::size_t end) {
    for (std::size_t i = one.begin; i < std::min(end, m_code.size()); ++i) {
        if (text(i) == "(" || text(i) == "=") {
            return;
        }
        if (text(i) == "static") {
            mark(i, i + 1, 0);
        }
    }
}

void Splitter::note_host_words(std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < std::min(end, m_code.size()); ++i) {
        if (is_word(i)) {
            m_host_words.insert(text(i));
        }
    }
}

bool Splitter::any_word(std::size_t begin, std::size_t end,
                        bool (*wanted)(std::string_view)) const {
    for (std::size_t i = begin; i < std::min(end, m_code.size()); ++i) {
        if (is_word(i) && wanted(text(i))) {
            return true;
        }
    }
    return false;
}

std::string Splitter::text_of(std::uint8_t half) const {
    std::string out(m_source);
    for (std::size_t i = 0; i < m_tokens.size(); ++i) {
        const CppToken& one = m_tokens[i];
        if ((m_halves[i] & half) != 0 || one.kind == Kind::directive_end) {
            continue;
        }
        for (std::size_t at = one.begin; at < one.end; ++at) {
            out[at] = out[at] == '\n' || out[at] == '\r' ? out[at] : ' ';
        }
    }
    if (half == k_device_half) {
        for (auto one = m_tensor_map_at.rbegin(); one != m_tensor_map_at.rend(); ++one) {
            if (one->second) {
                out.insert(m_tokens[one->first].begin, k_tensor_map);
            }
        }
    }
    return out;
}

}  // namespace

SplitSource split_cuda_source(std::string_view source) {
    return Splitter(source).split();
}

}  // namespace atl
