#pragma once

#include "tests/unit/search/campaign_fixture.hpp"

#include <memory>
#include <string>
#include <vector>

namespace atl::testing {

/// Stands for one that asks a model: what it does with its parents does not matter here.
class Showing {
  public:
    explicit Showing(ShownBlocks blocks) : m_blocks(blocks) {}
    [[nodiscard]] std::string name() const { return "showing"; }
    [[nodiscard]] int arity() const { return 1; }
    [[nodiscard]] bool applicable(const Task&, const ParentView&, const ParentView*) const {
        return true;
    }
    [[nodiscard]] OperatorRun start(const OperatorInput& input) const { return run(input); }
    [[nodiscard]] ShownBlocks shows() const { return m_blocks; }

  private:
    static OperatorRun run(OperatorInput in) {
        Proposal child;
        child.candidate = in.parents.at(0).candidate;
        child.description = "showing: changed";
        for (const char* knob : {"TILE", "UNROLL", "WIDTH"}) {
            child.candidate.tune[knob] = std::to_string(1 << in.rng.below(8));
        }
        child.candidate.source += "// " + std::to_string(in.rng.below(1000)) + "\n";
        co_await ask(child);
    }
    ShownBlocks m_blocks;
};

/// Makes it the only operator of the campaign.
inline void use_showing(Campaign& campaign, ShownBlocks blocks) {
    campaign.operators.add("showing", [blocks](const auto&) { return Operator(Showing(blocks)); });
    campaign.config.mix.weights = {{"showing", 1}};
}

}  // namespace atl::testing
