#include "mutators/model/cassette.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>

namespace atl {

namespace {

constexpr std::size_t k_shown_bytes = 80;

/// One line, from a little before `at` on.
std::string shown(std::string_view line, std::size_t at) {
    const std::size_t from = at > k_shown_bytes / 2 ? at - k_shown_bytes / 2 : 0;
    std::string text(line.substr(std::min(from, line.size()), k_shown_bytes));
    for (char& c : text) {
        c = c >= 0 && c < ' ' ? ' ' : c;
    }
    return (from > 0 ? "..." : "") + text + (from + k_shown_bytes < line.size() ? "..." : "");
}

std::string_view line_at(std::string_view text, std::size_t begin) {
    return text.substr(begin, text.find('\n', begin) - begin);
}

std::string text_difference(const std::string& where, std::string_view recorded,
                            std::string_view asked) {
    const auto [a, b] = std::mismatch(recorded.begin(), recorded.end(), asked.begin(), asked.end());
    const auto at = static_cast<std::size_t>(a - recorded.begin());
    const std::string_view same = recorded.substr(0, at);
    const auto line = std::count(same.begin(), same.end(), '\n') + 1;
    const std::size_t begin = same.rfind('\n') + 1;  // 0 where there is none
    const std::size_t column = at - begin;
    return fmt::format("{}, line {}: '{}' was recorded, '{}' is asked", where, line,
                       shown(line_at(recorded, begin), column),
                       shown(line_at(asked, begin), column));
}

template <class T>
std::string value_text(const std::optional<T>& value) {
    return value ? fmt::format("{}", *value) : "nothing";
}

template <class T>
std::string value_difference(const char* name, const T& recorded, const T& asked) {
    return recorded == asked ? std::string()
                             : fmt::format("{}: {} was recorded, {} is asked", name,
                                           value_text(recorded), value_text(asked));
}

std::string message_difference(const std::vector<ChatMessage>& recorded,
                               const std::vector<ChatMessage>& asked) {
    for (std::size_t i = 0; i < std::min(recorded.size(), asked.size()); ++i) {
        const std::string where = fmt::format("messages[{}] ({})", i, to_string(recorded[i].role));
        if (recorded[i].role != asked[i].role) {
            return fmt::format("{}: {} is asked", where, to_string(asked[i].role));
        }
        if (recorded[i].content != asked[i].content) {
            return text_difference(where, recorded[i].content, asked[i].content);
        }
    }
    return value_difference("number of messages", std::optional(recorded.size()),
                            std::optional(asked.size()));
}

}  // namespace

std::string first_difference(const ChatRequest& recorded, const ChatRequest& asked) {
    if (recorded.model != asked.model) {
        return fmt::format("model: '{}' was recorded, '{}' is asked", recorded.model, asked.model);
    }
    const std::string found[] = {
        message_difference(recorded.messages, asked.messages),
        value_difference("samples", std::optional(recorded.samples), std::optional(asked.samples)),
        value_difference("temperature", recorded.temperature, asked.temperature),
        value_difference("top_p", recorded.top_p, asked.top_p),
        value_difference("seed", recorded.seed, asked.seed),
        value_difference("max_tokens", recorded.max_tokens, asked.max_tokens),
        recorded.stop == asked.stop ? "" : "stop: other texts were recorded"};
    for (const std::string& text : found) {
        if (!text.empty()) {
            return text;
        }
    }
    return {};
}

}  // namespace atl
