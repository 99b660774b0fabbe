#pragma once

#include "reward/base/error.hpp"
#include "reward/verifier/cache_flush.hpp"
#include "reward/verifier/candidate_fault.hpp"
#include "reward/verifier/candidate_run.hpp"
#include "reward/verifier/cases.hpp"
#include "reward/verifier/messages.hpp"
#include "reward/verifier/runner_link.hpp"
#include "reward/verifier/shared_buffers.hpp"
#include "reward/verifier/shuffle.hpp"
#include "reward/verifier/task_layout.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace atl {

/// Where a launch takes place.
struct Spot {
    std::size_t workload = 0;
    int slot = 0;
    Placement placement = Placement::end;
};

using ContentSource = std::function<Contents(std::size_t tensor)>;

/// One candidate on the bench: its process and its buffers. Not thread-safe. Expected errors are
/// faults of ours; what the candidate does wrong is a value.
class Bench {
  public:
    /// Scrubs the buffers, starts the process, times empty rounds and loads the binary. `layout`
    /// and `buffers` must outlive the bench and belong together.
    [[nodiscard]] static Expected<std::unique_ptr<Bench>> start(
        RunnerLink& runner, const FileHandle& binary, const TaskLayout& layout,
        SharedBuffers& buffers, const EvaluateOrder& order, bool trusted);

    /// Set when the binary could not be loaded or died in the attempt.
    [[nodiscard]] const std::optional<CandidateFault>& load_fault() const { return m_load_fault; }
    [[nodiscard]] const TaskLayout& layout() const { return m_layout; }

    [[nodiscard]] std::span<std::byte> tensor(const Spot& spot, std::size_t tensor) const;
    void write_inputs(const Spot& spot, const InputSet& inputs) const;
    [[nodiscard]] bool inputs_intact(const Spot& spot, const InputSet& inputs) const;
    /// Poisons the outputs and arms the canaries.
    void prepare(const Spot& spot) const;
    /// The same, with outputs and inputs written past the caches, so that all of the spot's tensors
    /// come from memory; `source(tensor)` gives the chunks of each input.
    void prepare_cold(const Spot& spot, CacheFlusher& flusher, const ContentSource& source) const;
    [[nodiscard]] Expected<CandidateRun::Launch> launch(const Spot& spot);
    /// As CandidateRun::end().
    [[nodiscard]] Expected<std::optional<std::uint64_t>> end() { return m_run->end(); }
    /// Shortest time of a round without a launch, before any candidate was loaded.
    [[nodiscard]] double overhead_ns() const { return m_overhead_ns; }

    struct Check {
        VerifyCase report;
        std::optional<CandidateFault> fault;
    };
    /// Judges outputs, inputs and canaries after a launch on exactly `judged.inputs`.
    [[nodiscard]] Check check(const Spot& spot, const Case& judged) const;
    /// The same when the launch ended in a fault.
    [[nodiscard]] Check check_of_death(const Case& judged, CandidateFault fault) const;

  private:
    Bench(const TaskLayout& layout, SharedBuffers& buffers, std::unique_ptr<CandidateRun> run)
        : m_layout(layout), m_buffers(buffers), m_run(std::move(run)) {}

    [[nodiscard]] VerifyCase begin_report(const Case& judged) const;
    [[nodiscard]] std::optional<CandidateFault> check_surroundings(const Spot& spot,
                                                                   const Case& judged) const;
    [[nodiscard]] std::byte canary_of(std::size_t tensor) const;
    [[nodiscard]] bool canaries_intact(const Spot& spot, std::size_t tensor) const;
    void compare_outputs(const Spot& spot, const Case& judged, Check& check) const;

    const TaskLayout& m_layout;
    SharedBuffers& m_buffers;
    std::unique_ptr<CandidateRun> m_run;
    std::optional<CandidateFault> m_load_fault;
    double m_overhead_ns = 0;
};

}  // namespace atl
