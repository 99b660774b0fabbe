#include "mutators/model/chat_json.hpp"
#include "tests/fuzz/targets.hpp"

#include <algorithm>

namespace atl::fuzz {

namespace {

constexpr int k_samples = 4;

void check_reply(const ChatReply& reply) {
    must(!reply.choices.empty() && reply.choices.size() <= k_samples, "choices as asked for");
    for (const ChatChoice& choice : reply.choices) {
        must(choice.content.size() <= k_max_choice_bytes &&
                 choice.reasoning.size() <= k_max_choice_bytes,
             "texts have a limit");
        must(choice.content.find('\0') == std::string::npos &&
                 choice.reasoning.find('\0') == std::string::npos,
             "texts hold no NUL");
    }
    must(read_chat_reply(write_chat_reply(reply), k_samples) == reply,
         "a reply is read as it was written");
}

void check_request(const ChatRequest& request) {
    must(check_chat_request(request).has_value(), "what is read is within the limits");
    must(read_chat_request(write_chat_request(request, {request.model, "max_tokens"})) == request,
         "a request is read as it was written");
}

}  // namespace

void chat_documents(std::string_view bytes) {
    if (const auto reply = read_chat_reply(bytes, k_samples)) {
        check_reply(*reply);
    }
    if (const auto request = read_chat_request(bytes)) {
        check_request(*request);
    }
    const EndpointError said = read_endpoint_error(bytes);
    must(said.message.size() <= 300, "an error is short");
    must(std::all_of(said.message.begin(), said.message.end(),
                     [](char c) { return c >= ' ' && c <= '~'; }),
         "an error can be shown");
    static_cast<void>(is_endpoint_error(bytes));
}

}  // namespace atl::fuzz
