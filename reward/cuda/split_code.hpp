#pragma once

#include "reward/cpp_lexer.hpp"
#include "reward/cuda/split_words.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace atl {

/// The two halves of a .cu file, as bits of a set.
inline constexpr std::uint8_t k_host_half = 1;
inline constexpr std::uint8_t k_device_half = 2;

/// Scopes and branches of #if inside each other; deeper ones are left as they are.
inline constexpr int k_max_split_scopes = 64;

struct CudaMacro {
    CudaSpecifiers specifiers;  ///< those of the macros in its replacement, too
    bool takes_arguments = false;
    bool has_body = false;                ///< a brace in its replacement: it defines something
    bool defined_once = true;             ///< what it stands for can be told
    std::size_t undefined_at = SIZE_MAX;  ///< the first token that ends it
    std::size_t begin = 0;  ///< its replacement with the parameters before it, as tokens
    std::size_t end = 0;
};

/// The tokens of a .cu file, and which half of it has which. A place is the index of a token that
/// structures the code: no comment, not of a preprocessor line, and of branches of #if that open or
/// close brackets only in the first. Ranges are of places, ends exclusive and cut at size().
/// Linear-time, for hostile text too. Not thread-safe; the source must outlive it.
class SplitCode {
  public:
    /// Directives are read here: headers of one half go from the other.
    explicit SplitCode(std::string_view source);

    [[nodiscard]] std::size_t size() const { return m_places.size(); }
    /// `at` < size().
    [[nodiscard]] const CppToken& token(std::size_t at) const { return m_tokens[m_places[at]]; }
    /// Empty outside the code.
    [[nodiscard]] std::string_view text(std::size_t at) const {
        return at < size() ? std::string_view(token(at).text) : std::string_view();
    }
    [[nodiscard]] bool is_word(std::size_t at) const {
        return at < size() && token(at).kind == CppToken::Kind::word;
    }
    /// Where the ( [ { at `at` < size() closes; size() when it does not.
    [[nodiscard]] std::size_t close_of(std::size_t at) const { return m_match[at]; }
    [[nodiscard]] bool any_word(std::size_t begin, std::size_t end,
                                bool (*wanted)(std::string_view)) const;
    /// Null when the file defines no such macro. The last definition in the file counts.
    [[nodiscard]] const CudaMacro* macro(std::string_view name) const;
    /// Whether the tokens from `begin` to `end` < size() are NAME(...) of a macro that defines
    /// something, or is given one that does.
    [[nodiscard]] bool is_defining_use(std::size_t begin, std::size_t end) const;
    /// The source with these uses of macros, in ascending order, written out on their first lines;
    /// lines stay where they were. What cannot be written out, or makes more than `most_bytes` of
    /// all, stays. nullopt: nothing was.
    [[nodiscard]] std::optional<std::string> with_written_out(
        const std::vector<std::pair<std::size_t, std::size_t>>& uses, std::size_t most_bytes) const;

    /// The halves that have the token at `at` < size().
    [[nodiscard]] std::uint8_t halves(std::size_t at) const { return m_halves[m_places[at]]; }
    /// Leaves the tokens to these halves only; pragmas between them, too, but no other directives.
    void mark(std::size_t begin, std::size_t end, std::uint8_t halves);
    /// Takes headers of C out of the host half when it includes no others; whether it does.
    [[nodiscard]] bool needs_host_headers();
    /// The source with what that half does not have blanked, line by line and column by column.
    [[nodiscard]] std::string text_of(std::uint8_t half) const;

  private:
    /// Tokens of a directive.
    struct Include {
        std::size_t begin = 0;
        std::size_t end = 0;
        std::string name;
    };
    enum class Branch { open, other, close };

    void read_tokens();
    void read_directive(std::size_t& index);
    void read_macro(std::size_t begin, std::size_t end);
    [[nodiscard]] bool is_plain(std::size_t begin, std::size_t end) const;
    void read_include(std::size_t begin, std::size_t end);
    void drop_unbalanced_branches();
    void match_brackets();

    std::string_view m_source;
    std::vector<CppToken> m_tokens;      ///< without comments
    std::vector<std::uint8_t> m_halves;  ///< per token: the halves that have it
    std::vector<bool> m_in_directive;    ///< per token; pragmas count as code when marked
    std::vector<std::size_t> m_places;   ///< tokens that structure the code
    std::vector<std::size_t> m_match;    ///< per place: of ( [ {, where it closes
    std::map<std::string, CudaMacro, std::less<>> m_macros;
    std::map<std::size_t, bool> m_tensor_map_at;  ///< tokens that CUtensorMap stands in for
    std::vector<Include> m_includes;
    /// #if, #else and #endif: (place, kind).
    std::vector<std::pair<std::size_t, Branch>> m_branches;
};

}  // namespace atl
