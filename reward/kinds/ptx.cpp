#include "reward/kinds/ptx.hpp"

#include "reward/cuda/explicit_source.hpp"
#include "reward/gpu/gpu_protocol.hpp"
#include "reward/kinds/cuda_program.hpp"

namespace atl {

namespace {

class PtxKind final : public CudaProgramKind {
  public:
    std::string name() const override { return "ptx"; }
    std::string fingerprint() const override { return k_cuda_protocol; }

    std::string contract(const Task& task) const override {
        return "A candidate of kind ptx is one PTX file whose leading comment holds the plan of "
               "its "
               "launches. It is assembled for the device's own architecture.\n\n" +
               explicit_plan_contract(task);
    }

    std::string standalone_source(const Candidate& candidate) const override {
        return candidate.source;
    }

    std::optional<std::string> lint(const Task& task, const Candidate& candidate) const override {
        if (std::optional<std::string> problem = lint_explicit(task, candidate)) {
            return problem;
        }
        const auto source = read_ptx_source(candidate.source);
        return source ? std::nullopt : std::optional(source.error().message());
    }
};

}  // namespace

std::shared_ptr<const CandidateKind> make_ptx_kind() {
    return std::make_shared<PtxKind>();
}

}  // namespace atl
