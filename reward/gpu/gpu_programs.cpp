#include "reward/gpu/gpu_programs.hpp"

namespace atl {

Expected<RunnerClient*> GpuPrograms::runner() {
    bool fresh = false;
    ATOLL_TRY_ASSIGN(RunnerClient * runner, m_source.runner(m_task, fresh));
    if (fresh || !m_loaded) {
        for (std::size_t i = 0; i < m_packages.size(); ++i) {
            ATOLL_TRY(runner->load(static_cast<std::uint32_t>(i), m_packages[i]));
        }
        m_loaded = true;
    }
    return runner;
}

}  // namespace atl
