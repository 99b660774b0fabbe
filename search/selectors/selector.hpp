#pragma once

#include "reward/base/rng.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace atl {

/// What a selector may look at.
struct SelectorEntry {
    double fitness = 0;
    std::uint64_t children = 0;
    std::uint64_t visits = 0;  ///< CampaignState::visits_of()
};

struct Selection {
    std::size_t index = 0;
    double probability = 1;  ///< with which `index` was chosen
};

/// Chooses a parent: gives the probability of each entry. A pure function, so that the choice can
/// be replayed and its probability recorded. Entries come best first; there is at least one.
template <class T>
concept SelectorPolicy = std::copyable<T> && requires(const T c, std::span<const SelectorEntry> e) {
    { c.probabilities(e) } -> std::same_as<std::vector<double>>;  // sums to 1
};

/// Any selector, chosen by name from the config. An immutable value.
class Selector {
  public:
    template <class T>
    requires(!std::same_as<T, Selector> && SelectorPolicy<T>)  // a copy is no policy
        explicit Selector(T policy)
        : m_self(std::make_shared<Model<T>>(std::move(policy))) {}

    [[nodiscard]] std::vector<double> probabilities(std::span<const SelectorEntry> entries) const {
        return m_self->probabilities(entries);
    }
    /// REQUIRES entries not to be empty.
    [[nodiscard]] Selection select(std::span<const SelectorEntry> entries, CounterRng& rng) const;

  private:
    struct Base {
        virtual ~Base() = default;
        [[nodiscard]] virtual std::vector<double> probabilities(
            std::span<const SelectorEntry>) const = 0;
    };
    template <class T>
    struct Model final : Base {
        explicit Model(T p) : policy(std::move(p)) {}
        [[nodiscard]] std::vector<double> probabilities(
            std::span<const SelectorEntry> entries) const override {
            return policy.probabilities(entries);
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
