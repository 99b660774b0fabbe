#pragma once

#include "population/campaign_state.hpp"
#include "population/lineage/lineage_view.hpp"

#include <optional>
#include <string>
#include <vector>

namespace atl {

/// A campaign in numbers. Pure function of its events; times are since the campaign's start. What a
/// confirmation turned down is counted, but is nowhere the best.
struct LineageSummary {
    struct OutcomeCount {
        Outcome outcome;
        std::uint64_t count = 0;
    };
    struct Island {
        std::uint32_t island = 0;
        std::uint64_t individuals = 0;  ///< born here and committed, duplicates included
        std::uint64_t correct = 0;
        std::uint64_t migrants = 0;  ///< arrived
        std::optional<IndividualId> best;
        double best_fitness = 0;
        std::uint64_t kept = 0;             ///< in its archive now
        std::vector<std::string> starters;  ///< structures alive in its archive, sorted
    };
    struct Operator {
        std::string name;
        std::uint64_t issued = 0;
        std::uint64_t committed = 0;
        std::uint64_t failed = 0;
        std::uint64_t evaluations = 0;  ///< duplicates not counted
        std::uint64_t duplicates = 0;
        std::uint64_t correct = 0;
        std::uint64_t improved = 0;  ///< commits with reward > 0
        double mean_reward = 0;      ///< over commits
        double best_fitness = 0;
        double compile_seconds = 0;
        double device_seconds = 0;
        /// Of committed children that carry a prediction; duplicates not counted.
        struct Predictions {
            std::uint64_t count = 0;
            std::uint64_t right = 0;     ///< came out right: these have a real gain
            double predicted_gain = 0;   ///< geometric mean over the right ones; 0: none
            double real_gain = 0;        ///< of fitness over the base parent's; likewise
            std::uint64_t accurate = 0;  ///< real over predicted within 0.8 to 1.2
        } predictions = {};
    };
    /// What a model made of an operator's questions. Tickets in flight are left out.
    struct Model {
        std::string model;
        std::string operator_name;
        std::uint64_t tickets = 0;  ///< that got a reply
        std::uint64_t calls = 0;
        std::uint64_t failed = 0;  ///< without a reply
        /// Tickets whose first child came without a second try (with as few calls as any ticket of
        /// the operator took), and of these: that compiled and (CUDA) had a plan; that were right.
        std::uint64_t first_try = 0;
        std::uint64_t first_compiled = 0;
        std::uint64_t first_right = 0;
        std::uint64_t right = 0;  ///< tickets of which anything right came
        std::int64_t prompt_tokens = 0;
        std::int64_t cached_tokens = 0;
        std::int64_t completion_tokens = 0;
        std::int64_t nano_dollars = 0;
    };
    struct Step {  ///< the best so far rose
        std::uint64_t evaluations = 0;
        std::int64_t at_ns = 0;
        double fitness = 0;
        IndividualId id;
    };
    struct Migration {
        IndividualId individual;
        std::uint32_t from = 0;
        std::uint32_t to = 0;
        std::uint64_t after_commit = 0;
    };

    std::string task;
    std::string device;
    std::string atoll_version;
    std::uint64_t seed = 0;
    std::uint64_t sessions = 0;
    std::int64_t elapsed_ns = 0;
    std::string stop_reason;  ///< empty while running or after a kill
    bool finished = false;
    std::uint64_t tickets = 0;
    std::uint64_t committed = 0;
    std::uint64_t failed = 0;
    std::uint64_t in_flight = 0;
    std::uint64_t evaluations = 0;
    std::uint64_t duplicates = 0;
    std::uint64_t turned_down = 0;       ///< proposals too similar to what was known
    std::vector<OutcomeCount> outcomes;  ///< those that occurred, duplicates not counted
    std::vector<Island> islands;
    std::vector<Operator> operators;  ///< by name
    std::vector<Model> models;        ///< by model and operator
    std::uint64_t resets = 0;         ///< times that islands began anew
    std::uint64_t migrations = 0;
    std::vector<Migration> ancestral_migrations;  ///< that brought an ancestor of the best
    std::optional<IndividualId> best;
    std::string best_operator;
    double best_fitness = 0;
    std::optional<double> confirmed_fitness;  ///< of the best
    std::vector<Step> progress;
};

/// `state` is the fold of the same events; without it archives are left out.
[[nodiscard]] LineageSummary summarize(const LineageView& view, const CampaignState* state);

/// For people, with a chart of the best so far. One JSON object for programs.
[[nodiscard]] std::string to_text(const LineageSummary& summary);
[[nodiscard]] std::string to_json(const LineageSummary& summary);

}  // namespace atl
