#include "search/insight_run.hpp"

#include "mutators/memory/insights.hpp"
#include "mutators/model/chat_json.hpp"
#include "mutators/model/exchange_record.hpp"

#include <utility>

namespace atl {

Expected<InsightRun> InsightRun::start(InsightContext context) {
    const CampaignState& state = context.ledger.state();
    ATOLL_TRY_ASSIGN(PromptMaterial material,
                     context.memory.insight_material(state, context.candidates));
    ATOLL_TRY_ASSIGN(
        const Prompt prompt,
        context.prompts.make(k_insight_prompt, std::move(material),
                             static_cast<std::size_t>(context.config.asking.prompt_tokens)));
    TicketIssued nobody;  // but for the model, what is asked is as for any ticket
    nobody.model = context.config.models.front().name;
    ChatRequest request = context.requests.request(nobody, {prompt.system, prompt.user});
    ATOLL_TRY(check_chat_request(request));
    return InsightRun(std::move(context), std::move(request), whole_prompt(prompt));
}

Status InsightRun::record_exchange(const Expected<ChatReply>& reply) {
    Ledger& ledger = m_context.ledger;
    ModelExchanged event;
    event.ticket = ModelExchanged::k_no_ticket;
    event.model = m_request.model;
    event.at_ns = m_context.now_ns();
    event.seconds = static_cast<double>(event.at_ns - m_asked_ns) / 1e9;
    ATOLL_TRY_ASSIGN(event.request, ledger.put_text(request_text(m_request)));
    if (reply) {
        ATOLL_TRY_ASSIGN(event.reply, ledger.put_text(write_chat_reply(*reply)));
        m_context.requests.note_usage(event, *reply);
    } else {
        event.error_code = to_string(reply.error().code);
        event.error = reply.error().message();
    }
    return ledger.record(std::move(event));
}

Status InsightRun::answer(const Expected<ChatReply>& reply) {
    if (!reply && reply.error().code == ErrorCode::interrupted) {
        return {};
    }
    ATOLL_TRY(record_exchange(reply));
    Ledger& ledger = m_context.ledger;
    InsightNoted noted;
    noted.after_commit = m_after_commit;
    noted.model = m_request.model;
    ATOLL_TRY_ASSIGN(noted.prompt, ledger.put_text(m_prompt));
    if (reply) {
        const std::string& text = reply->choices.front().content;
        ATOLL_TRY_ASSIGN(noted.reply, ledger.put_text(text));
        noted.items = insight_items(text);
    }
    noted.at_ns = m_context.now_ns();
    return ledger.record(std::move(noted));
}

}  // namespace atl
