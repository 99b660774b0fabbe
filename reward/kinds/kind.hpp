#pragma once

#include "reward/base/error.hpp"
#include "reward/compile_service.hpp"
#include "reward/device_lane.hpp"
#include "reward/evaluator.hpp"
#include "reward/verdict.hpp"

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace atl {

/// A candidate on its way: the verdict so far and, unless it has ended, what a device needs.
struct Prepared {
    Verdict verdict;
    bool ended = false;  ///< the verdict is final; no device is needed
    DeviceOrder order;
};

/// A candidate kind (DESIGN section 5): how a source becomes something a worker can run, and how
/// far the result is trusted. Implementations are stateless and thread-safe, one folder entry each
/// in reward/kinds. Only `external` is known by name elsewhere, for what a task's own judge
/// changes.
class CandidateKind {
  public:
    virtual ~CandidateKind() = default;
    [[nodiscard]] virtual std::string name() const = 0;
    /// Verdict::trust: "jailed", "external".
    [[nodiscard]] virtual std::string trust() const = 0;
    /// How this kind builds and measures (standard flags, protocol): part of cache keys.
    [[nodiscard]] virtual std::string fingerprint() const = 0;
    /// Whether candidates are compiled and run by Atoll: then it takes a compiler, a sandbox and a
    /// device. Otherwise prepare() always ends the verdict.
    [[nodiscard]] virtual bool needs_device() const { return true; }
    /// Whether the device counts what its candidates do when a profile is asked for.
    [[nodiscard]] virtual bool has_counters() const { return false; }
    /// What a candidate for `task` must look like, for people and prompts: the prototype and the
    /// rules.
    [[nodiscard]] virtual std::string contract(const Task& task) const = 0;
    /// The candidate as one file that stands alone: what it does without tune values is what the
    /// candidate does with its own. Flags are not in it.
    [[nodiscard]] virtual std::string standalone_source(const Candidate& candidate) const = 0;
    /// Why the candidate is refused unseen, as one sentence; nullopt when it may go on. Cheap.
    [[nodiscard]] virtual std::optional<std::string> lint(const Task& task,
                                                          const Candidate& candidate) const = 0;
    /// The stages that need no device, from a verdict that says only who and where. A candidate's
    /// fault ends the verdict; an error is ours. Returns soon with an error after `cancel`.
    [[nodiscard]] virtual Expected<Prepared> prepare(const EvaluationRequest& request,
                                                     Verdict verdict,
                                                     const EvaluationLimits& limits,
                                                     CompileService& compiler,
                                                     std::stop_token cancel) const = 0;
    /// The stages on a device: completes `prepared.verdict`. An error is a fault of ours.
    [[nodiscard]] virtual Expected<Verdict> execute(const EvaluationRequest& request,
                                                    Prepared prepared, DeviceLane& lane) const = 0;
};

/// Every kind there is. A new kind adds one line to reward/kinds/registry.cpp.
[[nodiscard]] const std::vector<std::shared_ptr<const CandidateKind>>& candidate_kinds();
/// nullptr when there is none of that name.
[[nodiscard]] const CandidateKind* find_kind(const std::string& name);

/// Rules that every kind shares: sizes, NUL bytes, paths of a folder, tune names and values (they
/// become -D options), flags within the task's allowed list.
[[nodiscard]] std::optional<std::string> lint_common(const Task& task, const Candidate& candidate);

}  // namespace atl
