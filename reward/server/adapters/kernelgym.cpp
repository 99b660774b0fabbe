#include "reward/base/json_reader.hpp"
#include "reward/server/adapters/adapters.hpp"
#include "reward/server/adapters/task_naming.hpp"
#include "reward/server/job_reply.hpp"
#include "reward/server/read_requests.hpp"
#include "reward/server/routes.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace atl {

namespace {

using boost::asio::awaitable;
using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::size_t k_most_tasks = 100;    // of a batch
constexpr std::size_t k_longest_task = 100;  // bytes of a task_id
const std::string k_key_prefix = "kernelgym/";
const std::string k_unsupported = "unsupported_kind";

std::string_view without_space_at_end(std::string_view line) {
    return line.substr(0, line.find_last_not_of(" \t\r") + 1);
}

/// `class Name:` or `class Name(...):`. C++ has a space before the colon of its base classes.
bool is_python_class(std::string_view line) {
    return line.starts_with("class ") && line.ends_with(':') && !line.ends_with(" :");
}

bool is_python_line(std::string_view line) {
    line = without_space_at_end(line);
    const bool is_function = line.starts_with("def ") || line.starts_with("async def ");
    return (is_function && line.ends_with(':')) || is_python_class(line) ||
           (line.starts_with("from ") && line.find(" import ") != std::string_view::npos) ||
           (line.starts_with("import ") && line.find_first_of(";<\"") == std::string_view::npos);
}

/// What no Python module has at the left margin; what follows may be anything, as in a raw string.
bool is_cpp_line(std::string_view line) {
    return line.starts_with("#include") || line.starts_with("extern \"C\"") ||
           line.starts_with("__global__");
}

/// Whether a comment that goes on in the next line is open behind this one.
bool opens_comment(std::string_view line, bool is_open) {
    if (!is_open && (line.starts_with('#') || line.starts_with("//"))) {
        return false;
    }
    const std::size_t begin = line.rfind("/*");
    const std::size_t end = line.rfind("*/");
    if (begin == std::string_view::npos) {
        return is_open && end == std::string_view::npos;
    }
    return end == std::string_view::npos || end < begin;
}

tl::unexpected<Refusal> wrong(const std::string& where, const std::string& what) {
    return refuse(422, "invalid_request", {ErrorCode::invalid_argument, what, where, ""});
}

int priority_of(const ordered_json& word) {
    return word == "high" ? 10 : word == "low" ? -10 : 0;
}

bool is_no(const ordered_json& value) {
    return value.is_boolean() && !value.get<bool>();
}

Answered<JobRequest> read_one(const ordered_json& body, const std::string& where,
                              const Query& query, const Offer& offer) {
    const ordered_json& code = member(body, "kernel_code");
    const ordered_json& id = member(body, "task_id");
    if (!code.is_string()) {
        return wrong(where + ": kernel_code", "a text is needed here");
    }
    if (!id.is_string() || id.get_ref<const std::string&>().empty() ||
        id.get_ref<const std::string&>().size() > k_longest_task) {
        return wrong(where + ": task_id", "a text of 1 to 100 bytes is needed here");
    }
    if (is_python_module(code.get_ref<const std::string&>())) {
        return refuse(
            422, k_unsupported,
            {ErrorCode::not_found, "unsupported candidate kind: a Python module",
             where + ": kernel_code", "send the source of a kind that GET /v1/devices lists"});
    }
    ordered_json native = {{"source", code},
                           {"idempotency_key", k_key_prefix + id.get<std::string>()}};
    const Answered<void> named =
        name_task({.metadata = &body, .prompt = &member(body, "reference_code"), .query = &query},
                  where, native);
    if (!named) {
        return tl::unexpected(named.error());
    }
    if (!native.contains("priority")) {
        native["priority"] = priority_of(member(body, "priority"));
    }
    if (!native.contains("level") &&
        (is_no(member(body, "measure_performance")) || is_no(member(body, "run_performance")))) {
        native["level"] = "verify";
    }
    if (native.value("level", ordered_json()) != "verify") {
        want_speedup(native);
    }
    return parse_job_request(native, where, offer);
}

const char* error_code_of(const std::string& outcome) {
    static const std::map<std::string, const char*> codes = {
        {"rejected", "VALIDATION_ERROR"},      {"compile_error", "COMPILATION_ERROR"},
        {"compile_limit", "RESOURCE_ERROR"},   {"wrong_result", "CORRECTNESS_ERROR"},
        {"non_finite", "CORRECTNESS_ERROR"},   {"inputs_modified", "CORRECTNESS_ERROR"},
        {"inconsistent", "CORRECTNESS_ERROR"}, {"reward_hack", "CORRECTNESS_ERROR"},
        {"timeout", "TIMEOUT_ERROR"},          {"memory_limit", "RESOURCE_ERROR"}};
    const auto found = codes.find(outcome);
    return found == codes.end() ? "RUNTIME_ERROR" : found->second;
}

/// Milliseconds: the geometric mean over the workloads; null when there are no times.
json runtime_of(const json& job) {
    const json::json_pointer place("/verdict/measure/workloads");
    double logs = 0;
    std::size_t count = 0;
    for (const json& timing : job.contains(place) ? job[place] : json::array()) {
        const json time = timing.value("median_ns", json());
        const double median = time.is_number() ? time.get<double>() : 0;
        if (!is_usable_time(median)) {
            return nullptr;
        }
        logs += std::log(median);
        ++count;
    }
    return count == 0 ? json() : json(std::exp(logs / static_cast<double>(count)) / 1e6);
}

std::string task_id_of(const ServerJob& job) {
    return job.request.idempotency_key.substr(k_key_prefix.size());
}

/// An EvaluationResponse without what only a verdict tells.
json blank(const std::string& task_id, const char* status, double age_s) {
    json answer = {{"task_id", task_id}, {"status", status}};
    for (const char* key :
         {"compiled", "correctness", "decoy_kernel", "reference_runtime", "kernel_runtime",
          "speedup", "metadata", "error_message", "error_code", "submitted_at", "completed_at"}) {
        answer[key] = nullptr;
    }
    answer["processing_time"] = age_s;
    return answer;
}

json response_of(const SeenJob& seen) {
    const ServerJob& job = *seen.job;
    if (seen.state == JobState::pending) {
        return blank(task_id_of(job), "processing", job.age_s());
    }
    json document = json::parse(*seen.document, nullptr, false);
    const std::string outcome = document.value("outcome", "");
    const bool correct = document.value("correct", false);
    json answer = blank(task_id_of(job), "completed", job.age_s());
    answer["compiled"] =
        outcome != "rejected" && outcome != "compile_error" && outcome != "compile_limit";
    answer["correctness"] = correct;
    answer["decoy_kernel"] = outcome == "reward_hack";
    answer["kernel_runtime"] = correct ? runtime_of(document) : json();
    const json& scores = document["scores"];
    if (scores.contains("speedup") && scores["speedup"].is_number()) {
        answer["speedup"] = scores["speedup"];
        if (correct && answer["kernel_runtime"].is_number()) {
            answer["reference_runtime"] =
                answer["kernel_runtime"].get<double>() * scores["speedup"].get<double>();
        }
    }
    answer["metadata"] = {{"outcome", outcome},
                          {"stage", document["stage"]},
                          {"feedback", document["feedback"]},
                          {"scores", scores},
                          {"device", document["verdict"]["device"]},
                          {"job", document["id"]}};
    if (!correct) {
        answer["error_message"] = document["reason"];
        answer["error_code"] = error_code_of(outcome);
    }
    answer["processing_time"] = document["timing"]["total_s"];
    return answer;
}

/// Of a task of a batch that is no kind of candidate, which is no fault of the others.
json refused_response(const std::string& task_id, const Refusal& refusal) {
    json answer = blank(task_id, "failed", 0);
    answer["error_message"] = refusal.error.what;
    answer["error_code"] = "VALIDATION_ERROR";
    return answer;
}

std::string batch_response(const std::string& batch_id, const std::vector<SeenJob>& seen,
                           const RefusedTasks& refused) {
    json results = json::array();
    std::size_t completed = 0;
    const std::size_t total = seen.size() + refused.size();
    for (auto next = seen.begin(); results.size() < total;) {
        const auto found = refused.find(results.size());
        if (found != refused.end()) {
            results.push_back(refused_response(found->second.task_id, found->second.refusal));
            continue;
        }
        completed += next->state == JobState::done ? 1 : 0;
        results.push_back(response_of(*next++));
    }
    return dump_json({{"batch_id", batch_id},
                      {"total_tasks", total},
                      {"completed_tasks", completed},
                      {"failed_tasks", refused.size()},
                      {"results", std::move(results)},
                      {"batch_status", completed < seen.size() ? "processing" : "completed"},
                      {"submitted_at", nullptr},
                      {"completed_at", nullptr}});
}

/// A job without a verdict, as 503 whatever it is elsewhere (504, 500, 409): of every status but
/// 503 and 429 the client makes a penalty.
Refusal for_its_client(Refusal refusal, std::chrono::seconds retry_after) {
    if (refusal.status >= 500 || refusal.status == 409) {
        refusal.status = 503;
        refusal.retry_after = refusal.retry_after.value_or(retry_after);
    }
    return refusal;
}

/// The job of a task_id; or what to say instead.
Answered<JobPtr> find_task(Service& service, const std::string& task_id) {
    JobPtr job = service.jobs->find_by_key(k_key_prefix + task_id);
    if (!job) {
        return tl::unexpected(
            Refusal{404,
                    "unknown_job",
                    {ErrorCode::not_found, "there is no task of this id, or none any more", "path",
                     "answers are kept for a while only"}});
    }
    if (job->state == JobState::fault || job->state == JobState::cancelled) {
        const std::chrono::seconds later = service.jobs->retry_after();
        return tl::unexpected(for_its_client(refusal_of(*job, later), later));
    }
    return job;
}

}  // namespace

bool is_python_module(std::string_view source) {
    bool in_comment = false;
    while (!source.empty()) {
        const std::size_t end = std::min(source.find('\n'), source.size());
        const std::string_view line = source.substr(0, end);
        if (!in_comment && is_python_line(line)) {
            return true;
        }
        if (!in_comment && is_cpp_line(line)) {
            return false;
        }
        in_comment = opens_comment(line, in_comment);
        source.remove_prefix(std::min(end + 1, source.size()));
    }
    return false;
}

Answered<JobRequests> read_kernelgym(const ordered_json& body, const Query& query,
                                     const Offer& offer) {
    return only(read_one(body, "body", query, offer));
}

Answered<JobRequests> read_kernelgym_batch(const ordered_json& body, const Query& query,
                                           const Offer& offer, RefusedTasks& refused) {
    const ordered_json& tasks = member(body, "tasks");
    if (!tasks.is_array() || tasks.empty() || tasks.size() > k_most_tasks) {
        return wrong("body: tasks", "a list of 1 to 100 tasks is needed here");
    }
    JobRequests requests;
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        Answered<JobRequest> request =
            read_one(tasks[i], "body: tasks[" + std::to_string(i) + "]", query, offer);
        const ordered_json& code = member(tasks[i], "kernel_code");
        if (!request && request.error().code == k_unsupported &&
            is_python_module(code.get_ref<const std::string&>())) {
            refused[i] = {member(tasks[i], "task_id").get<std::string>(), request.error()};
            continue;
        }
        if (!request) {
            return tl::unexpected(request.error());
        }
        requests.push_back(std::move(*request));
    }
    return requests;
}

awaitable<HttpReply> evaluate_kernelgym(Service& service, HttpExchange& exchange,
                                        JobRequests& requests) {
    const TrainerJobs ended =
        co_await evaluate_all(service, exchange, requests, service.options.times.answer);
    if (ended.gone) {
        co_return HttpReply{};
    }
    if (ended.refusal) {
        co_return reply_of(for_its_client(*ended.refusal, service.jobs->retry_after()));
    }
    const std::vector<SeenJob> seen = look_at(ended.jobs);
    const auto written = [&] { return dump_json(response_of(seen.front())); };
    std::string body = co_await run_where_it_fits(service, document_bytes(ended.jobs), written);
    co_return reply_of(200, std::move(body));
}

awaitable<HttpReply> post_kernelgym_batch(Service& service, HttpExchange& exchange) {
    std::string batch_id;
    RefusedTasks refused;
    const ReadRequests read = [&](const ordered_json& body) {
        const ordered_json& id = member(body, "batch_id");
        batch_id = id.is_string() ? id.get<std::string>() : "";
        return read_kernelgym_batch(body, exchange.request.query, service.offer, refused);
    };
    Answered<JobRequests> requests = co_await read_trainer_body(service, exchange, read);
    if (!requests) {
        co_return reply_of(requests.error());
    }
    const TrainerJobs ended =
        co_await evaluate_all(service, exchange, *requests, service.options.times.answer);
    if (ended.gone) {
        co_return HttpReply{};
    }
    if (ended.refusal) {
        co_return reply_of(for_its_client(*ended.refusal, service.jobs->retry_after()));
    }
    const std::vector<SeenJob> seen = look_at(ended.jobs);
    const auto written = [&] { return batch_response(batch_id, seen, refused); };
    std::string body = co_await run_where_it_fits(service, document_bytes(ended.jobs), written);
    co_return reply_of(200, std::move(body));
}

awaitable<HttpReply> get_kernelgym_status(Service& service, HttpExchange& exchange) {
    const Answered<JobPtr> job = find_task(service, exchange.parameter);
    if (!job) {
        co_return reply_of(job.error());
    }
    const bool is_done = (*job)->state == JobState::done;
    co_return reply_of(200, dump_json({{"task_id", exchange.parameter},
                                       {"status", is_done ? "completed" : "processing"},
                                       {"progress", nullptr},
                                       {"estimated_completion", nullptr},
                                       {"queue_position", nullptr},
                                       {"assigned_device", (*job)->request.device->name}}));
}

awaitable<HttpReply> get_kernelgym_results(Service& service, HttpExchange& exchange) {
    const Answered<JobPtr> job = find_task(service, exchange.parameter);
    if (!job) {
        co_return reply_of(job.error());
    }
    const std::vector<JobPtr> one = {*job};
    const std::vector<SeenJob> seen = look_at(one);
    const auto written = [&] { return dump_json(response_of(seen.front())); };
    std::string body = co_await run_where_it_fits(service, document_bytes(one), written);
    co_return reply_of(200, std::move(body));
}

}  // namespace atl
