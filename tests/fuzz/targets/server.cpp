#include "reward/base/words.hpp"
#include "reward/json_object.hpp"
#include "reward/server/adapters/adapters.hpp"
#include "reward/server/http_head.hpp"
#include "reward/server/line_message.hpp"
#include "reward/server/remote_message.hpp"
#include "tests/fuzz/targets.hpp"

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <nlohmann/json.hpp>

namespace atl::fuzz {

namespace {

const TaskCatalog& one_task() {
    static const TaskCatalog catalog = [] {
        Task task;
        task.name = "small";
        task.starters = {{"plain", "int a;"}};
        TaskCatalog tasks;
        tasks.add(std::make_shared<const Task>(std::move(task)));
        return tasks;
    }();
    return catalog;
}

const ServedDevices& one_device() {
    static const ServedDevices devices = [] {
        ServedDevices list(1);
        list[0].name = "cpu";
        list[0].kinds = {"cpu_cpp"};
        return list;
    }();
    return devices;
}

void check_requests(const Answered<JobRequests>& requests, std::size_t bytes) {
    if (!requests) {
        const Refusal& refusal = requests.error();
        must(refusal.status >= 400 && refusal.status < 500, "a bad request is the client's fault");
        must(!refusal.code.empty() && !refusal.error.what.empty(), "a refused request says why");
        return;
    }
    for (const JobRequest& request : *requests) {
        must(request.task != nullptr && request.device != nullptr, "a request has its task");
        must(request.candidate.source.size() <= bytes + 1, "a source is no longer than it");
    }
}

const Service& one_service() {
    static boost::asio::io_context io;
    static boost::asio::thread_pool pool{1};
    static const Service service = [] {
        ServerOptions options;
        options.token = *AccessToken::parse("0123456789abcdef", "fuzz");
        return Service(std::move(options), {one_task(), one_device(), built_in_presets()},
                       Threads{io, pool});
    }();
    return service;
}

void check_line(const std::string& line) {
    must(line.find('\n') == line.size() - 1, "what is said is one line");
    must(is_utf8(line), "what is said is UTF-8");
    must(parse_json_strictly(line, "line").has_value(), "what is said is JSON");
}

}  // namespace

void serve_line(std::string_view bytes) {
    const auto message = parse_line(bytes, {one_task(), one_device(), built_in_presets()});
    if (!message) {
        const Refusal& refusal = message.error().refusal;
        must(refusal.status >= 400 && refusal.status < 500, "a bad request is the client's fault");
        must(!refusal.error.what.empty(), "a refused request says why");
        check_line(error_line(message.error().id, refusal));
        return;
    }
    must(message->id.size() <= k_longest_id, "ids are bounded");
    std::string answer;
    append_result_line(answer, message->id, "{}");
    check_line(answer);
    if (message->request) {
        const JobRequest& request = *message->request;
        must(request.task != nullptr && request.device != nullptr, "a request has its task");
        must(request.candidate.source.size() <= bytes.size() + 1, "a source is no longer than it");
        must(request.no_code || !request.digest().is_zero(), "a request has a digest");
    }
}

void serve_head(std::string_view bytes) {
    namespace http = boost::beast::http;
    http::request_parser<http::string_body> parser;
    parser.header_limit(16u << 10);
    parser.body_limit(1u << 20);
    boost::system::error_code error;
    parser.put(boost::asio::buffer(bytes.data(), bytes.size()), error);
    if (!parser.is_header_done()) {
        return;
    }
    const HttpHead head = head_of(parser.get());
    const Answered<FoundRoute> found = check_head(head, one_service());
    if (!found) {
        must(found.error().status >= 400 && found.error().status < 500, "it is the client's fault");
        must(is_utf8(to_json(found.error())), "what is said is UTF-8");
        return;
    }
    const HttpRequest request = request_of(head);
    must(found->route != nullptr && request.path.find('?') == std::string::npos, "a path is one");
    must(found->route->is_open || bytes.find("0123456789abcdef") != std::string_view::npos,
         "nobody gets in without the token");
}

void remote_answer(std::string_view bytes) {
    const Expected<RemoteMessage> message = read_remote_message(bytes);
    if (!message) {
        must(!message.error().what.empty(), "a refused answer says why");
        return;
    }
    const bool is_answer = message->type == RemoteMessage::Type::answer;
    must(message->result.has_value() == is_answer, "an answer has a result");
    must(message->type != RemoteMessage::Type::refusal || message->error, "a refusal has a reason");
    must(message->device.parallelism >= 1, "something is done at a time");
    if (is_answer && *message->result) {
        must(parse_verdict(to_json(**message->result)).has_value(), "a verdict can be stored");
    }
}

void trainer_request(std::string_view bytes) {
    const auto body = parse_json_strictly(bytes, "body");
    if (!body || !body->is_object()) {
        return;
    }
    const Offer offer{one_task(), one_device(), built_in_presets()};
    for (const Query& query : {Query{}, Query{{"task", "small"}, {"level", "verify"}}}) {
        check_requests(read_openrlhf(*body, query, offer, 64), bytes.size());
        check_requests(read_slime(*body, query, offer), bytes.size());
        check_requests(read_nemo_gym(*body, query, offer), bytes.size());
        check_requests(read_kernelgym(*body, query, offer), bytes.size());
        RefusedTasks refused;
        check_requests(read_kernelgym_batch(*body, query, offer, refused), bytes.size());
        check_requests(read_flashinfer(*body, query, offer), bytes.size());
    }
    if (const Answered<std::string> metrics = nemo_gym_metrics(*body)) {
        must(parse_json_strictly(*metrics, "metrics").has_value(), "metrics are JSON");
    }
}

}  // namespace atl::fuzz
