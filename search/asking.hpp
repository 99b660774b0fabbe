#pragma once

#include "mutators/model/chat_model.hpp"
#include "search/answer_port.hpp"
#include "search/work_loop.hpp"

#include <cstddef>
#include <stop_token>

namespace atl {

/// A campaign's questions to language models that are in work. Requests wait, time out and are
/// tried again in the model (ModelClient), nowhere else. Used on the loop's thread; references must
/// outlive it.
class Asking {
  public:
    /// `model`: nullptr for a campaign without models; then each question is an error.
    Asking(WorkLoop& loop, ChatModel* model);

    using Answer = boost::asio::awaitable<Expected<ChatReply>>;
    [[nodiscard]] Answer ask(ChatCall call);

    [[nodiscard]] std::size_t in_work() const { return m_in_work; }
    /// Answers everything in work with an error of code interrupted, and has the requests ended.
    void abandon();

  private:
    boost::asio::io_context& m_io;
    ChatModel* m_model;
    std::size_t m_in_work = 0;
    std::stop_source m_cancel;
    AnswerPort<Expected<ChatReply>> m_port;
};

}  // namespace atl
