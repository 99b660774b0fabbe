#include "reward/base/json_reader.hpp"
#include "reward/server/adapters/adapters.hpp"
#include "reward/server/adapters/task_naming.hpp"
#include "reward/server/read_requests.hpp"
#include "reward/server/routes.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

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

constexpr std::array<const char*, 4> k_our_words = {"reward", "correct", "outcome", "feedback"};

/// Leaves of a body's text what is echoed: `echoed`, all of it or a part, without what the answer
/// says itself. It stays the text that came where it can, since what that is parsed to takes many
/// times its memory, for as long as the verdict is waited for.
void keep_echo(std::string& text, const ordered_json& echoed, bool is_all) {
    const auto is_there = [&](const char* word) { return echoed.contains(word); };
    if (is_all && std::none_of(k_our_words.begin(), k_our_words.end(), is_there)) {
        return;
    }
    ordered_json others = echoed;
    for (const char* word : k_our_words) {
        others.erase(word);
    }
    text = others.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

/// `echo`: an object that is not empty.
std::string verify_response(std::string echo, const Reward& reward) {
    const nlohmann::json& job = *reward.job;
    const ordered_json ours = {{k_our_words[0], reward.value},
                               {k_our_words[1], reward.correct},
                               {k_our_words[2], job.value("outcome", "")},
                               {k_our_words[3], job.value("feedback", "")}};
    echo.resize(echo.rfind('}'));
    return echo + "," + ours.dump(-1, ' ', false, ordered_json::error_handler_t::replace).substr(1);
}

/// A rollout without a verdict, in its words for one that is not to be learned from: NeMo RL takes
/// what has instance_config.mask_sample out of the loss, later versions of Gym leave mask_sample
/// out of scores, and its collection keeps what has _ng_failure_class for another try.
std::string masked_response(std::string_view text, const Refusal& refusal) {
    ordered_json echo = ordered_json::parse(text, nullptr, false);
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
    std::string& echo = exchange.request.body;
    const ReadRequests read = [&](const ordered_json& body) -> Answered<JobRequests> {
        const Query& query = exchange.request.query;
        const bool in_session = body.contains("verification_input");
        Answered<JobRequests> requests =
            in_session ? read_nemo_gym(nemo_gym_rollout(body, exchange.request.cookies), query,
                                       service.offer)
                       : read_nemo_gym(body, query, service.offer);
        if (requests) {
            keep_echo(echo, in_session ? member(body, "verification_input") : body, !in_session);
        }
        return requests;
    };
    const Answered<JobRequests> requests = co_await parse_trainer_body(service, echo, read);
    if (!requests) {
        co_return reply_of(requests.error());
    }
    const TrainerJobs ended = co_await evaluate_patiently(
        service, exchange, *requests, service.options.times.outage, k_to_the_end);
    if (ended.refusal && service.jobs->draining()) {
        co_return HttpReply{};
    }
    if (ended.refusal) {
        const Refusal& refusal = *ended.refusal;
        const auto masked = [&] { return masked_response(echo, refusal); };
        std::string body = co_await run_where_it_fits(service, echo.size(), masked);
        co_return reply_of(200, std::move(body));
    }
    const WriteRewards write = [&](const std::vector<Reward>& rewards) {
        return verify_response(std::move(echo), rewards.front());
    };
    co_return co_await write_trainer_answer(service, ended, write, echo.size());
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
