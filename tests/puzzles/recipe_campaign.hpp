#pragma once

#include "search/recipes.hpp"
#include "search/replay.hpp"
#include "tests/puzzles/puzzle.hpp"
#include "tests/unit/search/model_campaign_fixture.hpp"

#include <set>
#include <string>
#include <vector>

namespace atl::testing {

/// The program with these genes; of another height it has another length.
[[nodiscard]] std::string ladder_program(const Genome& genome);
/// The genes of the program that a prompt shows last.
[[nodiscard]] Genome last_shown(const std::string& prompt);

/// A model that is told what to write and asked through its prompts alone: it reads the last
/// program that it is shown, moves one gene by one, and answers in the form that the prompt asks
/// for. Knows nothing of fitness. A pure function of the call.
[[nodiscard]] Expected<ChatReply> small_edit(const ChatCall& call);

/// A campaign on the ladder: two genes to climb, and a third that counts for nothing but that
/// a fifth of its values make a program wrong, so that something fails.
class RecipeCampaign : public ModelCampaign {
  public:
    /// The recipe as it is shipped, with models "coder" and "other", `evaluations` as its budget
    /// and ticket order. `keys` as `atoll run --set` takes them.
    explicit RecipeCampaign(const std::string& recipe, std::int64_t evaluations = 200,
                            const std::vector<std::string>& keys = {});

    /// Runs it and tells whether an individual became this fit within the budget.
    bool solves(double fitness);
    /// Runs it and expects that its decisions, taken again, are the same.
    EngineReport play();

    template <class T>
    [[nodiscard]] std::vector<T> all() const {
        std::vector<T> found;
        for (const Event& event : events()) {
            if (const auto* one = std::get_if<T>(&event)) {
                found.push_back(*one);
            }
        }
        return found;
    }
    /// Tickets whose operator asks a model.
    [[nodiscard]] std::vector<TicketIssued> asked() const;

    std::vector<std::string> heard;  ///< what models were asked: the last message of each call
    InstantModel::Answer answer = small_edit;

  private:
    std::mutex m_mutex;
    std::unique_ptr<InstantModel> m_model;
};

[[nodiscard]] std::size_t count_role(const TicketIssued& ticket, ParentRole role);

}  // namespace atl::testing
