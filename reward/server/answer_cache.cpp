#include "reward/server/answer_cache.hpp"

#include <utility>

namespace atl {

std::optional<ReadyAnswer> AnswerCache::find(const Digest& content) {
    const auto found = m_index.find(content);
    if (found == m_index.end()) {
        return std::nullopt;
    }
    m_entries.splice(m_entries.begin(), m_entries, found->second);
    return found->second->answer;
}

void AnswerCache::insert(const Digest& content, ReadyAnswer answer) {
    if (answer.bytes() > m_most_bytes || m_index.contains(content)) {
        return;
    }
    m_bytes += answer.bytes();
    m_entries.push_front({content, std::move(answer)});
    m_index[content] = m_entries.begin();
    while (m_bytes > m_most_bytes) {
        m_bytes -= m_entries.back().answer.bytes();
        m_index.erase(m_entries.back().content);
        m_entries.pop_back();
    }
}

}  // namespace atl
