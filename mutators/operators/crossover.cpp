#include "mutators/operators/crossover.hpp"

#include "mutators/knobs.hpp"
#include "mutators/regions.hpp"

#include <algorithm>

namespace atl {

namespace {

constexpr int k_draws = 16;  // children tried before everything counts as known

std::vector<std::size_t> differing(const KnobSetting& a, const KnobSetting& b) {
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (a[i] != b[i]) {
            places.push_back(i);
        }
    }
    return places;
}

// One bool per differing gene: whether it comes from the partner. Neither all nor none.
std::vector<bool> draw_mask(std::size_t genes, bool one_point, CounterRng& rng) {
    std::vector<bool> mask(genes);
    if (one_point) {
        const std::size_t cut = 1 + rng.below(genes - 1);
        const bool head = rng.below(2) == 0;
        for (std::size_t i = 0; i < genes; ++i) {
            mask[i] = (i < cut) == head;
        }
        return mask;
    }
    for (std::size_t i = 0; i < genes; ++i) {
        mask[i] = rng.below(2) == 0;
    }
    if (std::adjacent_find(mask.begin(), mask.end(), std::not_equal_to<>()) == mask.end()) {
        const std::size_t flip = rng.below(genes);
        mask[flip] = !mask[flip];
    }
    return mask;
}

Proposal exchange_values(const ParentView& base, const ParentView& partner, CounterRng& rng) {
    const std::vector<Knob>& knobs = base.parts->knobs;
    const KnobSetting& from = base.setting;
    const KnobSetting& other = partner.setting;
    KnobSetting child = from;
    const std::vector<std::size_t> genes = differing(child, other);
    const bool one_point = rng.below(2) == 0;
    const std::vector<bool> mask = draw_mask(genes.size(), one_point, rng);
    for (std::size_t i = 0; i < genes.size(); ++i) {
        if (mask[i]) {
            child[genes[i]] = other[genes[i]];
        }
    }
    Proposal proposal;
    proposal.candidate = with_setting(knobs, child, base.candidate);
    proposal.description = std::string(one_point ? "one-point" : "uniform") + " crossover of " +
                           base.id.text() + " with " + partner.id.text() +
                           "; from the partner: " + describe_change(knobs, from, child);
    return proposal;
}

Proposal exchange_regions(const ParentView& base, const ParentView& partner, CounterRng& rng) {
    const std::vector<std::string> shared =
        shared_regions(base.parts->regions, partner.parts->regions);
    std::vector<std::string> taken;
    for (const std::string& name : shared) {
        if (rng.below(2) == 0) {
            taken.push_back(name);
        }
    }
    if (taken.empty()) {
        taken.push_back(shared[rng.below(shared.size())]);
    }
    Proposal proposal;
    proposal.candidate = graft_regions(base.candidate, partner.candidate, taken);
    std::string names;
    for (const std::string& name : taken) {
        names += (names.empty() ? "" : ", ") + name;
    }
    proposal.description = "crossover of " + base.id.text() + " (" + base.starter + ") with " +
                           partner.id.text() + " (" + partner.starter +
                           "); from the partner: region " + names;
    return proposal;
}

bool same_text(const ParentView& a, const ParentView& b) {
    return a.candidate.source == b.candidate.source;
}

OperatorRun run_crossover(OperatorInput in) {
    const ParentView base = in.parents.at(0);
    const ParentView partner = in.parents.at(1);
    for (int draw = 0; draw < k_draws; ++draw) {
        Proposal proposal = same_text(base, partner) ? exchange_values(base, partner, in.rng)
                                                     : exchange_regions(base, partner, in.rng);
        if (in.known && in.known(proposal.candidate)) {
            continue;
        }
        co_await ask(std::move(proposal));
        co_return;
    }
}

}  // namespace

bool Crossover::applicable(const Task&, const ParentView& base, const ParentView* partner) const {
    if (partner == nullptr) {
        return false;
    }
    if (!same_text(base, *partner)) {
        return !shared_regions(base.parts->regions, partner->parts->regions).empty();
    }
    // With one difference the child would be one of its parents.
    return differing(base.setting, partner->setting).size() > 1;
}

OperatorRun Crossover::start(const OperatorInput& input) const {
    return run_crossover(input);
}

}  // namespace atl
