#include "reward/cuda/split_declaration.hpp"

#include <algorithm>

namespace atl {

namespace {

using Kind = CudaDeclaration::Kind;

/// Past template<...>, which may stand several times.
std::size_t after_template(const SplitCode& code, std::size_t at) {
    while (code.text(at) == "template" && code.text(at + 1) == "<") {
        int depth = 0;
        for (++at; at < code.size(); ++at) {
            const std::string_view one = code.text(at);
            if ((one == "(" || one == "[" || one == "{") && code.close_of(at) < code.size()) {
                at = code.close_of(at);
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

/// Goes through a declaration token by token.
class Reader {
  public:
    Reader(const SplitCode& code, std::size_t at) : m_code(code), m_at(after_template(code, at)) {
        m_one.begin = at;
    }

    [[nodiscard]] CudaDeclaration read();

  private:
    void read_word();
    void read_parenthesis();
    void read_mark(std::string_view here);
    [[nodiscard]] bool opens_function() const;
    [[nodiscard]] bool opens_class() const {
        return m_one.class_key && !m_enumeration && !m_one.parameters && !m_one.assigned &&
               !m_class_opened;
    }
    [[nodiscard]] CudaDeclaration end(Kind kind);

    const SplitCode& m_code;
    std::size_t m_at;  ///< the token that is looked at
    CudaDeclaration m_one;
    bool m_class_opened = false;
    bool m_enumeration = false;
    bool m_initialisers = false;  ///< : after the parameters
    bool m_needs_type_name = false;
};

void Reader::read_word() {
    const std::string_view word = m_code.text(m_at);
    if (m_one.first.empty()) {
        m_one.first = word;
    }
    if (m_needs_type_name && !takes_no_parameters(word)) {
        m_one.type_name = word;
        m_needs_type_name = false;
    }
    if (m_one.parameters || m_one.assigned) {
        return;
    }
    m_one.specifiers.add(word);
    if (const CudaMacro* macro = m_code.macro(word); macro != nullptr) {
        m_one.specifiers.add(macro->specifiers);
    }
    const bool key = word == "struct" || word == "class" || word == "union" || word == "enum";
    if (key || word == "using") {
        m_one.class_key = m_one.class_key || key;
        m_enumeration = m_enumeration || word == "enum";
        m_needs_type_name = true;
    }
}

void Reader::read_parenthesis() {
    const std::string_view before = m_at > m_one.begin ? m_code.text(m_at - 1) : std::string_view();
    bool attribute = takes_no_parameters(before);
    if (const CudaMacro* macro = m_code.macro(before); macro != nullptr) {
        attribute = attribute || macro->specifiers.any_space();
    }
    if (!attribute && !m_one.assigned) {
        if (!m_one.parameters) {
            m_one.function = before;
        }
        m_one.parameters = true;
    }
}

bool Reader::opens_function() const {
    if (!m_one.parameters || m_one.assigned) {
        return false;
    }
    // X(int a) : m{a} { ... }
    const std::string_view before = m_code.text(m_at - 1);
    return !m_initialisers || before == ")" || before == "}";
}

/// What is neither a body nor the end.
void Reader::read_mark(std::string_view here) {
    if (here == "(") {
        read_parenthesis();
    } else if (here == "=" && m_code.text(m_at - 1) != "operator") {
        m_one.assigned = true;
    } else if (here == ":" && m_one.parameters) {
        m_initialisers = true;
    } else if (m_code.is_word(m_at)) {
        read_word();
    }
}

CudaDeclaration Reader::end(Kind kind) {
    m_one.kind = kind;
    return m_one;
}

CudaDeclaration Reader::read() {
    for (; m_at < m_code.size(); ++m_at) {
        const std::string_view here = m_code.text(m_at);
        if (here == ";" || here == "}") {
            break;
        }
        const bool bracket = here == "(" || here == "[" || here == "{";
        const std::size_t close = bracket ? m_code.close_of(m_at) : 0;
        if (here == "{" && opens_function()) {
            m_one.open = m_at;
            m_one.close = close;
            m_one.end = m_one.next = std::min(close + 1, m_code.size());
            return end(Kind::function);
        }
        if (here == "{" && opens_class()) {
            m_class_opened = true;
            m_one.open = m_at;
            m_one.close = close;
        } else {
            read_mark(here);
        }
        if (bracket) {
            if (close >= m_code.size()) {
                m_one.end = m_one.next = m_code.size();
                return end(Kind::unknown);
            }
            m_at = close;
        }
    }
    m_one.end = m_at;
    m_one.next = m_code.text(m_at) == ";" ? m_at + 1 : m_at;
    return end(m_class_opened ? Kind::type : Kind::simple);
}

}  // namespace

CudaDeclaration read_declaration(const SplitCode& code, std::size_t at) {
    // A macro that stands alone, as in DEFINE_KERNEL(float).
    if (const CudaMacro* macro = code.macro(code.text(at));
        macro != nullptr && macro->takes_arguments && code.text(at + 1) == "(" &&
        (macro->has_body || !macro->specifiers.any_space())) {
        CudaDeclaration one;
        one.begin = at;
        one.end = one.next = std::min(code.close_of(at + 1) + 1, code.size());
        return one;
    }
    return Reader(code, at).read();
}

}  // namespace atl
