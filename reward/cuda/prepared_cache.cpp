#include "reward/cuda/prepared_cache.hpp"

#include "reward/cuda/front_end.hpp"

#include <utility>

namespace atl {

Expected<std::shared_ptr<const FrontEndReply>> PreparedCache::find_or_claim(
    const Digest& key, const std::stop_token& cancel) {
    std::unique_lock lock(m_mutex);
    if (!m_finished.wait(lock, cancel, [&] { return !m_in_work.contains(key); })) {
        return failure(ErrorCode::interrupted, "the compilation was cancelled", "CUDA front end");
    }
    const auto found = m_index.find(key);
    if (found == m_index.end()) {
        m_in_work.insert(key);
        return nullptr;
    }
    m_entries.splice(m_entries.begin(), m_entries, found->second);
    return found->second->made;
}

void PreparedCache::finish(const Digest& key, std::shared_ptr<const FrontEndReply> made) {
    const std::lock_guard lock(m_mutex);
    m_in_work.erase(key);
    m_finished.notify_all();
    if (made == nullptr) {
        return;
    }
    m_bytes += made->cubin.size();
    m_entries.push_front({key, std::move(made)});
    m_index[key] = m_entries.begin();
    while (m_bytes > m_most_bytes || m_entries.size() > m_most_entries) {
        m_bytes -= m_entries.back().made->cubin.size();
        m_index.erase(m_entries.back().key);
        m_entries.pop_back();
    }
}

}  // namespace atl
