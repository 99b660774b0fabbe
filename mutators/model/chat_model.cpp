#include "mutators/model/chat_model.hpp"

#include <future>
#include <memory>
#include <utility>

namespace atl {

Expected<ChatReply> ask_and_wait(ChatModel& model, ChatCall call) {
    const auto promise = std::make_shared<std::promise<Expected<ChatReply>>>();
    model.submit(std::move(call),
                 [promise](Expected<ChatReply> reply) { promise->set_value(std::move(reply)); });
    return promise->get_future().get();
}

}  // namespace atl
