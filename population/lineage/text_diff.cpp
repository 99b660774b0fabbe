#include "population/lineage/text_diff.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace atl {

namespace {

constexpr std::size_t k_max_exact_lines = 2000;

using Lines = std::vector<std::string_view>;

struct Edit {
    char mark = ' ';  // ' ' kept, '-' removed, '+' added
    std::string_view line;
};

Lines split(std::string_view text) {
    Lines lines;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        lines.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

void replace_all(const Lines& before, const Lines& after, std::vector<Edit>& edits) {
    for (const std::string_view line : before) {
        edits.push_back({'-', line});
    }
    for (const std::string_view line : after) {
        edits.push_back({'+', line});
    }
}

// Longest common subsequence by dynamic programming: lengths[i][j] for the suffixes from i and j.
void align(const Lines& before, const Lines& after, std::vector<Edit>& edits) {
    const std::size_t columns = after.size() + 1;
    std::vector<std::uint16_t> lengths((before.size() + 1) * columns, 0);
    for (std::size_t i = before.size(); i-- > 0;) {
        for (std::size_t j = after.size(); j-- > 0;) {
            lengths[i * columns + j] =
                before[i] == after[j]
                    ? static_cast<std::uint16_t>(lengths[(i + 1) * columns + j + 1] + 1)
                    : std::max(lengths[(i + 1) * columns + j], lengths[i * columns + j + 1]);
        }
    }
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < before.size() && j < after.size()) {
        if (before[i] == after[j]) {
            edits.push_back({' ', before[i]});
            ++i;
            ++j;
        } else if (lengths[(i + 1) * columns + j] >= lengths[i * columns + j + 1]) {
            edits.push_back({'-', before[i++]});
        } else {
            edits.push_back({'+', after[j++]});
        }
    }
    replace_all(Lines(before.begin() + static_cast<std::ptrdiff_t>(i), before.end()),
                Lines(after.begin() + static_cast<std::ptrdiff_t>(j), after.end()), edits);
}

std::vector<Edit> edits_between(const Lines& before, const Lines& after) {
    const auto [a, b] = std::mismatch(before.begin(), before.end(), after.begin(), after.end());
    const auto prefix = a - before.begin();
    std::ptrdiff_t suffix = 0;
    while (suffix < before.end() - a && suffix < after.end() - b &&
           *(before.end() - suffix - 1) == *(after.end() - suffix - 1)) {
        ++suffix;
    }
    const Lines old_middle(a, before.end() - suffix);
    const Lines new_middle(b, after.end() - suffix);
    std::vector<Edit> edits;
    for (auto it = before.begin(); it != before.begin() + prefix; ++it) {
        edits.push_back({' ', *it});
    }
    if (old_middle.size() > k_max_exact_lines || new_middle.size() > k_max_exact_lines) {
        replace_all(old_middle, new_middle, edits);
    } else {
        align(old_middle, new_middle, edits);
    }
    for (auto it = before.end() - suffix; it != before.end(); ++it) {
        edits.push_back({' ', *it});
    }
    return edits;
}

struct Position {
    std::size_t before = 1;
    std::size_t after = 1;
    void pass(const Edit& edit) {
        before += edit.mark != '+' ? 1 : 0;
        after += edit.mark != '-' ? 1 : 0;
    }
};

}  // namespace

std::string unified_diff(std::string_view before, std::string_view after, int context) {
    const std::vector<Edit> edits = edits_between(split(before), split(after));
    const auto is_change = [](const Edit& e) { return e.mark != ' '; };
    std::string text;
    Position position;
    auto done = edits.begin();
    for (auto change = std::find_if(done, edits.end(), is_change); change != edits.end();
         change = std::find_if(done, edits.end(), is_change)) {
        const auto begin = change - std::min<std::ptrdiff_t>(context, change - done);
        // The hunk ends where more than two contexts of kept lines follow.
        auto last = change;
        for (auto it = change; it != edits.end() && it - last <= 2 * context + 1; ++it) {
            last = is_change(*it) ? it : last;
        }
        const auto end = last + 1 + std::min<std::ptrdiff_t>(context, edits.end() - last - 1);
        std::for_each(done, begin, [&](const Edit& e) { position.pass(e); });
        const Position start = position;
        std::string body;
        for (auto it = begin; it != end; ++it) {
            body += it->mark + std::string(it->line) + "\n";
            position.pass(*it);
        }
        text += "@@ -" + std::to_string(start.before) + "," +
                std::to_string(position.before - start.before) + " +" +
                std::to_string(start.after) + "," + std::to_string(position.after - start.after) +
                " @@\n" + body;
        done = end;
    }
    return text;
}

}  // namespace atl
