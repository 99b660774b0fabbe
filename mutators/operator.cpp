#include "mutators/operator.hpp"

namespace atl {

ParentView parent_view(IndividualId id, ParentRole role, Candidate candidate, double fitness,
                       std::string starter, std::shared_ptr<const SourceParts> parts) {
    KnobSetting setting = setting_of(parts->knobs, candidate);
    return {id,
            role,
            std::move(candidate),
            fitness,
            std::move(starter),
            std::move(parts),
            std::move(setting)};
}

std::optional<Proposal> OperatorRun::next() {
    m_handle.promise().proposal.reset();
    if (m_handle.done()) {
        return std::nullopt;
    }
    m_handle.resume();
    if (m_handle.promise().error) {
        std::rethrow_exception(m_handle.promise().error);
    }
    return std::exchange(m_handle.promise().proposal, std::nullopt);
}

}  // namespace atl
