#include "mutators/operator.hpp"

#include <stdexcept>

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

OperatorStep OperatorRun::step() {
    m_handle.promise().step = std::monostate();
    if (m_handle.done()) {
        return std::monostate();
    }
    m_handle.resume();
    if (m_handle.promise().error) {
        std::rethrow_exception(m_handle.promise().error);
    }
    return std::exchange(m_handle.promise().step, std::monostate());
}

std::optional<Proposal> OperatorRun::next() {
    OperatorStep reached = step();
    if (std::holds_alternative<Question>(reached)) {
        throw std::logic_error("an operator asked a model, and nobody here has one");
    }
    Proposal* proposal = std::get_if<Proposal>(&reached);
    return proposal == nullptr ? std::nullopt : std::optional(std::move(*proposal));
}

}  // namespace atl
