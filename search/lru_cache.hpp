#pragma once

#include <cstddef>
#include <list>
#include <unordered_map>
#include <utility>

namespace atl {

/// Keeps what was used last, as much as fits into a number of bytes (and always the newest, however
/// large). Not thread-safe.
template <class Key, class Value>
class LruCache {
  public:
    explicit LruCache(std::size_t max_bytes) : m_max_bytes(max_bytes) {}

    /// nullptr when it is not kept (any more). Valid until the next put().
    [[nodiscard]] const Value* find(const Key& key) {
        const auto found = m_places.find(key);
        if (found == m_places.end()) {
            return nullptr;
        }
        m_entries.splice(m_entries.begin(), m_entries, found->second);
        return &found->second->value;
    }

    /// `bytes`: what key and value take. REQUIRES that the key is not kept yet.
    const Value& put(const Key& key, Value value, std::size_t bytes) {
        m_entries.push_front({key, std::move(value), bytes});
        m_places.emplace(key, m_entries.begin());
        m_bytes += bytes;
        while (m_bytes > m_max_bytes && m_entries.size() > 1) {
            m_bytes -= m_entries.back().bytes;
            m_places.erase(m_entries.back().key);
            m_entries.pop_back();
        }
        return m_entries.front().value;
    }

  private:
    struct Entry {
        Key key;
        Value value;
        std::size_t bytes;
    };

    std::size_t m_max_bytes;
    std::size_t m_bytes = 0;
    std::list<Entry> m_entries;  ///< latest first
    std::unordered_map<Key, typename std::list<Entry>::iterator> m_places;
};

}  // namespace atl
