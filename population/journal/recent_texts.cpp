#include "population/journal/recent_texts.hpp"

namespace atl {

const std::string* RecentTexts::find(const Digest& id) {
    const auto found = m_by_id.find(id);
    if (found == m_by_id.end()) {
        return nullptr;
    }
    m_texts.splice(m_texts.begin(), m_texts, found->second);
    return &found->second->second;
}

void RecentTexts::put(const Digest& id, std::string_view text) {
    if (text.size() > m_max_bytes || m_by_id.contains(id)) {
        return;
    }
    m_texts.emplace_front(id, text);
    m_by_id[id] = m_texts.begin();
    m_bytes += text.size();
    while (m_bytes > m_max_bytes) {
        m_bytes -= m_texts.back().second.size();
        m_by_id.erase(m_texts.back().first);
        m_texts.pop_back();
    }
}

}  // namespace atl
