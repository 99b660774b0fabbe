#include "mutators/replies/apply_edits.hpp"

#include "mutators/replies/nearest_lines.hpp"
#include "mutators/replies/reply_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

namespace atl {

namespace {

using Lines = std::vector<std::string_view>;

constexpr std::size_t k_most_places = 5;   // that are told of an ambiguous block
constexpr std::size_t k_most_nearest = 8;  // unmatched blocks whose nearest place is looked for
constexpr std::size_t k_nearest_lines = 12;
constexpr std::size_t k_nearest_bytes = 1500;

std::string_view without_end_space(std::string_view line) {
    return line.substr(0, line.find_last_not_of(" \t\r\v\f") + 1);
}

std::string_view indentation_of(std::string_view line) {
    return line.substr(0, std::min(line.find_first_not_of(" \t"), line.size()));
}

template <class Change>
Lines changed(Lines lines, Change change) {
    std::transform(lines.begin(), lines.end(), lines.begin(), change);
    return lines;
}

/// Where `wanted` begins in `lines`, the first k_most_places (Knuth, Morris, Pratt: linear however
/// often lines repeat).
std::vector<std::size_t> places_of(const Lines& wanted, const Lines& lines) {
    std::vector<std::size_t> border(wanted.size(), 0);
    for (std::size_t i = 1, k = 0; i < wanted.size(); ++i) {
        while (k > 0 && wanted[i] != wanted[k]) {
            k = border[k - 1];
        }
        k += wanted[i] == wanted[k] ? 1 : 0;
        border[i] = k;
    }
    std::vector<std::size_t> places;
    for (std::size_t i = 0, k = 0; i < lines.size() && places.size() < k_most_places; ++i) {
        while (k > 0 && (k == wanted.size() || lines[i] != wanted[k])) {
            k = border[k - 1];
        }
        k += lines[i] == wanted[k] ? 1 : 0;
        if (k == wanted.size()) {
            places.push_back(i + 1 - k);
        }
    }
    return places;
}

/// Lines [begin, end) of the parent and what takes their place.
struct Edit {
    std::size_t block = 0;
    std::size_t begin = 0;
    std::size_t end = 0;
    EditMatch how = EditMatch::exact;
    std::string text;
};

/// `line` of a block whose lines begin with `quoted` where the parent's begin with `actual`.
std::string indented(std::string_view line, std::string_view quoted, std::string_view actual) {
    if (trimmed(line).empty()) {
        return "";
    }
    if (line.substr(0, quoted.size()) == quoted) {
        return std::string(actual) + std::string(line.substr(quoted.size()));
    }
    const std::string_view own = indentation_of(line);
    const std::size_t missing = quoted.size() - std::min(own.size(), quoted.size());
    return std::string(actual.substr(0, actual.size() - std::min(missing, actual.size()))) +
           std::string(line.substr(own.size()));
}

class Editor {
  public:
    explicit Editor(std::string_view parent)
        : m_parent(parent),
          m_lines(lines_of(parent)),
          m_without_end(changed(m_lines, without_end_space)),
          m_trimmed(changed(m_lines, trimmed)) {}

    void place(std::size_t number, const EditBlock& block) {
        const Lines quoted = lines_of(block.search);
        std::vector<std::size_t> places = places_of(quoted, m_lines);
        EditMatch how = EditMatch::exact;
        std::size_t blank = 0;  // lines before the first of the block that counts
        std::size_t count = quoted.size();
        if (places.empty()) {
            how = EditMatch::trailing_space;
            places = places_of(changed(quoted, without_end_space), m_without_end);
        }
        if (places.empty()) {
            how = EditMatch::indentation;
            const Lines core = without_blank_ends(changed(quoted, trimmed), blank);
            count = core.size();
            places = places_of(core, m_trimmed);
        }
        if (places.size() != 1) {
            add_fault(number, quoted, places);
            return;
        }
        Edit edit{number, places[0], places[0] + count, how, ""};
        edit.text = replacement(block, quoted.at(blank), edit);
        m_edits.push_back(std::move(edit));
    }

    EditResult finish() && {
        std::sort(m_edits.begin(), m_edits.end(),
                  [](const Edit& a, const Edit& b) { return a.begin < b.begin; });
        for (std::size_t i = 1; i < m_edits.size(); ++i) {
            if (m_edits[i].begin < m_edits[i - 1].end) {
                EditFault fault;
                fault.kind = EditFault::Kind::overlapping;
                fault.block = std::max(m_edits[i].block, m_edits[i - 1].block);
                fault.other_block = std::min(m_edits[i].block, m_edits[i - 1].block);
                m_result.faults.push_back(std::move(fault));
                m_edits[i].end = std::max(m_edits[i].end, m_edits[i - 1].end);
            }
        }
        std::sort(m_result.faults.begin(), m_result.faults.end(),
                  [](const EditFault& a, const EditFault& b) { return a.block < b.block; });
        m_result.source = m_result.faults.empty() ? edited() : std::string(m_parent);
        return std::move(m_result);
    }

  private:
    static Lines without_blank_ends(Lines lines, std::size_t& blank) {
        const auto is_blank = [](std::string_view line) { return line.empty(); };
        const auto first = std::find_if_not(lines.begin(), lines.end(), is_blank);
        blank = static_cast<std::size_t>(first - lines.begin());
        lines.erase(lines.begin(), first);
        while (!lines.empty() && lines.back().empty()) {
            lines.pop_back();
        }
        return lines;
    }

    void add_fault(std::size_t number, const Lines& quoted,
                   const std::vector<std::size_t>& places) {
        EditFault fault;
        fault.block = number;
        for (const std::size_t place : places) {
            fault.lines.push_back(place + 1);
        }
        if (!places.empty()) {
            fault.kind = EditFault::Kind::ambiguous;
        } else if (m_nearest_looked_for++ < k_most_nearest) {
            find_nearest(quoted, fault);
        }
        m_result.faults.push_back(std::move(fault));
    }

    void find_nearest(const Lines& quoted, EditFault& fault) const {
        const std::optional<std::size_t> nearest =
            nearest_place(changed(quoted, trimmed), m_trimmed);
        if (!nearest) {
            return;
        }
        fault.nearest_line = *nearest + 1;
        const std::size_t count = std::min(quoted.size(), k_nearest_lines);
        for (std::size_t i = *nearest; i < std::min(*nearest + count, m_lines.size()); ++i) {
            fault.nearest_text += std::string(m_without_end[i]) + "\n";
        }
        fault.nearest_text = std::string(shortened(fault.nearest_text, k_nearest_bytes));
    }

    [[nodiscard]] std::string replacement(const EditBlock& block, std::string_view quoted,
                                          const Edit& edit) const {
        const std::string_view first = m_lines[edit.begin];
        const std::string_view ending = !first.empty() && first.back() == '\r' ? "\r\n" : "\n";
        Lines lines = lines_of(block.replace);
        if (edit.how == EditMatch::indentation) {
            std::size_t blank = 0;
            lines = without_blank_ends(changed(std::move(lines), without_end_space), blank);
        }
        std::string text;
        for (const std::string_view line : lines) {
            text += edit.how == EditMatch::indentation
                        ? indented(line, indentation_of(quoted), indentation_of(first))
                        : std::string(line);
            text += ending;
        }
        return text;
    }

    [[nodiscard]] std::string edited() {
        std::string source;
        std::size_t line = 0;
        const auto copy_up_to = [&](std::size_t end) {
            for (; line < end; ++line) {
                source.append(m_lines[line]).append("\n");
            }
        };
        m_result.how.resize(m_edits.size());
        for (const Edit& edit : m_edits) {
            copy_up_to(edit.begin);
            source += edit.text;
            line = edit.end;
            m_result.how[edit.block - 1] = edit.how;
        }
        copy_up_to(m_lines.size());
        if (!m_parent.empty() && m_parent.back() != '\n' && !source.empty()) {
            source.pop_back();
        }
        return source;
    }

    std::string_view m_parent;
    Lines m_lines;
    Lines m_without_end;
    Lines m_trimmed;
    std::vector<Edit> m_edits;
    EditResult m_result;
    std::size_t m_nearest_looked_for = 0;
};

}  // namespace

EditResult apply_edits(std::string_view parent, const std::vector<EditBlock>& blocks) {
    Editor editor(parent);
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        editor.place(i + 1, blocks[i]);
    }
    return std::move(editor).finish();
}

std::string edit_fault_words(const EditFault& fault) {
    if (fault.kind == EditFault::Kind::overlapping) {
        return fmt::format(
            "Block {}: its SEARCH lines are block {}'s too; make one block of the two.",
            fault.block, fault.other_block);
    }
    if (fault.kind == EditFault::Kind::ambiguous) {
        return fmt::format(
            "Block {}: its SEARCH lines stand in several places (lines {}{}); quote more lines "
            "around the one that is meant.",
            fault.block, fmt::join(fault.lines, ", "),
            fault.lines.size() == k_most_places ? ", ..." : "");
    }
    if (fault.nearest_line == 0) {
        return fmt::format("Block {}: its SEARCH lines are not in the program.", fault.block);
    }
    return fmt::format(
        "Block {}: its SEARCH lines are not in the program. The nearest place is line {}:\n{}",
        fault.block, fault.nearest_line, fault.nearest_text);
}

FromReply<std::string> patched_source(std::string_view parent, std::string_view reply) {
    FromReply<std::vector<EditBlock>> blocks = edit_blocks_in(reply);
    if (!blocks) {
        return tl::unexpected<ReplyFault>(std::move(blocks.error()));
    }
    EditResult result = apply_edits(parent, *blocks);
    if (!result.faults.empty()) {
        std::string words;
        for (const EditFault& fault : result.faults) {
            words += edit_fault_words(fault);
            words += words.back() == '\n' ? "" : "\n";
        }
        return reply_fault(ReplyFault::Kind::unmatched, std::move(words));
    }
    if (result.source == parent) {
        return reply_fault(ReplyFault::Kind::no_change, "The blocks change nothing.");
    }
    if (const std::vector<std::string> lost = lost_regions(parent, result.source); !lost.empty()) {
        return reply_fault(
            ReplyFault::Kind::lost_marker,
            fmt::format("The marker lines of these regions are gone or do not pair: {}. Keep "
                        "`region: NAME` and `endregion: NAME` around what takes their place.",
                        fmt::join(lost, ", ")));
    }
    if (FromReply<void> usable = check_source(result.source); !usable) {
        return tl::unexpected<ReplyFault>(std::move(usable.error()));
    }
    return std::move(result.source);
}

}  // namespace atl
