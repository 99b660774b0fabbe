#include "reward/base/json_reader.hpp"
#include "reward/server/adapters/adapters.hpp"
#include "reward/server/adapters/task_naming.hpp"
#include "reward/server/read_requests.hpp"
#include "reward/server/routes.hpp"

#include <nlohmann/json.hpp>

namespace atl {

namespace {

using boost::asio::awaitable;
using nlohmann::ordered_json;

/// Jobs end by their own deadline.
constexpr std::chrono::hours k_to_the_end{24};

/// What the assistant said, over all turns.
std::string words_of_assistant(const ordered_json& response) {
    std::string text;
    for (const ordered_json& item : member(response, "output")) {
        if (item.is_object() && member(item, "role") == "assistant") {
            text += text_of_content(member(item, "content")) + "\n";
        }
    }
    return text;
}

std::string verify_response(ordered_json echo, const Reward& reward) {
    const nlohmann::json& job = *reward.job;
    echo["reward"] = reward.value;
    echo["correct"] = reward.correct;
    echo["outcome"] = job.value("outcome", "");
    echo["feedback"] = job.value("feedback", "");
    return echo.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

/// A rollout without a verdict, in its words for one that is not to be learned from: NeMo RL takes
/// what has instance_config.mask_sample out of the loss, later versions of Gym leave mask_sample
/// out of scores, and its collection keeps what has _ng_failure_class for another try.
std::string masked_response(ordered_json echo, const Refusal& refusal) {
    if (!member(echo, "instance_config").is_object()) {
        echo["instance_config"] = ordered_json::object();
    }
    echo["reward"] = 0.0;
    echo["mask_sample"] = true;
    echo["instance_config"]["mask_sample"] = true;
    echo["failure_kind"] = "atoll:" + refusal.code;
    echo["failure_reason"] = refusal.error.message();
    echo["_ng_failure_class"] = "atoll_" + refusal.code;
    return echo.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace

const ordered_json& member(const ordered_json& body, const char* key) {
    static const ordered_json nothing;
    if (!body.is_object()) {
        return nothing;
    }
    const auto found = body.find(key);
    return found == body.end() ? nothing : *found;
}

Answered<JobRequests> read_nemo_gym(const ordered_json& body, const Query& query,
                                    const Offer& offer) {
    const ordered_json& response = member(body, "response");
    if (!member(response, "output").is_array()) {
        return refuse(
            422, "invalid_request",
            {ErrorCode::invalid_argument, "a list is needed here", "body: response.output",
             R"(NeMo Gym sends {"responses_create_params", "response", ...})"});
    }
    const ordered_json& metadata = member(body, "verifier_metadata");
    return only(read_named({.metadata = metadata.is_object() ? &metadata : &body,
                            .label = &member(body, "ground_truth"),
                            .prompt = &member(member(body, "responses_create_params"), "input"),
                            .query = &query},
                           "body", {{"reply", words_of_assistant(response)}}, offer));
}

awaitable<HttpReply> post_verify(Service& service, HttpExchange& exchange) {
    const std::size_t bytes = exchange.request.body.size();
    const auto echo = std::make_shared<ordered_json>();
    const ReadRequests read = [&](const ordered_json& body) {
        const bool in_session = body.contains("verification_input");
        *echo = in_session ? member(body, "verification_input") : body;
        return read_nemo_gym(in_session ? nemo_gym_rollout(body, exchange.request.cookies) : body,
                             exchange.request.query, service.offer);
    };
    const Answered<JobRequests> requests = co_await read_trainer_body(service, exchange, read);
    if (!requests) {
        co_return reply_of(requests.error());
    }
    const TrainerJobs ended = co_await evaluate_patiently(
        service, exchange, *requests, service.options.times.outage, k_to_the_end);
    if (ended.refusal && ended.refusal->code == "draining") {
        co_return HttpReply{};
    }
    if (ended.refusal) {
        const Refusal& refusal = *ended.refusal;
        const auto masked = [&] { return masked_response(std::move(*echo), refusal); };
        std::string body = co_await run_where_it_fits(service, bytes, masked);
        co_return reply_of(200, std::move(body));
    }
    const WriteRewards write = [echo](const std::vector<Reward>& rewards) {
        return verify_response(*echo, rewards.front());
    };
    co_return co_await write_trainer_answer(service, ended, write, bytes);
}

awaitable<HttpReply> get_reverify_mode(Service&, HttpExchange&) {
    co_return reply_of(200, "\"stateless\"");
}

awaitable<HttpReply> post_aggregate_metrics(Service& service, HttpExchange& exchange) {
    const std::string& body = exchange.request.body;
    const auto metrics = [&]() -> Answered<std::string> {
        const Answered<ordered_json> value = parse_body(body, "body");
        if (!value) {
            return tl::unexpected(value.error());
        }
        return nemo_gym_metrics(*value);
    };
    Answered<std::string> written = co_await run_where_it_fits(service, body.size(), metrics);
    if (!written) {
        co_return reply_of(written.error());
    }
    co_return reply_of(200, std::move(*written));
}

}  // namespace atl
