#include "mutators/replies/edit_blocks.hpp"

#include "mutators/replies/reply_text.hpp"
#include "reward/code_fence.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace atl {

namespace {

enum class Marker { none, search, divider, replace };

Marker marker_in(std::string_view line) {
    line = trimmed(line);
    if (line.size() < 5 || (line[0] != '<' && line[0] != '=' && line[0] != '>')) {
        return Marker::none;
    }
    const char sign = line[0];
    const std::size_t count = std::min(line.find_first_not_of(sign), line.size());
    const std::string_view word = trimmed(line.substr(count));
    if (count < 5 || count > 9) {
        return Marker::none;
    }
    if (sign == '=') {
        return word.empty() ? Marker::divider : Marker::none;
    }
    if (sign == '<') {
        return word == "SEARCH" ? Marker::search : Marker::none;
    }
    return word == "REPLACE" ? Marker::replace : Marker::none;
}

/// Reads line after line; the first fault ends it.
class BlockReader {
  public:
    FromReply<void> read(std::string_view line) {
        ++m_line;
        switch (marker_in(line)) {
            case Marker::search:
                return begin();
            case Marker::divider:
                return divide();
            case Marker::replace:
                return end();
            case Marker::none:
                break;
        }
        if (m_part != Part::outside) {
            (m_part == Part::search ? m_block.search : m_block.replace).append(line).append("\n");
        }
        return {};
    }

    FromReply<std::vector<EditBlock>> finish() && {
        if (m_part != Part::outside) {
            return reply_fault(
                ReplyFault::Kind::cut_off,
                fmt::format("Block {} does not end with >>>>>>> REPLACE.", number()));
        }
        if (m_blocks.empty()) {
            return reply_fault(ReplyFault::Kind::no_code,
                               "There is no search/replace block in the reply.");
        }
        return std::move(m_blocks);
    }

  private:
    enum class Part { outside, search, replace };

    [[nodiscard]] std::size_t number() const { return m_blocks.size() + 1; }

    [[nodiscard]] tl::unexpected<ReplyFault> malformed(const char* what) const {
        return reply_fault(
            ReplyFault::Kind::malformed,
            fmt::format("Block {}, line {} of the answer: {}.", number(), m_line, what));
    }

    FromReply<void> begin() {
        if (m_part != Part::outside) {
            return malformed("a SEARCH marker inside of a block that has not ended");
        }
        if (m_blocks.size() == k_max_edit_blocks) {
            return reply_fault(ReplyFault::Kind::limit,
                               fmt::format("There are more than {} blocks.", k_max_edit_blocks));
        }
        m_part = Part::search;
        m_block = {};
        return {};
    }

    FromReply<void> divide() {
        if (m_part == Part::replace) {
            return malformed("a second ======= in one block");
        }
        if (m_part == Part::search) {
            if (trimmed(m_block.search).empty()) {
                return malformed(
                    "the SEARCH part is blank; quote the lines beside the place that is meant");
            }
            m_part = Part::replace;
        }
        return {};  // outside of blocks it underlines a heading
    }

    FromReply<void> end() {
        if (m_part != Part::replace) {
            return malformed(m_part == Part::search ? "a block without ======="
                                                    : "a REPLACE marker without a block");
        }
        m_blocks.push_back(std::move(m_block));
        m_part = Part::outside;
        return {};
    }

    std::vector<EditBlock> m_blocks;
    EditBlock m_block;
    Part m_part = Part::outside;
    std::size_t m_line = 0;
};

}  // namespace

FromReply<std::vector<EditBlock>> edit_blocks_in(std::string_view reply) {
    if (reply.size() > k_max_answer_bytes) {
        return reply_fault(ReplyFault::Kind::limit,
                           fmt::format("The reply has {} bytes; at most {} are read.", reply.size(),
                                       k_max_answer_bytes));
    }
    BlockReader reader;
    for (std::string_view line : lines_of(answer_in_reply(reply))) {
        if (!line.empty() && line.back() == '\r') {
            line.remove_suffix(1);
        }
        if (const FromReply<void> read = reader.read(line); !read) {
            return tl::unexpected<ReplyFault>(read.error());
        }
    }
    return std::move(reader).finish();
}

}  // namespace atl
