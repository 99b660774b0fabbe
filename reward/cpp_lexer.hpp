#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace atl {

/// One preprocessing token of a C++ (or CUDA) source.
struct CppToken {
    enum class Kind {
        word,           ///< identifier or keyword
        number,         ///< pp-number
        text,           ///< string or character literal, raw ones whole, with its prefix
        punctuation,    ///< longest match
        header_name,    ///< <...> after #include
        comment,        ///< only its place matters
        directive_end,  ///< the end of a preprocessor line
    };
    Kind kind = Kind::punctuation;
    std::string text;       ///< line splices removed (not in raw strings)
    std::size_t begin = 0;  ///< byte offsets in the source
    std::size_t end = 0;
    std::size_t line = 1;           ///< 1-based physical line of `begin`
    bool starts_directive = false;  ///< the # of a preprocessor line
    bool after_space = false;       ///< white space (or a comment) stands right before it
};

/// Splits C++ text into preprocessing tokens as [lex.phases] 1 to 3 do. Linear-time; text that is
/// no C++ (unterminated literals, stray bytes) still gives tokens. The source must outlive it.
class CppLexer {
  public:
    explicit CppLexer(std::string_view source) : m_source(source) {}
    /// The next token, comments included; nullopt at the end.
    [[nodiscard]] std::optional<CppToken> next();

  private:
    [[nodiscard]] std::size_t splice(std::size_t at) const;
    [[nodiscard]] char peek(std::size_t ahead = 0) const;
    void take(CppToken& token);
    void skip_space();
    void lex_comment(CppToken& token);
    void lex_word(CppToken& token);
    void lex_number(CppToken& token);
    void lex_quoted(CppToken& token, char quote);
    void lex_raw_string(CppToken& token);
    void lex_punctuation(CppToken& token);
    CppToken begin_token();

    std::string_view m_source;
    std::size_t m_at = 0;
    std::size_t m_line = 1;
    bool m_line_start = true;  ///< only white space and comments so far on this line
    bool m_after_space = false;
    bool m_in_directive = false;
    int m_include_words = 0;  ///< 1 after "#", 2 after "# include": a header name may follow
};

}  // namespace atl
