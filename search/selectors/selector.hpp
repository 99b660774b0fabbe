#pragma once

#include "reward/base/rng.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace atl {

inline constexpr std::size_t k_no_parent = std::numeric_limits<std::size_t>::max();

/// What a tree search knows of an entry (SearchTree::Node); of use only where the config's selector
/// is one that looks at it (StateSettings::tree).
struct TreeEntry {
    std::size_t parent = k_no_parent;  ///< place among the entries; none there: k_no_parent
    std::uint64_t visits = 1;
    std::uint64_t expansions = 0;
    std::uint64_t small_steps = 0;
    double reward_sum = 0;
    double reward_max = 0;

    /// alpha max + (1 - alpha) mean.
    [[nodiscard]] double reward(double alpha) const {
        return alpha * reward_max + (1 - alpha) * reward_sum / static_cast<double>(visits);
    }
};

/// What a selector may look at. Each field is had at a cost that does not grow with the population.
struct SelectorEntry {
    double fitness = 0;
    std::uint64_t children = 0;
    std::uint64_t visits = 0;               ///< CampaignState::visits_of()
    std::size_t length = 0;                 ///< of its source, bytes
    std::span<const double> measures = {};  ///< Individual::measures
    double curiosity = 0;                   ///< CampaignState::curiosity_of()
    TreeEntry tree = {};
    bool founder = false;  ///< has no parents: a starter
};

/// What it may know of the island.
struct SelectionFacts {
    std::uint64_t programs = 0;  ///< IslandState::programs
    /// Of the choices, the share that is any entry, all alike, in place of the policy's choice
    /// (search/intensity.hpp); policies do not look at it, and what is recorded is the probability
    /// of both.
    double exploring = 0;
};

struct Selection {
    std::size_t index = 0;
    double probability = 1;  ///< with which `index` was chosen
};

/// Chooses a parent: gives the probability of each entry. A pure function, so that the choice can
/// be replayed and its probability recorded. Entries come best first; there is at least one. One
/// that needs SelectionFacts takes them as a second argument. One that decides how large a step is
/// to be has `double large_step(const SelectorEntry& chosen) const`, the probability of a large
/// one.
template <class T>
concept SelectorPolicy = std::copyable<T> &&(
    requires(const T c, std::span<const SelectorEntry> e) {
        { c.probabilities(e) } -> std::same_as<std::vector<double>>;  // sums to 1
    } ||
    requires(const T c, std::span<const SelectorEntry> e, const SelectionFacts& f) {
        { c.probabilities(e, f) } -> std::same_as<std::vector<double>>;
    });

/// Any selector, chosen by name from the config. An immutable value.
class Selector {
  public:
    template <class T>
    requires(!std::same_as<T, Selector> && SelectorPolicy<T>)  // a copy is no policy
        explicit Selector(T policy)
        : m_self(std::make_shared<Model<T>>(std::move(policy))) {}

    [[nodiscard]] std::vector<double> probabilities(std::span<const SelectorEntry> entries,
                                                    const SelectionFacts& facts = {}) const {
        return m_self->probabilities(entries, facts);
    }
    /// REQUIRES entries not to be empty.
    [[nodiscard]] Selection select(std::span<const SelectorEntry> entries, CounterRng& rng,
                                   const SelectionFacts& facts = {}) const;
    /// The probability that the step from what was chosen is to be a large one; nullopt where the
    /// selector leaves that open.
    [[nodiscard]] std::optional<double> large_step(const SelectorEntry& chosen) const {
        return m_self->large_step(chosen);
    }

  private:
    struct Base {
        virtual ~Base() = default;
        [[nodiscard]] virtual std::vector<double> probabilities(std::span<const SelectorEntry>,
                                                                const SelectionFacts&) const = 0;
        [[nodiscard]] virtual std::optional<double> large_step(const SelectorEntry&) const = 0;
    };
    template <class T>
    struct Model final : Base {
        explicit Model(T p) : policy(std::move(p)) {}
        [[nodiscard]] std::vector<double> probabilities(
            std::span<const SelectorEntry> entries, const SelectionFacts& facts) const override {
            if constexpr (requires { policy.probabilities(entries, facts); }) {
                return policy.probabilities(entries, facts);
            } else {
                return policy.probabilities(entries);
            }
        }
        [[nodiscard]] std::optional<double> large_step(const SelectorEntry& chosen) const override {
            if constexpr (requires { policy.large_step(chosen); }) {
                return policy.large_step(chosen);
            }
            return std::nullopt;
        }
        T policy;
    };
    std::shared_ptr<const Base> m_self;
};

struct SelectorSettings;

[[nodiscard]] const std::vector<std::string>& selector_names();
/// REQUIRES settings.name to be one of selector_names() (the config reader checks).
[[nodiscard]] Selector make_selector(const SelectorSettings& settings);

}  // namespace atl
