#pragma once

#include "reward/cuda/front_end.hpp"
#include "reward/kinds/kind.hpp"

#include <optional>
#include <stop_token>
#include <string>

namespace atl {

/// What the kinds whose candidates run on a GPU (cuda, ptx, cubin) have in common: all become
/// machine code and a plan per workload, and what comes after does not know them apart. The task's
/// reference is CUDA C++; rivals are prepared by their own kinds.
class CudaProgramKind : public CandidateKind {
  public:
    std::string trust() const override { return "jailed"; }
    bool has_counters() const override { return true; }
    Expected<Prepared> prepare(const EvaluationRequest& request, Verdict verdict,
                               const EvaluationLimits& limits, CompileService& compiler,
                               std::stop_token cancel) const override;
    Expected<Verdict> execute(const EvaluationRequest& request, Prepared prepared,
                              DeviceLane& lane) const override;
};

/// What the front end is asked for a candidate, or a rival, of one of these kinds: public
/// workloads, and hidden ones in a confirmation.
[[nodiscard]] FrontEndRequest front_end_request(const EvaluationRequest& request,
                                                const Candidate& candidate,
                                                const EvaluationLimits& limits,
                                                const std::stop_token& cancel);

/// What the kinds ptx and cubin refuse unseen beside lint_common(): folders, tune values, flags.
[[nodiscard]] std::optional<std::string> lint_explicit(const Task& task,
                                                       const Candidate& candidate);

/// The part of a contract that says what a plan is, with the names that `task` gives it.
[[nodiscard]] std::string explicit_plan_contract(const Task& task);

}  // namespace atl
