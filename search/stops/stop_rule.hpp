#pragma once

#include "population/campaign_state.hpp"

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace atl {

/// What a stop rule may look at.
struct StopView {
    const CampaignState& state;
    std::uint64_t evaluations = 0;  ///< that count now: all, or only committed ones (ticket order)
    std::int64_t elapsed_ns = 0;    ///< searching time of all sessions
};

/// Says when a campaign is over, and why, in words for the user.
template <class T>
concept StopPolicy = std::copyable<T> && requires(const T c, const StopView& view) {
    { c.reason(view) } -> std::same_as<std::optional<std::string>>;
};

/// Any stop rule. An immutable value.
class StopRule {
  public:
    template <class T>
    requires(!std::same_as<T, StopRule> && StopPolicy<T>)  // a copy is no policy
        explicit StopRule(T policy)
        : m_self(std::make_shared<Model<T>>(std::move(policy))) {}
    [[nodiscard]] std::optional<std::string> reason(const StopView& view) const {
        return m_self->reason(view);
    }

  private:
    struct Base {
        virtual ~Base() = default;
        [[nodiscard]] virtual std::optional<std::string> reason(const StopView&) const = 0;
    };
    template <class T>
    struct Model final : Base {
        explicit Model(T p) : policy(std::move(p)) {}
        [[nodiscard]] std::optional<std::string> reason(const StopView& view) const override {
            return policy.reason(view);
        }
        T policy;
    };
    std::shared_ptr<const Base> m_self;
};

/// Satisfied as soon as one of its rules is; the first in order gives the reason.
struct AnyOf {
    std::vector<StopRule> rules;
    [[nodiscard]] std::optional<std::string> reason(const StopView& view) const;
};

struct StopSettings;

/// The union of all rules that the settings switch on.
[[nodiscard]] StopRule make_stop_rule(const StopSettings& settings);

}  // namespace atl
