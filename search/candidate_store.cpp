#include "search/candidate_store.hpp"

namespace atl {

Expected<Candidate> CandidateStore::candidate(const Individual& individual) {
    auto known = m_sources.find(individual.source);
    if (known == m_sources.end()) {
        ATOLL_TRY_ASSIGN(std::string source, m_texts->text(individual.source));
        if (m_sources.size() >= k_max_sources) {
            m_sources.clear();
        }
        known = m_sources.emplace(individual.source, std::move(source)).first;
    }
    return Candidate{m_kind, known->second, individual.tune, individual.flags};
}

Expected<ParentView> CandidateStore::view(const Individual& individual, ParentRole role) {
    ATOLL_TRY_ASSIGN(Candidate own, candidate(individual));
    return ParentView{individual.id, role, std::move(own), individual.fitness, individual.starter};
}

}  // namespace atl
