#include "reward/base/words.hpp"
#include "reward/json_object.hpp"
#include "reward/server/adapters/adapters.hpp"
#include "reward/server/code_fence.hpp"
#include "reward/server/line_message.hpp"
#include "tests/fuzz/targets.hpp"

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
        must(request.no_code || !request.digest.is_zero(), "a request has a digest");
    }
}

void model_reply(std::string_view bytes) {
    for (const char* kind : {"cpu_cpp", "cuda", "cubin"}) {
        const auto code = code_in_reply(bytes, kind);
        must(!code || code->size() <= bytes.size() + 1, "code is a part of the reply");
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
        check_requests(read_kernelgym_batch(*body, query, offer), bytes.size());
        check_requests(read_flashinfer(*body, query, offer), bytes.size());
    }
    if (const Answered<std::string> metrics = nemo_gym_metrics(*body)) {
        must(parse_json_strictly(*metrics, "metrics").has_value(), "metrics are JSON");
    }
}

}  // namespace atl::fuzz
