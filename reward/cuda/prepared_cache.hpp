#pragma once

#include "reward/base/error.hpp"
#include "reward/base/hash.hpp"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <unordered_map>
#include <utility>

namespace atl {

struct FrontEndReply;

/// The front end's answers that were used last, in memory; and who makes which, so that two threads
/// that ask for one make it once. Thread-safe.
class PreparedCache {
  public:
    explicit PreparedCache(std::size_t most_entries = 64, std::uint64_t most_bytes = 256ull << 20)
        : m_most_entries(most_entries), m_most_bytes(most_bytes) {}

    /// The answer, waiting for a thread that makes it; nullptr: it is the caller's to make, who
    /// must call finish(), for which PreparedClaim is. interrupted after `cancel`.
    [[nodiscard]] Expected<std::shared_ptr<const FrontEndReply>> find_or_claim(
        const Digest& key, const std::stop_token& cancel);
    /// nullptr: there is nothing to keep.
    void finish(const Digest& key, std::shared_ptr<const FrontEndReply> made);

  private:
    struct Entry {
        Digest key;
        std::shared_ptr<const FrontEndReply> made;
    };

    const std::size_t m_most_entries;
    const std::uint64_t m_most_bytes;
    std::mutex m_mutex;
    std::condition_variable_any m_finished;
    std::set<Digest> m_in_work;
    std::list<Entry> m_entries;  // most recently used first
    std::unordered_map<Digest, std::list<Entry>::iterator> m_index;
    std::uint64_t m_bytes = 0;
};

/// What find_or_claim() gave the caller to make. Who waits for it goes on when it ends, also by an
/// exception.
class PreparedClaim {
  public:
    PreparedClaim(PreparedCache& cache, const Digest& key) : m_cache(cache), m_key(key) {}
    PreparedClaim(const PreparedClaim&) = delete;
    PreparedClaim& operator=(const PreparedClaim&) = delete;
    ~PreparedClaim() {
        if (!m_kept) {
            m_cache.finish(m_key, nullptr);
        }
    }
    void keep(std::shared_ptr<const FrontEndReply> made) {
        m_cache.finish(m_key, std::move(made));
        m_kept = true;
    }

  private:
    PreparedCache& m_cache;
    const Digest m_key;
    bool m_kept = false;
};

}  // namespace atl
