#include "search/asking.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <functional>
#include <optional>
#include <utility>

namespace atl {

namespace asio = boost::asio;

Asking::Asking(WorkLoop& loop, ChatModel* model)
    : m_io(loop.io()),
      m_model(model),
      m_port([this](std::function<void()> work) { asio::post(m_io, std::move(work)); }) {}

Asking::Answer Asking::ask(ChatCall call) {
    if (m_model == nullptr) {
        co_return failure(ErrorCode::not_found, "the campaign has no model to ask",
                          call.request.model);
    }
    call.cancel = m_cancel.get_token();
    std::optional<Expected<ChatReply>> answer;
    asio::steady_timer arrived(m_io, asio::steady_timer::time_point::max());
    ++m_in_work;
    m_model->submit(std::move(call), m_port.expect([&](Expected<ChatReply> reply) {
        answer = std::move(reply);
        arrived.cancel();
    }));
    while (!answer) {
        boost::system::error_code ignored;
        co_await arrived.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    --m_in_work;
    co_return std::move(*answer);
}

void Asking::abandon() {
    m_cancel.request_stop();
    m_cancel = std::stop_source();
    m_port.abandon(failure(ErrorCode::interrupted, "the campaign stopped waiting for it"));
}

}  // namespace atl
