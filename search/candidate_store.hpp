#pragma once

#include "mutators/operator.hpp"
#include "population/individual.hpp"
#include "population/journal/text_store.hpp"
#include "reward/base/error.hpp"
#include "reward/candidate.hpp"
#include "reward/task.hpp"
#include "search/lru_cache.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace atl {

/// Gives individuals their candidates back: sources come from the text store. What was asked for
/// lately is kept, unpacked and read, so that a decision costs no more when the campaign is larger.
/// Not thread-safe; `texts` and `task` must outlive it.
class CandidateStore {
  public:
    CandidateStore(const TextSource& texts, const Task& task) : m_texts(&texts), m_task(&task) {}

    [[nodiscard]] Expected<Candidate> candidate(const Individual& individual);
    /// As operators see it, in the role of a base.
    [[nodiscard]] Expected<std::shared_ptr<const ParentView>> view(const Individual& individual);
    /// candidate_key(), without reading a source again that was read lately.
    [[nodiscard]] Digest key(const Candidate& candidate);
    [[nodiscard]] const TextSource& texts() const { return *m_texts; }

  private:
    struct Source {
        std::string text;
        std::shared_ptr<const SourceParts> parts;
    };
    using SourcePtr = std::shared_ptr<const Source>;

    static constexpr std::size_t k_cache_bytes = 64 << 20;  ///< of each of the three

    [[nodiscard]] Expected<SourcePtr> source(const Digest& id);

    const TextSource* m_texts;
    const Task* m_task;
    LruCache<Digest, SourcePtr> m_sources{k_cache_bytes};
    LruCache<std::uint64_t, std::shared_ptr<const ParentView>> m_views{k_cache_bytes};
    LruCache<std::string, std::shared_ptr<const SourceKey>> m_keys{k_cache_bytes};
};

}  // namespace atl
