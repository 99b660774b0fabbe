#pragma once

#include "reward/cuda/split_code.hpp"

#include <cstddef>
#include <string_view>

namespace atl {

/// A declaration at namespace or class scope, by places in a SplitCode, which must outlive it.
struct CudaDeclaration {
    enum class Kind {
        unknown,   ///< a macro's use or brackets that do not close: nothing is known of it
        function,  ///< with a body
        type,      ///< a class with a body, and the variables declared with it
        simple,    ///< without a body that declares anything
    };
    Kind kind = Kind::unknown;
    std::size_t begin = 0;
    std::size_t open = 0;   ///< the { of a function's or class's body
    std::size_t close = 0;  ///< where that closes; of a function's: size() when it does not
    std::size_t end = 0;   ///< after a function's }; of others the place of the ; (or what ends it)
    std::size_t next = 0;  ///< where the next one can begin

    CudaSpecifiers specifiers;
    std::string_view first;      ///< its first word after template<...>
    std::string_view function;   ///< the word before its parameters
    std::string_view type_name;  ///< of a class or an alias
    bool parameters = false;
    bool class_key = false;  ///< struct, class, union or enum
    bool assigned = false;   ///< has a =
};

/// Reads the declaration that begins at `at` < code.size(), without looking into its bodies and
/// without expanding macros. Anything can stand there; `next` may be `at` at a stray } only.
/// Thread-safe as long as the code does not change.
[[nodiscard]] CudaDeclaration read_declaration(const SplitCode& code, std::size_t at);

}  // namespace atl
