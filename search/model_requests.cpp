#include "search/model_requests.hpp"

#include "mutators/model/prices.hpp"

#include <algorithm>
#include <utility>

namespace atl {

namespace {

// Where the config has no models, an embedding program may have one of its own.
std::string model_of(const TicketIssued& issued) {
    return issued.model.empty() ? "none" : issued.model;
}

}  // namespace

ChatRequest ModelRequests::request(const TicketIssued& issued, Question question) const {
    ChatRequest request;
    request.model = model_of(issued);
    request.messages = {{ChatRole::system, std::move(question.system)},
                        {ChatRole::user, std::move(question.user)}};
    if (!question.peer.empty()) {
        request.model = question.peer;
        return request;
    }
    const AskingSettings& asking = m_config->asking;
    if (asking.temperature >= 0) {
        request.temperature = asking.temperature;
    }
    if (asking.max_tokens > 0) {
        request.max_tokens = asking.max_tokens;
    }
    return request;
}

void ModelRequests::note_usage(ModelExchanged& event, const ChatReply& reply) const {
    if (!reply.usage) {
        return;
    }
    event.prompt_tokens = reply.usage->prompt;
    event.cached_tokens = reply.usage->cached;
    event.completion_tokens = reply.usage->completion;
    event.reasoning_tokens = reply.usage->reasoning;
    const auto model =
        std::find_if(m_config->models.begin(), m_config->models.end(),
                     [&](const ModelSettings& one) { return one.name == event.model; });
    if (model != m_config->models.end() && model->price) {
        event.nano_dollars = cost_of(*reply.usage, *model->price);
    }
}

}  // namespace atl
