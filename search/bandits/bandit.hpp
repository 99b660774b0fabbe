#pragma once

#include "population/campaign_state.hpp"

#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace atl {

/// What can be chosen: an operator that could be applied to the chosen base, a model, a strategy.
struct Arm {
    ArmStats stats;
    double weight = 1;  ///< from the config
};

/// Shares tickets among arms: gives each its probability. Pure; the probability of what is chosen
/// is recorded with the decision. There is at least one arm; weights are above 0.
///
/// What an arm earns by a ticket (TicketCommitted::reward) is the relative improvement of the
/// ticket's best over the better of its parents and its island's best at the commit, cut to [0, 1]
/// and divided by the evaluations spent, so that a costly operator must be as good per evaluation.
template <class T>
concept BanditPolicy = std::copyable<T> && requires(const T c, std::span<const Arm> arms) {
    { c.probabilities(arms) } -> std::same_as<std::vector<double>>;  // sums to 1
};

/// Any bandit, chosen by name from the config. An immutable value.
class Bandit {
  public:
    template <class T>
    requires(!std::same_as<T, Bandit> && BanditPolicy<T>)  // a copy is no policy
        explicit Bandit(T policy)
        : m_self(std::make_shared<Model<T>>(std::move(policy))) {}
    [[nodiscard]] std::vector<double> probabilities(std::span<const Arm> arms) const {
        return m_self->probabilities(arms);
    }

  private:
    struct Base {
        virtual ~Base() = default;
        [[nodiscard]] virtual std::vector<double> probabilities(std::span<const Arm>) const = 0;
    };
    template <class T>
    struct Model final : Base {
        explicit Model(T p) : policy(std::move(p)) {}
        [[nodiscard]] std::vector<double> probabilities(std::span<const Arm> arms) const override {
            return policy.probabilities(arms);
        }
        T policy;
    };
    std::shared_ptr<const Base> m_self;
};

struct BanditSettings;

[[nodiscard]] const std::vector<std::string>& bandit_names();
/// The bandit of that name, behind a mask where settings.mask_after is not 0. REQUIRES
/// settings.bandit to be one of bandit_names() (the config reader checks).
[[nodiscard]] Bandit make_bandit(const BanditSettings& settings);

}  // namespace atl
