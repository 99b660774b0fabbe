#include "mutators/memory/failure_cause.hpp"

#include "mutators/replies/reply_text.hpp"
#include "reward/base/words.hpp"
#include "reward/feedback.hpp"

#include <array>

namespace atl {

namespace {

constexpr std::size_t k_most_looked_at = 4096;  // of a message

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_word(char c) {
    return is_letter(c) || is_digit(c) || c == '_';
}

constexpr std::array<std::pair<std::string_view, std::string_view>, 4> k_quotes = {
    {{"\"", "\""}, {"`", "'"}, {"\u2018", "\u2019"}, {"'", "'"}}};

class Normaliser {
  public:
    explicit Normaliser(std::string_view text) : m_text(text) {}

    std::string run() {
        while (m_at < m_text.size()) {
            if (!quoted() && !number() && !word()) {
                other();
            }
        }
        return std::string(trimmed(shortened(m_out, k_longest_cause)));
    }

  private:
    [[nodiscard]] char at(std::size_t place) const {
        return place < m_text.size() ? m_text[place] : '\0';
    }
    [[nodiscard]] bool after_word() const { return m_at > 0 && is_word(m_text[m_at - 1]); }

    bool quoted() {
        for (const auto& [open, close] : k_quotes) {
            // An apostrophe inside of a word is none.
            if (!m_text.substr(m_at).starts_with(open) || (open == "'" && after_word())) {
                continue;
            }
            const std::size_t end = m_text.find(close, m_at + open.size());
            if (end == std::string_view::npos) {
                continue;
            }
            m_out += "'_'";
            m_at = end + close.size();
            return true;
        }
        return false;
    }

    bool number() {
        std::size_t end = m_at;
        if ((at(end) == '-' || at(end) == '+') && !after_word()) {
            ++end;
        }
        if (!is_digit(at(end)) && !(at(end) == '.' && is_digit(at(end + 1)))) {
            return false;
        }
        while (is_word(at(end)) || at(end) == '.' ||
               ((at(end) == '-' || at(end) == '+') && (at(end - 1) == 'e' || at(end - 1) == 'E') &&
                is_digit(at(end + 1)))) {
            ++end;
        }
        while (end > m_at + 1 && m_text[end - 1] == '.') {  // the end of a sentence
            --end;
        }
        // "#, #" and "# x #" say no more than "#".
        for (const std::string_view between : {", ", ",", " x ", "x"}) {
            const std::string before = "#" + std::string(between);
            if (m_out.ends_with(before)) {
                m_out.resize(m_out.size() - before.size());
                break;
            }
        }
        m_out += '#';
        m_at = end;
        return true;
    }

    bool word() {
        if (!is_letter(at(m_at)) && at(m_at) != '_') {
            return false;
        }
        std::size_t end = m_at;
        bool name = false;
        while (is_word(at(end))) {
            name = name || !is_letter(at(end));
            ++end;
        }
        const std::string_view word = m_text.substr(m_at, end - m_at);
        m_out += name && !word.starts_with("__") ? std::string_view("_") : word;
        m_at = end;
        return true;
    }

    void other() {
        const char c = m_text[m_at++];
        if (static_cast<unsigned char>(c) > ' ' && c != '\x7f') {
            m_out += c;
        } else if (!m_out.empty() && m_out.back() != ' ') {
            m_out += ' ';
        }
    }

    std::string_view m_text;
    std::size_t m_at = 0;
    std::string m_out;
};

/// "error: " or "error #20: " and what stands before it: file, line and column.
std::string_view without_place(std::string_view line) {
    const std::size_t error = line.find("error");
    const std::size_t colon = error == std::string_view::npos ? error : line.find(':', error);
    if (colon == std::string_view::npos || colon - error > 24) {
        return trimmed(line);
    }
    return trimmed(line.substr(colon + 1));
}

std::string_view first_error(std::string_view log) {
    for (const std::string_view line : lines_of(log)) {
        if (line.find("error") != std::string_view::npos) {
            return line;
        }
    }
    return {};
}

std::string printable(std::string_view line) {
    std::string text;
    for (const char c : shortened(trimmed(line), k_longest_cause)) {
        text += static_cast<unsigned char>(c) >= ' ' && c != '\x7f' ? c : ' ';
    }
    return is_utf8(text) ? text : std::string();
}

}  // namespace

std::string normalised_message(std::string_view message) {
    std::string text = Normaliser(shortened(message, k_most_looked_at)).run();
    return is_utf8(text) ? text : std::string();
}

std::optional<FailureCause> failure_cause(const Verdict& verdict) {
    if (is_correct(verdict.outcome)) {
        return std::nullopt;
    }
    const Verdict shown = public_part(verdict);
    std::string_view line;
    if (shown.outcome == Outcome::compile_error && shown.compile) {
        line = without_place(first_error(shown.compile->log));
    }
    if (line.empty()) {
        const std::string_view reason = shown.reason;
        line = reason.substr(0, reason.find('\n'));
        line = shown.outcome == Outcome::compile_error ? without_place(line) : line;
    }
    return FailureCause{shown.outcome, normalised_message(line), printable(line)};
}

}  // namespace atl
