#include "mutators/operator.hpp"

namespace atl {

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
