#include "reward/kinds/cuda.hpp"

#include "reward/cuda/device_compiler.hpp"
#include "reward/cuda/device_prelude.hpp"
#include "reward/cuda/recording_source.hpp"
#include "reward/gpu/gpu_protocol.hpp"
#include "reward/kinds/cuda_program.hpp"
#include "reward/kinds/device_order.hpp"

namespace atl {

namespace {

/// The page of reward/README.md that a person reads and a prompt holds.
constexpr const char* k_contract =
#include "reward/kinds/cuda_contract.inc"
    ;

class CudaKind final : public CudaProgramKind {
  public:
    std::string name() const override { return "cuda"; }
    std::string fingerprint() const override {
        return std::string(k_cuda_protocol) + " " + k_cuda_standard;
    }

    std::string contract(const Task& task) const override {
        return "The host function is\n\n    " + cuda_launch_prototype(task) + "\n\n" + k_contract;
    }

    std::string standalone_source(const Candidate& candidate) const override {
        return source_with_defines(candidate);
    }

    std::optional<std::string> lint(const Task& task, const Candidate& candidate) const override {
        if (std::optional<std::string> problem = lint_common(task, candidate)) {
            return problem;
        }
        if (!candidate.files.empty()) {
            return "a folder cannot be a candidate of kind cuda: give one .cu file";
        }
        for (const std::string& flag : candidate.flags) {
            if (const Status fits = check_device_flag(flag); !fits) {
                return fits.error().what;
            }
        }
        if (candidate.source.find("launch") == std::string::npos) {
            return "the source does not define launch(): expected " + cuda_launch_prototype(task);
        }
        if (candidate.source.find("__global__") == std::string::npos) {
            return "the source has no kernel: a function with __global__";
        }
        return std::nullopt;
    }
};

}  // namespace

std::shared_ptr<const CandidateKind> make_cuda_kind() {
    return std::make_shared<CudaKind>();
}

}  // namespace atl
