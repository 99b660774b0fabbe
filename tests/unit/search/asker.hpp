#pragma once

#include "mutators/operators/registry.hpp"
#include "mutators/operators/tune.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace atl::testing {

/// Tunes, but says that it asks a model; keeps what it is told.
struct Asker {
    struct Told {
        std::string strategy;
        StepSize step = StepSize::none;
        std::size_t inspirations = 0;
    };

    std::shared_ptr<std::vector<Told>> told;
    Tune tune{"local"};

    [[nodiscard]] std::string name() const { return "asker"; }
    [[nodiscard]] int arity() const { return 1; }
    [[nodiscard]] bool asks_model() const { return true; }
    [[nodiscard]] bool applicable(const Task& task, const ParentView& base,
                                  const ParentView* partner) const {
        return tune.applicable(task, base, partner);
    }
    [[nodiscard]] OperatorRun start(const OperatorInput& in) const {
        Told all{in.strategy, in.step, 0};
        for (const ParentView& parent : in.parents) {
            all.inspirations += parent.role == ParentRole::inspiration ? 1 : 0;
        }
        told->push_back(all);
        return tune.start(in);
    }
};

/// Gives what runs of it are told.
inline std::shared_ptr<std::vector<Asker::Told>> add_asker(OperatorRegistry& registry) {
    auto told = std::make_shared<std::vector<Asker::Told>>();
    registry.add("asker", [told](const auto&) { return Operator(Asker{told}); });
    return told;
}

}  // namespace atl::testing
