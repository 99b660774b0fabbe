#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// Reading C++ (and CUDA) sources as text: tokens, `// tune:` macros, marked regions. Pure and
/// linear-time; hostile input gives fewer tokens, never an error.

/// The token stream joined by single spaces, without comments and white space, line splices
/// resolved; string and raw-string literals are kept whole. No space where one would make another
/// program: before the ( of a macro's parameters, and between a literal and its suffix.
/// Preprocessor lines end with '\n', so that moving a directive's end changes the stream. A source
/// whose meaning depends on its layout (macros that stringize with #, __LINE__,
/// std::source_location) is returned unchanged.
[[nodiscard]] std::string normalised_tokens(std::string_view source);

/// A numeric (or symbolic) knob:
///     #ifndef TILE
///     #define TILE 64  // tune: 16, 32, 64, 128
///     #endif
/// or, in Python and other languages whose comments begin with #:
///     STEPS = 100  # tune: 50, 100, 200
struct TuneMacro {
    std::string name;
    std::string default_value;
    std::vector<std::string> values;  ///< as listed; the default is added if it is not among them
    std::size_t line = 0;             ///< 1-based
};

/// In source order; the first definition of a name counts. At most 64 macros of 64 values.
[[nodiscard]] std::vector<TuneMacro> tune_macros(std::string_view source);

/// The source with chosen values in place of the defaults, for kinds whose candidates are not
/// compiled with -DNAME=VALUE. Names without a tune macro are ignored.
[[nodiscard]] std::string apply_tune_to_text(std::string_view source,
                                             const std::map<std::string, std::string>& tune);

/// A part that crossover may exchange (markers may begin with # instead of //):
///     // region: inner_loop
///     ...
///     // endregion: inner_loop
struct Region {
    std::string name;
    std::size_t begin = 0;  ///< byte offsets of the text between the two marker lines
    std::size_t end = 0;
};

/// Well-formed, non-nested regions in source order; a name may stand more than once.
[[nodiscard]] std::vector<Region> marked_regions(std::string_view source);

}  // namespace atl
