#include "mutators/replies/ideas.hpp"

#include "mutators/replies/reply_text.hpp"
#include "reward/base/words.hpp"
#include "reward/code_fence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace atl {

namespace {

/// "2. **Idea 2:** x" with label "Idea" -> "x"; nullopt when it is another line.
std::optional<std::string_view> labelled(std::string_view line, std::string_view label) {
    const auto skip = [&line](std::string_view signs) {
        line.remove_prefix(std::min(line.find_first_not_of(signs), line.size()));
    };
    skip(" \t-*#>_`");
    if (!line.empty() && line.front() >= '0' && line.front() <= '9') {
        skip("0123456789");
        skip(".) \t*_");
    }
    if (!begins_with_word(line, label)) {
        return std::nullopt;
    }
    line.remove_prefix(label.size());
    skip("*_ \t");
    skip("0123456789");
    skip("*_ \t");
    if (line.empty() || line.front() != ':') {
        return std::nullopt;
    }
    line.remove_prefix(1);
    skip("*_ \t");
    return trimmed(line);
}

std::optional<double> gain_in(std::string_view text) {
    while (!text.empty() && (text.back() == '*' || text.back() == '_' || text.back() == '.')) {
        text.remove_suffix(1);
    }
    double gain = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), gain);
    const std::string_view rest = text.substr(static_cast<std::size_t>(end - text.data()));
    const std::string_view unit = trimmed(rest);
    const bool read = error == std::errc() && (unit.empty() || unit == "x" || unit == "X");
    if (!read || !(gain > 0) || !(gain <= k_largest_gain)) {
        return std::nullopt;
    }
    return gain;
}

std::string as_text(std::string_view said) {
    std::string text(shortened(trimmed(said), k_longest_idea));
    std::replace_if(
        text.begin(), text.end(),
        [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == 0x7f; },
        ' ');
    return text;
}

/// Takes one line after the other.
class IdeaReader {
  public:
    /// The fault that a line leads to.
    std::optional<ReplyFault> read(std::string_view line) {
        if (const auto idea = labelled(line, "Idea")) {
            return begin(*idea);
        }
        if (const auto gain = labelled(line, "Gain")) {
            return end(*gain);
        }
        if (m_open && m_text.size() <= k_longest_idea) {
            m_text.append("\n").append(line);
        }
        return std::nullopt;
    }

    FromReply<std::vector<Idea>> finish() {
        if (m_open) {
            return tl::unexpected<ReplyFault>(without_gain());
        }
        if (m_ideas.empty()) {
            return reply_fault(ReplyFault::Kind::no_code,
                               "There is no idea in the reply: no line \"Idea: ...\".");
        }
        return std::move(m_ideas);
    }

  private:
    [[nodiscard]] std::string number() const { return std::to_string(m_ideas.size() + 1); }

    [[nodiscard]] ReplyFault without_gain() const {
        return {ReplyFault::Kind::malformed,
                "Idea " + number() + " has no line \"Gain: NUMBER\" behind it."};
    }

    std::optional<ReplyFault> begin(std::string_view text) {
        if (m_open) {
            return without_gain();
        }
        if (m_ideas.size() == k_max_ideas) {
            return ReplyFault{ReplyFault::Kind::limit,
                              fmt::format("There are more than {} ideas.", k_max_ideas)};
        }
        m_open = true;
        m_text = shortened(text, k_longest_idea + 1);
        return std::nullopt;
    }

    std::optional<ReplyFault> end(std::string_view text) {
        if (!m_open) {
            return ReplyFault{ReplyFault::Kind::malformed,
                              "A line \"Gain:\" has no line \"Idea:\" of its own before it."};
        }
        const std::optional<double> gain = gain_in(text);
        if (!gain) {
            return ReplyFault{
                ReplyFault::Kind::malformed,
                fmt::format("The gain of idea {} is not a number above 0 and up to {}, such as "
                            "1.25.",
                            number(), k_largest_gain)};
        }
        Idea idea{as_text(m_text), *gain};
        if (idea.text.empty() || !is_utf8(idea.text)) {
            return ReplyFault{ReplyFault::Kind::not_text,
                              "Idea " + number() + " is empty or not valid UTF-8."};
        }
        m_ideas.push_back(std::move(idea));
        m_open = false;
        return std::nullopt;
    }

    std::vector<Idea> m_ideas;
    std::string m_text;   ///< of the idea whose gain is still to come
    bool m_open = false;  ///< there is one
};

}  // namespace

FromReply<std::vector<Idea>> ideas_in_reply(std::string_view reply) {
    if (reply.size() > k_max_answer_bytes) {
        return reply_fault(ReplyFault::Kind::limit,
                           fmt::format("The reply has {} bytes; at most {} are read.", reply.size(),
                                       k_max_answer_bytes));
    }
    IdeaReader reader;
    for (const std::string_view line : lines_of(answer_in_reply(reply))) {
        if (std::optional<ReplyFault> fault = reader.read(line)) {
            return tl::unexpected<ReplyFault>(std::move(*fault));
        }
    }
    return reader.finish();
}

std::size_t most_promising(const std::vector<Idea>& ideas) {
    const auto best = std::max_element(
        ideas.begin(), ideas.end(), [](const Idea& a, const Idea& b) { return a.gain < b.gain; });
    return static_cast<std::size_t>(best - ideas.begin());
}

}  // namespace atl
