#include "reward/cuda/source_split.hpp"

#include "reward/cuda/split_code.hpp"
#include "reward/cuda/split_declaration.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace atl {

namespace {

/// Macros that define functions by others that do; deeper ones are left as they are.
constexpr int k_most_macros_inside = 6;
/// A source grows no further by what its macros stand for.
constexpr std::size_t k_most_written_bytes = 256u << 10;

/// Walks through the declarations and decides whose each is.
class Splitter {
  public:
    explicit Splitter(std::string_view source) : m_code(source) {}

    /// The source with the macros written out that define functions; nullopt when there are none.
    /// After split().
    [[nodiscard]] std::optional<std::string> with_written_out() const {
        return m_uses.empty() ? std::nullopt
                              : m_code.with_written_out(m_uses, k_most_written_bytes);
    }

    SplitSource split() {
        std::size_t at = 0;
        while (at < m_code.size()) {
            at = scope(at, false, 0) + 1;  // a stray } ends none
        }
        for (const Conditional& one : m_conditional) {
            if (!m_host_words.contains(one.name)) {
                m_code.mark(one.begin, one.end, k_device_half);
            } else if (one.body_begin < one.body_end && !one.keep_body) {
                m_code.mark(one.body_begin + 1, one.body_end, k_device_half);
            }
        }
        const bool headers = m_code.needs_host_headers();
        return {m_code.text_of(k_device_half), m_code.text_of(k_host_half), headers};
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

    std::size_t scope(std::size_t at, bool in_class, int depth);
    std::size_t namespace_scope(std::size_t at, int depth);
    std::size_t declaration(std::size_t at, bool in_class, int depth);
    void end_function(const CudaDeclaration& one, bool in_class);
    void end_class(const CudaDeclaration& one, int depth);
    void end_simple(const CudaDeclaration& one, bool in_class);
    void drop_static(std::size_t begin, std::size_t end);
    [[nodiscard]] bool any_of_std(std::size_t begin, std::size_t end,
                                  bool (*wanted)(std::string_view)) const;
    [[nodiscard]] bool names_host_type(std::size_t begin, std::size_t end) const {
        return m_code.any_word(begin, end, is_host_type) ||
               any_of_std(begin, end, is_host_type_of_std);
    }
    void note_host_words(std::size_t begin, std::size_t end);

    SplitCode m_code;
    std::vector<Conditional> m_conditional;
    std::vector<std::pair<std::size_t, std::size_t>> m_uses;  ///< of macros that define something
    std::set<std::string_view> m_host_words;
    std::set<std::string, std::less<>> m_device_aliases;  ///< of namespaces
};

/// Reads declarations up to the } that ends the scope; its place.
std::size_t Splitter::scope(std::size_t at, bool in_class, int depth) {
    while (at < m_code.size() && m_code.text(at) != "}") {
        const std::string_view word = m_code.text(at);
        const bool access = word == "public" || word == "private" || word == "protected";
        if (word == ";") {
            ++at;
        } else if (in_class && access && m_code.text(at + 1) == ":") {
            at += 2;
        } else if (word == "namespace" ||
                   (word == "inline" && m_code.text(at + 1) == "namespace")) {
            at = namespace_scope(at, depth);
        } else if (word == "extern" && at + 2 < m_code.size() &&
                   m_code.token(at + 1).kind == CppToken::Kind::text &&
                   m_code.text(at + 2) == "{") {
            const bool enter = depth < k_max_split_scopes;
            at = 1 + (enter ? scope(at + 3, false, depth + 1) : m_code.close_of(at + 2));
        } else {
            at = declaration(at, in_class, depth);
        }
    }
    return std::min(at, m_code.size());
}

std::size_t Splitter::namespace_scope(std::size_t at, int depth) {
    const std::size_t begin = at;
    bool alias = false;
    while (at < m_code.size() && m_code.text(at) != "{" && m_code.text(at) != ";") {
        alias = alias || m_code.text(at) == "=";
        ++at;
    }
    if (at >= m_code.size() || m_code.text(at) == ";") {
        const bool device = m_code.any_word(begin, at, is_device_library);
        if (alias && device && m_code.is_word(begin + 1)) {
            m_device_aliases.emplace(m_code.text(begin + 1));
        }
        return std::min(at + 1, m_code.size());
    }
    const std::size_t close =
        depth < k_max_split_scopes ? scope(at + 1, false, depth + 1) : m_code.close_of(at);
    if (at == begin + 1 && close < m_code.size()) {
        m_code.mark(begin, at + 1, 0);  // unnamed
        m_code.mark(close, close + 1, 0);
    }
    return std::min(close + 1, m_code.size());
}

/// Reads one declaration; the place after it.
std::size_t Splitter::declaration(std::size_t at, bool in_class, int depth) {
    const CudaDeclaration one = read_declaration(m_code, at);
    switch (one.kind) {
        case CudaDeclaration::Kind::unknown:
            if (m_code.is_defining_use(one.begin, one.end)) {
                m_uses.emplace_back(one.begin, one.end);
            }
            break;
        case CudaDeclaration::Kind::function:
            end_function(one, in_class);
            break;
        case CudaDeclaration::Kind::type:
            end_class(one, depth);
            break;
        case CudaDeclaration::Kind::simple:
            end_simple(one, in_class);
            break;
    }
    return one.next;
}

void Splitter::end_function(const CudaDeclaration& one, bool in_class) {
    const CudaSpecifiers& spaces = one.specifiers;
    if (spaces.global) {
        m_code.mark(one.open + 1, one.close, k_device_half);
        drop_static(one.begin, one.open);
        note_host_words(one.begin, one.open);
    } else if (spaces.device && !spaces.host && in_class) {
        m_code.mark(one.begin, one.end, k_device_half);
    } else if (spaces.device && !spaces.host) {
        m_conditional.push_back(
            {one.function, one.begin, one.end, one.open, one.close, spaces.constant});
    } else if (spaces.device || (spaces.constant && !spaces.host && !in_class)) {
        note_host_words(one.begin, one.end);
    } else if (!in_class || spaces.host ||
               m_code.any_word(one.open, one.end, [](std::string_view word) {
                   return word.starts_with("cuda") || is_host_type(word);
               })) {
        m_code.mark(one.begin, one.end, k_host_half);
        note_host_words(one.begin, one.end);
    } else {
        note_host_words(one.begin, one.end);
    }
}

void Splitter::end_class(const CudaDeclaration& one, int depth) {
    if (depth >= k_max_split_scopes) {
        return;
    }
    const std::size_t marked = m_conditional.size();
    (void)scope(one.open + 1, true, depth + 1);
    m_conditional.resize(marked);
    // What is left outside the bodies of functions says whose it is.
    bool host = false;
    bool device = false;
    for (std::size_t i = one.open; i < std::min(one.close, m_code.size()); ++i) {
        const std::uint8_t halves = m_code.halves(i);
        const bool both = halves == (k_host_half | k_device_half);
        if (both && m_code.text(i) == "(" && m_code.close_of(i) < one.close) {
            i = m_code.close_of(i);
        } else if (both && m_code.text(i) == "{" && m_code.text(i - 1) == ")") {
            i = std::min(m_code.close_of(i), one.close);
        } else if (both && m_code.is_word(i)) {
            const bool of_std = m_code.text(i - 1) == "::" && m_code.text(i - 2) == "std";
            host = host || (is_host_type(m_code.text(i)) && m_code.text(i - 1) == "::") ||
                   (of_std && is_host_type_of_std(m_code.text(i)));
            device = device || is_device_library(m_code.text(i)) ||
                     m_device_aliases.contains(m_code.text(i));
        }
    }
    if (host) {
        m_code.mark(one.begin, one.end, k_host_half);
    } else if (device) {
        m_conditional.push_back({one.type_name, one.begin, one.end, one.open, one.open, true});
    }
}

void Splitter::end_simple(const CudaDeclaration& one, bool in_class) {
    const CudaSpecifiers& spaces = one.specifiers;
    const bool function = one.parameters && !one.assigned;
    if (in_class) {
        if (spaces.host && !spaces.device) {
            m_code.mark(one.begin, one.end, k_host_half);
        }
        return;
    }
    if (spaces.global || spaces.memory || (spaces.device && (spaces.host || !function))) {
        drop_static(one.begin, one.end);
        if (!function && !spaces.global) {
            note_host_words(one.begin, one.end);  // a table of functions names them on both sides
        }
    } else if (spaces.device) {
        m_conditional.push_back({one.function, one.begin, one.end, one.end, one.end, true});
    } else if (one.first == "using" || one.first == "typedef" || one.first == "static_assert" ||
               one.first == "concept" || (one.class_key && !function)) {
        const bool borrowed =
            one.first == "using" && !one.assigned && m_code.text(one.begin + 1) == "std";
        if (borrowed || names_host_type(one.begin, one.end)) {
            m_code.mark(one.begin, one.end + 1, k_host_half);
        } else if (one.assigned && m_code.any_word(one.begin, one.end, is_device_library)) {
            m_conditional.push_back({one.type_name, one.begin, one.end, one.end, one.end, true});
        }
    } else if (!spaces.constant || function || names_host_type(one.begin, one.end) ||
               (any_of_std(one.begin, one.end,
                           [](std::string_view word) { return word == "array"; }) &&
                !m_code.any_word(one.begin, one.end,
                                 [](std::string_view word) { return word == "constexpr"; }))) {
        m_code.mark(one.begin, one.end + 1, k_host_half);
        note_host_words(one.begin, one.end);
    }
}

/// A word behind std::, but not behind cuda::std::.
bool Splitter::any_of_std(std::size_t begin, std::size_t end,
                          bool (*wanted)(std::string_view)) const {
    for (std::size_t i = begin + 2; i < std::min(end, m_code.size()); ++i) {
        const bool of_std = m_code.text(i - 1) == "::" && m_code.text(i - 2) == "std";
        const bool of_cccl =
            i >= begin + 4 && m_code.text(i - 3) == "::" && m_code.text(i - 4) == "cuda";
        if (of_std && !of_cccl && wanted(m_code.text(i))) {
            return true;
        }
    }
    return false;
}

void Splitter::drop_static(std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < std::min(end, m_code.size()); ++i) {
        if (m_code.text(i) == "(" || m_code.text(i) == "=") {
            return;
        }
        if (m_code.text(i) == "static") {
            m_code.mark(i, i + 1, 0);
        }
    }
}

void Splitter::note_host_words(std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < std::min(end, m_code.size()); ++i) {
        if (m_code.is_word(i)) {
            m_host_words.insert(m_code.text(i));
        }
    }
}

}  // namespace

SplitSource split_cuda_source(std::string_view source) {
    std::string text(source);
    for (int inside = 0; inside < k_most_macros_inside; ++inside) {
        Splitter splitter(text);
        SplitSource split = splitter.split();
        std::optional<std::string> written = splitter.with_written_out();
        if (!written) {
            return split;
        }
        text = std::move(*written);
    }
    return Splitter(text).split();
}

}  // namespace atl
