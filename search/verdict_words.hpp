#pragma once

#include "mutators/operator.hpp"
#include "population/individual.hpp"
#include "population/journal/text_store.hpp"
#include "reward/verdict.hpp"
#include "search/fitness.hpp"
#include "search/lru_cache.hpp"

#include <cstddef>

namespace atl {

/// What a model may be told of individuals that were evaluated (parent_words()). What was asked for
/// lately is kept: few individuals are parents of many. Not thread-safe; `texts` must outlive it.
class VerdictWords {
  public:
    explicit VerdictWords(const TextSource& texts) : m_texts(&texts) {}

    /// `fitness`: of the campaign, with the baseline that times are told against. Errors: a verdict
    /// that is not in the store, or is none.
    [[nodiscard]] Expected<ParentWords> of(const Individual& individual, const Fitness& fitness);

  private:
    static constexpr std::size_t k_cache_bytes = 16 << 20;

    const TextSource* m_texts;
    LruCache<Digest, ParentWords> m_kept{k_cache_bytes};
};

}  // namespace atl
