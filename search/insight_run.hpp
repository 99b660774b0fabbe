#pragma once

#include "mutators/model/chat.hpp"
#include "mutators/prompts/prompts.hpp"
#include "search/candidate_store.hpp"
#include "search/config.hpp"
#include "search/ledger.hpp"
#include "search/model_requests.hpp"
#include "search/prompt_memory.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace atl {

/// What the insights of a campaign share. References must outlive them.
struct InsightContext {
    const CampaignConfig& config;
    Prompts& prompts;
    PromptMemory& memory;
    Ledger& ledger;
    CandidateStore& candidates;
    const ModelRequests& requests;
    std::function<std::int64_t()> now_ns;  ///< searching time
};

/// One time that a model, the first of the config, is asked what the campaign has taught
/// (insight_due()). The exchange and what is kept of it are recorded, so that a resume and a replay
/// ask nobody. Not thread-safe.
class InsightRun {
  public:
    /// REQUIRES a config with a model. Errors: those of Prompts::make().
    [[nodiscard]] static Expected<InsightRun> start(InsightContext context);

    [[nodiscard]] const ChatRequest& request() const { return m_request; }
    /// Records the answer, or that there was none; nothing where the end of the campaign cut it
    /// off: a resume asks again.
    [[nodiscard]] Status answer(const Expected<ChatReply>& reply);

  private:
    InsightRun(InsightContext context, ChatRequest request, std::string prompt)
        : m_context(std::move(context)),
          m_request(std::move(request)),
          m_prompt(std::move(prompt)),
          m_after_commit(m_context.ledger.state().commits()),
          m_asked_ns(m_context.now_ns()) {}

    [[nodiscard]] Status record_exchange(const Expected<ChatReply>& reply);

    InsightContext m_context;
    ChatRequest m_request;
    std::string m_prompt;
    std::uint64_t m_after_commit;
    std::int64_t m_asked_ns;
};

}  // namespace atl
