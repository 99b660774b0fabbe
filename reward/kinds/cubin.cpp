#include "reward/kinds/cubin.hpp"

#include "reward/cuda/explicit_source.hpp"
#include "reward/gpu/gpu_protocol.hpp"
#include "reward/kinds/cuda_program.hpp"

namespace atl {

namespace {

class CubinKind final : public CudaProgramKind {
  public:
    std::string name() const override { return "cubin"; }
    std::string fingerprint() const override { return k_cuda_protocol; }

    std::string contract(const Task& task) const override {
        return "A candidate of kind cubin is {\"plan\": {...}, \"cubin\": \"base64\"}: machine "
               "code "
               "for the device (nvcc -arch=sm_90a -cubin k.cu) and the plan of its launches:\n\n"
               "    printf '{\"plan\": %s, \"cubin\": \"%s\"}' \"$(cat plan.json)\" "
               "\"$(base64 -w0 k.cubin)\" > k.cubin.json\n\n" +
               explicit_plan_contract(task);
    }

    std::string standalone_source(const Candidate& candidate) const override {
        return candidate.source;
    }

    std::optional<std::string> lint(const Task& task, const Candidate& candidate) const override {
        if (std::optional<std::string> problem = lint_explicit(task, candidate)) {
            return problem;
        }
        const auto source = read_cubin_source(candidate.source);
        return source ? std::nullopt : std::optional(source.error().message());
    }
};

}  // namespace

std::shared_ptr<const CandidateKind> make_cubin_kind() {
    return std::make_shared<CubinKind>();
}

}  // namespace atl
