#pragma once

#include <tl/expected.hpp>

#include <cstddef>
#include <string>

namespace atl {

/// Why a reply is no child. A value: the model may be asked once more.
struct ReplyFault {
    enum class Kind {
        no_code,      ///< nothing that the operator asked for is in it
        cut_off,      ///< it ends inside of a block
        malformed,    ///< markers that do not belong together
        limit,        ///< more bytes or blocks than are taken
        not_text,     ///< a NUL, or no UTF-8
        unmatched,    ///< blocks that could not be applied
        lost_marker,  ///< a marker line of a region is gone
        no_change,    ///< the child would be its parent
    };
    Kind kind = Kind::no_code;
    std::string words;  ///< for the model: what is wrong and where, lines separated by '\n'
};

[[nodiscard]] const char* to_string(ReplyFault::Kind kind);

template <class T>
using FromReply = tl::expected<T, ReplyFault>;

[[nodiscard]] inline tl::unexpected<ReplyFault> reply_fault(ReplyFault::Kind kind,
                                                            std::string words) {
    return tl::unexpected<ReplyFault>(ReplyFault{kind, std::move(words)});
}

inline constexpr std::size_t k_max_answer_bytes = 4 << 20;  ///< longer ones are not looked at

}  // namespace atl
