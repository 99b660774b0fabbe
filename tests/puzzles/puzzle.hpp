#pragma once

#include "mutators/operator.hpp"
#include "tests/unit/search/campaign_fixture.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace atl::testing {

/// A program as the scripted operators see it: one number per marked region.
using Genome = std::map<std::string, int>;

/// `head` (tune macros) and one region `int NAME = VALUE;` per gene.
[[nodiscard]] std::string write_source(const Genome& genome, const std::string& head = {});
[[nodiscard]] Genome read_genome(const std::string& source);

/// The definition of a macro for the tune operator: values 1, 2, ... `values`, of which 1 is the
/// default.
[[nodiscard]] std::string macro_definition(const std::string& name, int values);
/// What the macro of that definition stands at.
[[nodiscard]] int macro_value(const Candidate& candidate, const std::string& name);

/// Stands for whoever writes programs, a model for example: knows nothing of fitness, edits the
/// candidate blindly. `edit` may change genes, tune values and flags.
class Scripted {
  public:
    struct Draft {
        Genome genome;
        std::map<std::string, std::string> tune;
    };
    using Edit = std::function<void(Draft&, CounterRng&)>;

    Scripted(std::string name, Edit edit) : m_name(std::move(name)), m_edit(std::move(edit)) {}

    [[nodiscard]] std::string name() const { return m_name; }
    [[nodiscard]] int arity() const { return 1; }
    [[nodiscard]] bool applicable(const Task&, const ParentView&, const ParentView*) const {
        return true;
    }
    [[nodiscard]] OperatorRun start(const OperatorInput& input) const;

  private:
    std::string m_name;
    Edit m_edit;
};

/// A tiny task with a known optimum, and how an engine that has every mechanism is set up for it.
struct Puzzle {
    std::vector<Starter> starters;
    /// How fast a candidate is, in any unit; fitness is relative to the first starter.
    std::function<double(const Candidate&)> speed;
    double optimum = 0;               ///< the largest speed there is
    std::vector<Scripted> operators;  ///< beside the shipped ones
    CampaignConfig config;            ///< names all operators that it uses
    std::int64_t allowed = 0;         ///< evaluations
};

/// A config to start from: ticket order, so that a seed decides everything; no confirmation before
/// the end.
[[nodiscard]] CampaignConfig puzzle_config();

/// What became of 20 seeds.
struct Played {
    std::vector<std::uint64_t> needed;  ///< evaluations of each seed that solved it, sorted
    [[nodiscard]] int solved() const { return static_cast<int>(needed.size()); }
    [[nodiscard]] std::string text() const;
};

inline constexpr int k_seeds = 20;
inline constexpr int k_must_solve = 19;
inline constexpr int k_may_solve = 5;  ///< with the mechanism switched off

/// Plays seeds 1 to 20 with `config` in place of the puzzle's. Each campaign runs on the real
/// engine with a journal of its own; the replay of the first one must take the same decisions.
[[nodiscard]] Played play(const Puzzle& puzzle, const CampaignConfig& config);

struct Without {
    const char* mechanism;
    CampaignConfig config;  ///< the puzzle's, with the mechanism switched off
};

/// Both directions: the puzzle is solved as it is, and missed without any one of the mechanisms.
void expect_needed(const Puzzle& puzzle, const std::vector<Without>& mechanisms);

}  // namespace atl::testing
