#include "reward/kinds/cpu_cpp.hpp"
#include "reward/kinds/cubin.hpp"
#include "reward/kinds/cuda.hpp"
#include "reward/kinds/external.hpp"
#include "reward/kinds/kind.hpp"
#include "reward/kinds/ptx.hpp"

namespace atl {

const std::vector<std::shared_ptr<const CandidateKind>>& candidate_kinds() {
    static const std::vector<std::shared_ptr<const CandidateKind>> kinds = {
        make_cpu_cpp_kind(), make_cuda_kind(),     make_ptx_kind(),
        make_cubin_kind(),   make_external_kind(),
    };
    return kinds;
}

const CandidateKind* find_kind(const std::string& name) {
    for (const std::shared_ptr<const CandidateKind>& kind : candidate_kinds()) {
        if (kind->name() == name) {
            return kind.get();
        }
    }
    return nullptr;
}

}  // namespace atl
