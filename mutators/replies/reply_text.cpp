#include "mutators/replies/reply_text.hpp"

#include "reward/base/words.hpp"
#include "reward/candidate.hpp"
#include "reward/code_fence.hpp"
#include "reward/source_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <utility>

namespace atl {

namespace {

constexpr std::string_view k_white = " \t\r\n\v\f";

bool is_fence(std::string_view line) {
    line = trimmed(line);
    return line.substr(0, 3) == "```" || line.substr(0, 3) == "~~~";
}

/// "- **Change:** fewer barriers" -> "fewer barriers"; "" when it is another line.
std::string_view behind_label(std::string_view line, std::string_view label) {
    constexpr std::string_view k_marks = " \t-*#>_";
    line.remove_prefix(std::min(line.find_first_not_of(k_marks), line.size()));
    if (!begins_with_word(line, label)) {
        return {};
    }
    line.remove_prefix(label.size());
    line.remove_prefix(std::min(line.find_first_not_of("*_ "), line.size()));
    if (line.empty() || line.front() != ':') {
        return {};
    }
    line.remove_prefix(1);
    line.remove_prefix(std::min(line.find_first_not_of("*_ \t"), line.size()));
    return trimmed(line);
}

std::string with_plain_line_ends(std::string_view text) {
    std::string plain;
    plain.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\r' || i + 1 == text.size() || text[i + 1] != '\n') {
            plain += text[i];
        }
    }
    return plain;
}

}  // namespace

const char* to_string(ReplyFault::Kind kind) {
    switch (kind) {
        case ReplyFault::Kind::no_code:
            return "no_code";
        case ReplyFault::Kind::cut_off:
            return "cut_off";
        case ReplyFault::Kind::malformed:
            return "malformed";
        case ReplyFault::Kind::limit:
            return "limit";
        case ReplyFault::Kind::not_text:
            return "not_text";
        case ReplyFault::Kind::unmatched:
            return "unmatched";
        case ReplyFault::Kind::lost_marker:
            return "lost_marker";
        case ReplyFault::Kind::no_change:
            return "no_change";
    }
    return "unknown";
}

FromReply<void> check_source(const std::string& source) {
    if (source.size() > k_max_source_bytes) {
        return reply_fault(ReplyFault::Kind::limit,
                           fmt::format("The code has {} bytes; at most {} are taken.",
                                       source.size(), k_max_source_bytes));
    }
    if (source.find('\0') != std::string::npos || !is_utf8(source)) {
        return reply_fault(ReplyFault::Kind::not_text,
                           "The code has a NUL byte or is not valid UTF-8.");
    }
    return {};
}

FromReply<std::string> source_in_reply(std::string_view reply, const std::string& kind) {
    if (reply.size() > k_max_answer_bytes) {
        return reply_fault(ReplyFault::Kind::limit,
                           fmt::format("The reply has {} bytes; at most {} are read.", reply.size(),
                                       k_max_answer_bytes));
    }
    const ReplyCode found = code_in_reply(reply, kind);
    if (found.cut_off) {
        return reply_fault(ReplyFault::Kind::cut_off,
                           "The reply ends inside of a code block: its closing fence is missing.");
    }
    if (!found.code) {
        return reply_fault(ReplyFault::Kind::no_code,
                           "There is no complete fenced code block in the reply.");
    }
    if (trimmed(*found.code).empty()) {
        return reply_fault(ReplyFault::Kind::no_code, "The code block is empty.");
    }
    std::string source = with_plain_line_ends(*found.code);
    if (FromReply<void> usable = check_source(source); !usable) {
        return tl::unexpected<ReplyFault>(std::move(usable.error()));
    }
    return source;
}

std::string said_in_reply(std::string_view reply, std::string_view label) {
    if (reply.size() > k_max_answer_bytes) {
        return "";
    }
    bool in_fence = false;
    for (const std::string_view line : lines_of(answer_in_reply(reply))) {
        in_fence = is_fence(line) != in_fence;
        const std::string_view said = in_fence ? std::string_view() : behind_label(line, label);
        if (said.empty()) {
            continue;
        }
        std::string words(shortened(said, k_longest_said));
        std::replace_if(
            words.begin(), words.end(),
            [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
        return is_utf8(words) ? words : "";
    }
    return "";
}

std::vector<std::string> lost_regions(std::string_view parent, std::string_view child) {
    std::set<std::string> seen;
    for (Region& region : marked_regions(child)) {
        seen.insert(std::move(region.name));
    }
    std::vector<std::string> lost;
    for (const Region& region : marked_regions(parent)) {
        if (seen.insert(region.name).second) {
            lost.push_back(region.name);
        }
    }
    return lost;
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        lines.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

bool begins_with_word(std::string_view line, std::string_view word) {
    return line.size() >= word.size() &&
           std::equal(word.begin(), word.end(), line.begin(), [](char a, char b) {
               return std::tolower(static_cast<unsigned char>(a)) ==
                      std::tolower(static_cast<unsigned char>(b));
           });
}

std::string_view trimmed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(k_white);
    if (begin == std::string_view::npos) {
        return {};
    }
    return text.substr(begin, text.find_last_not_of(k_white) - begin + 1);
}

std::string_view shortened(std::string_view text, std::size_t bytes) {
    if (text.size() <= bytes) {
        return text;
    }
    while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) {
        --bytes;
    }
    return text.substr(0, bytes);
}

}  // namespace atl
