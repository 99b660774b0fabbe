#pragma once

#include "reward/cpp_lexer.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace atl::mutation {

inline constexpr std::size_t k_nowhere = static_cast<std::size_t>(-1);

/// What a name was declared as, as far as tokens tell.
struct DeclaredType {
    std::string base;  ///< "float", "int", "Vec"; empty: unknown
    int stars = 0;
    bool constant = false;  ///< constexpr, or an enumerator
};

/// The tokens of a C++ source without comments and preprocessor lines, with just as much grammar
/// as faults need: which brackets belong together, which < are template brackets, what names were
/// declared as. No parser: what it does not understand has no type. Immutable.
class ProgramText {
  public:
    explicit ProgramText(std::string source);

    [[nodiscard]] const std::string& source() const { return m_source; }
    [[nodiscard]] std::size_t size() const { return m_tokens.size(); }
    [[nodiscard]] std::size_t line(std::size_t at) const { return m_tokens[at].line; }
    /// All of these answer "no" beyond either end.
    [[nodiscard]] bool is(std::size_t at, std::string_view text) const;
    [[nodiscard]] bool is_one_of(std::size_t at, const std::vector<std::string_view>& texts) const;
    [[nodiscard]] bool is_word(std::size_t at) const;  ///< a name, not a keyword of statements
    [[nodiscard]] bool is_number(std::size_t at) const;
    /// Whether the token is the < or > of a cast or template.
    [[nodiscard]] bool is_angle(std::size_t at) const;
    /// The bracket that belongs to this one, template brackets included; k_nowhere: none.
    [[nodiscard]] std::size_t partner(std::size_t at) const;

    /// First token of the primary expression (name, call, subscript, cast) that ends at `at`;
    /// k_nowhere where none does.
    [[nodiscard]] std::size_t primary_begin(std::size_t at) const;
    /// Its last token, of the one that begins at `at`.
    [[nodiscard]] std::size_t primary_end(std::size_t at) const;
    /// The first token from `at` on, outside of brackets opened since, that is one of `ends` or
    /// closes a bracket opened before.
    [[nodiscard]] std::size_t find_end(std::size_t at,
                                       const std::vector<std::string_view>& ends) const;
    /// Whether the operator at `at` has an operand on its left.
    [[nodiscard]] bool is_binary(std::size_t at) const;

    /// The text of tokens [first, last]; empty where there are no such tokens.
    [[nodiscard]] std::string text(std::size_t first, std::size_t last) const;
    /// The source with the text of tokens [first, last] replaced.
    [[nodiscard]] std::string replaced(std::size_t first, std::size_t last,
                                       const std::string& by) const;

    /// Of the nearest declaration of `name` at or before token `at`.
    [[nodiscard]] DeclaredType type_of(const std::string& name, std::size_t at) const;
    /// float, double or a vector of them.
    [[nodiscard]] bool is_floating(const std::string& base) const;

  private:
    struct Declaration {
        std::size_t at = 0;
        DeclaredType type;
    };
    void match_brackets();
    void match_angles();
    void find_aliases();
    void find_declarations();
    void find_enumerators();
    [[nodiscard]] bool is_type(std::size_t at) const;

    std::string m_source;
    std::vector<CppToken> m_tokens;
    std::vector<std::size_t> m_partners;
    std::vector<bool> m_angles;
    std::map<std::string, bool> m_aliases;  ///< name -> whether it is made of float or double
    std::map<std::string, std::vector<Declaration>> m_declarations;
};

}  // namespace atl::mutation
