#include "reward/base/json_reader.hpp"
#include "reward/server/adapters/adapters.hpp"
#include "reward/server/adapters/trainer_jobs.hpp"

#include <nlohmann/json.hpp>

namespace atl {

using nlohmann::ordered_json;

Answered<JobRequests> read_slime(const ordered_json& body, const Query& query, const Offer& offer) {
    const ordered_json& response = member(body, "response");
    if (!response.is_string()) {
        return refuse(422, "invalid_request",
                      {ErrorCode::invalid_argument, "a text is needed here", "body: response",
                       "slime sends {\"prompt\", \"response\", \"label\"}"});
    }
    return only(read_named({.metadata = &member(body, "metadata"),
                            .label = &member(body, "label"),
                            .prompt = &member(body, "prompt"),
                            .query = &query},
                           "body", {{"reply", response}}, offer));
}

boost::asio::awaitable<HttpReply> post_rm(Service& service, HttpExchange& exchange) {
    const ReadRequests read = [&](const ordered_json& body) {
        return read_slime(body, exchange.request.query, service.offer);
    };
    const WriteRewards write = [](const std::vector<Reward>& rewards) {
        return dump_json(rewards.front().value);
    };
    co_return co_await answer_trainer(service, exchange, read, write);
}

}  // namespace atl
