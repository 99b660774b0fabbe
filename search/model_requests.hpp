#pragma once

#include "mutators/model/chat.hpp"
#include "mutators/model/model_settings.hpp"
#include "mutators/operator.hpp"
#include "population/event.hpp"
#include "search/config.hpp"

namespace atl {

/// Makes an operator's questions requests to the ticket's model, as the config says. Immutable.
class ModelRequests {
  public:
    /// `config` must outlive it.
    explicit ModelRequests(const CampaignConfig& config) : m_config(&config) {}

    /// The same for the same ticket and question, whoever asks when.
    [[nodiscard]] ChatRequest request(const TicketIssued& issued, Question question) const;
    /// Fills in what the reply took, and what that costs where the model has a price.
    void note_usage(ModelExchanged& event, const ChatReply& reply) const;

  private:
    const CampaignConfig* m_config;
};

}  // namespace atl
