#include "reward/code_fence.hpp"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <utility>
#include <vector>

namespace atl {

namespace {

struct Fence {
    char mark = '`';
    std::size_t length = 0;
    std::string language;
};

std::string_view without_indent(std::string_view line) {
    const std::size_t first = line.find_first_not_of(' ');
    return first == std::string_view::npos || first > 3 ? std::string_view() : line.substr(first);
}

/// nullopt when the line opens (or could close) no fence.
std::optional<Fence> fence_in(std::string_view line) {
    line = without_indent(line);
    if (line.empty() || (line.front() != '`' && line.front() != '~')) {
        return std::nullopt;
    }
    Fence fence;
    fence.mark = line.front();
    fence.length = std::min(line.find_first_not_of(fence.mark), line.size());
    std::string_view info = line.substr(fence.length);
    if (fence.length < 3 || (fence.mark == '`' && info.find('`') != std::string_view::npos)) {
        return std::nullopt;
    }
    const std::size_t begin = std::min(info.find_first_not_of(" \t"), info.size());
    info = info.substr(begin);
    info = info.substr(0, info.find_first_of(" \t\r{"));
    for (const char c : info) {
        fence.language += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    return fence;
}

bool closes(const Fence& line, const Fence& open) {
    return line.mark == open.mark && line.length >= open.length && line.language.empty();
}

std::vector<std::string> languages_of(const std::string& kind) {
    if (kind == "cuda") {
        return {"cuda", "cu", "cuda-cpp", "cuda_cpp", "cpp", "c++"};
    }
    if (kind == "cpu_cpp") {
        return {"cpp", "c++", "cc", "cxx"};
    }
    if (kind == "cubin") {
        return {"json"};
    }
    return {kind};
}

constexpr std::string_view k_reasoning_tags[] = {"think>", "thinking>", "reasoning>"};

bool starts_reasoning(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
    return std::any_of(std::begin(k_reasoning_tags), std::end(k_reasoning_tags),
                       [&](std::string_view tag) {
                           return text.substr(0, 1) == "<" && text.substr(1, tag.size()) == tag;
                       });
}

/// Looks at one line after the other.
class BlockFinder {
  public:
    explicit BlockFinder(const std::string& kind) : m_languages(languages_of(kind)) {}

    void read(std::string_view line) {
        std::optional<Fence> fence = fence_in(line);
        if (fence && begins_block(*fence)) {
            m_open = std::move(fence);
            m_code.clear();
        } else if (fence && closes(*fence, *m_open)) {
            (is_of_kind(*m_open) ? m_last_of_kind : m_last) = std::move(m_code);
            m_code.clear();
            m_open.reset();
        } else if (m_open) {
            m_code.append(line).append("\n");
        }
    }

    [[nodiscard]] ReplyCode found() && {
        const bool cut_off = m_open && (is_of_kind(*m_open) || !m_last_of_kind);
        return {m_last_of_kind ? std::move(m_last_of_kind) : std::move(m_last), cut_off};
    }

  private:
    [[nodiscard]] bool is_of_kind(const Fence& fence) const {
        return std::find(m_languages.begin(), m_languages.end(), fence.language) !=
               m_languages.end();
    }
    [[nodiscard]] bool begins_block(const Fence& fence) const {
        if (!m_open) {
            return true;
        }
        const bool inside_of_longer =
            is_of_kind(*m_open) && (fence.mark != m_open->mark || fence.length < m_open->length);
        return is_of_kind(fence) && !inside_of_longer;
    }

    std::vector<std::string> m_languages;
    std::optional<std::string> m_last;  ///< of another language, or of none
    std::optional<std::string> m_last_of_kind;
    std::optional<Fence> m_open;
    std::string m_code;  ///< of the block that is open
};

}  // namespace

std::string_view answer_in_reply(std::string_view reply) {
    for (const std::string_view tag : k_reasoning_tags) {
        const std::string end = "</" + std::string(tag);
        if (const std::size_t at = reply.rfind(end); at != std::string_view::npos) {
            reply.remove_prefix(at + end.size());
        }
    }
    return starts_reasoning(reply) ? std::string_view() : reply;
}

ReplyCode code_in_reply(std::string_view reply, const std::string& kind) {
    std::string_view answer = answer_in_reply(reply);
    BlockFinder blocks(kind);
    while (!answer.empty()) {
        const std::size_t end = std::min(answer.find('\n'), answer.size());
        blocks.read(answer.substr(0, end));
        answer.remove_prefix(std::min(end + 1, answer.size()));
    }
    return std::move(blocks).found();
}

}  // namespace atl
