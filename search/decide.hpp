#pragma once

#include "population/campaign_state.hpp"
#include "reward/task.hpp"
#include "search/bandits/bandit.hpp"
#include "search/candidate_store.hpp"
#include "search/config.hpp"
#include "search/selectors/selector.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace atl {

/// The strategies that a config names, made once.
struct Strategies {
    struct WeightedOperator {
        Operator op;
        double weight = 1;
    };
    /// A model or a strategy.
    struct Choice {
        std::string name;
        double weight = 1;
        std::string text = {};  ///< of a strategy
    };

    /// REQUIRES that the config gives an operator of the registry a weight.
    explicit Strategies(const CampaignConfig& config,
                        const OperatorRegistry& registry = shipped_operators());
    /// nullptr when the config does not use it.
    [[nodiscard]] const Operator* find(const std::string& name) const;
    /// Whether some operator's prompt tells what the campaign has learned.
    [[nodiscard]] bool tells_memory() const;
    /// The text of a strategy; empty for a name that is empty or not known.
    [[nodiscard]] std::string strategy_text(const std::string& name) const;

    std::uint64_t seed;
    bool models_rest;  ///< while none answers: asking.when_down is "continue"
    Selector selector;
    std::size_t shown_above;  ///< individuals above the base where a step is large
    Bandit bandit;
    MemorySettings memory;
    std::vector<WeightedOperator> operators;
    Bandit model_bandit;
    std::vector<Choice> models;
    Bandit strategy_bandit;
    IntensitySettings intensity;
    std::vector<Choice> strategies;
};

/// The decision of a ticket: a pure function of the state, the ticket's number and the campaign's
/// seed and strategies (times are left zero). Order of the choices, each recorded with its
/// probability given those before:
///   island    among those with a member that can be a base, the one with the fewest tickets, ties
///             at random
///   base      by the selector, among members to which some operator is applicable; in a share
///             of tickets any of them (search/intensity.hpp)
///   operator  by the bandit, among those applicable to the base, or to it and some other member
///   model     by its bandit, and a strategy by its own, if the operator asks models and the config
///             has any
///   partner   if the operator needs one: by the selector, among members it is applicable with
///   step      directly after the base, if the selector decides it (selectors/uct.hpp)
///   above     where the step is large: the best of each part above the base in the tree, as
///             inspirations with probability 1
///   programs that a model is shown beside them, if it has a prompt for such: add_shown_programs()
/// An operator that mends wrong individuals has a budget of its own: on an island where some wait
/// (IslandState::wrong), a ticket goes to it with the share that its weight has of all weights,
/// whatever the bandit thinks of it; the base is then one of those, each as probable as the others,
/// and what is said above of base and operator is given that the ticket does not.
/// nullopt when no operator can do anything with any member of any island.
[[nodiscard]] Expected<std::optional<TicketIssued>> decide_ticket(const CampaignState& state,
                                                                  const Strategies& strategies,
                                                                  const TaskPtr& task,
                                                                  CandidateStore& candidates,
                                                                  std::uint64_t ticket);

/// Where starters go: (island, index of the starter) per step of ticket 0. The first is always the
/// task's first starter, the baseline.
struct StarterPlace {
    std::uint32_t island = 0;
    std::size_t starter = 0;
};
[[nodiscard]] std::vector<StarterPlace> place_starters(const IslandSettings& settings,
                                                       std::size_t starters);

}  // namespace atl
