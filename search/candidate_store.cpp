#include "search/candidate_store.hpp"

namespace atl {

namespace {

constexpr std::size_t k_entry_bytes = 1024;  // what an entry takes beside its texts, roughly

}  // namespace

Expected<CandidateStore::SourcePtr> CandidateStore::source(const Digest& id) {
    if (const SourcePtr* known = m_sources.find(id)) {
        return *known;
    }
    ATOLL_TRY_ASSIGN(std::string text, m_texts->text(id));
    auto parts = std::make_shared<const SourceParts>(read_parts(*m_task, text));
    const std::size_t bytes = text.size() + k_entry_bytes;
    return m_sources.put(
        id, std::make_shared<const Source>(Source{std::move(text), std::move(parts)}), bytes);
}

Expected<Candidate> CandidateStore::candidate(const Individual& individual) {
    ATOLL_TRY_ASSIGN(const SourcePtr own, source(individual.source));
    return Candidate{m_task->kind, own->text, individual.tune, individual.flags};
}

Expected<std::shared_ptr<const ParentView>> CandidateStore::view(const Individual& individual) {
    if (const auto* known = m_views.find(individual.id.value)) {
        return *known;
    }
    ATOLL_TRY_ASSIGN(const SourcePtr own, source(individual.source));
    auto view = std::make_shared<const ParentView>(
        parent_view(individual.id, ParentRole::base,
                    Candidate{m_task->kind, own->text, individual.tune, individual.flags},
                    individual.fitness, individual.starter, own->parts));
    return m_views.put(individual.id.value, std::move(view), own->text.size() + k_entry_bytes);
}

Digest CandidateStore::key(const Candidate& candidate) {
    if (candidate.kind != m_task->kind || !candidate.files.empty()) {
        return candidate_key(candidate);
    }
    const auto* known = m_keys.find(candidate.source);
    if (known == nullptr) {
        known = &m_keys.put(candidate.source,
                            std::make_shared<const SourceKey>(candidate.kind, candidate.source),
                            2 * candidate.source.size() + k_entry_bytes);
    }
    return (*known)->key(candidate.tune, candidate.flags);
}

}  // namespace atl
