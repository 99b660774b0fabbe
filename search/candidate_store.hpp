#pragma once

#include "mutators/operator.hpp"
#include "population/individual.hpp"
#include "population/journal/text_store.hpp"
#include "reward/base/error.hpp"

#include <memory>
#include <string>
#include <unordered_map>

namespace atl {

/// Gives individuals their candidates back: sources come from the text store, the latest of them
/// are kept unpacked. Not thread-safe; `texts` must outlive it.
class CandidateStore {
  public:
    CandidateStore(const TextSource& texts, std::string kind)
        : m_texts(&texts), m_kind(std::move(kind)) {}

    [[nodiscard]] Expected<Candidate> candidate(const Individual& individual);
    [[nodiscard]] Expected<ParentView> view(const Individual& individual, ParentRole role);
    [[nodiscard]] const TextSource& texts() const { return *m_texts; }

  private:
    static constexpr std::size_t k_max_sources = 4096;

    const TextSource* m_texts;
    std::string m_kind;
    std::unordered_map<Digest, std::string> m_sources;
};

}  // namespace atl
