#include "reward/base/json_reader.hpp"
#include "reward/server/adapters/adapters.hpp"
#include "reward/server/adapters/kernelgym_response.hpp"
#include "reward/server/adapters/task_naming.hpp"
#include "reward/server/job_reply.hpp"
#include "reward/server/read_requests.hpp"
#include "reward/server/routes.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace atl {

namespace {

using boost::asio::awaitable;
using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::size_t k_most_tasks = 100;    // of a batch
constexpr std::size_t k_longest_task = 100;  // bytes of a task_id
/// Its client polls for half an hour (task_timeout_in_client of its own recipes); a job that ended
/// without a verdict before would be a penalty there.
constexpr int k_deadline_s = 3600;
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
    ordered_json native = {
        {"source", code},
        {"idempotency_key", std::string(k_kernelgym_key) + id.get<std::string>()}};
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
    if (!native.contains("deadline_s")) {
        native["deadline_s"] = k_deadline_s;
    }
    Answered<JobRequest> request = parse_job_request(native, where, offer);
    if (request) {
        request->until_deadline = true;
    }
    return request;
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

/// They go on whether or not the client waits, for it polls. A full queue is waited out: the client
/// tries as often as its max_retries (3 in its own recipes), and then it is a penalty.
awaitable<TrainerJobs> evaluate_kept(Service& service, HttpExchange& exchange,
                                     const JobRequests& requests) {
    const std::chrono::milliseconds patience = service.options.times.answer;
    co_return co_await evaluate_patiently(service, exchange, requests, patience, patience, true);
}

/// The job of a task_id; or what to say instead.
Answered<JobPtr> find_task(Service& service, const std::string& task_id) {
    JobPtr job = service.jobs->find_by_key(std::string(k_kernelgym_key) + task_id);
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
    const TrainerJobs ended = co_await evaluate_kept(service, exchange, requests);
    if (ended.gone) {
        co_return HttpReply{};
    }
    if (ended.refusal) {
        co_return reply_of(for_its_client(*ended.refusal, service.jobs->retry_after()));
    }
    const std::vector<SeenJob> seen = look_at(ended.jobs);
    const auto written = [&] { return kernelgym_response(seen.front()); };
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
    const TrainerJobs ended = co_await evaluate_kept(service, exchange, *requests);
    if (ended.gone) {
        co_return HttpReply{};
    }
    if (ended.refusal) {
        co_return reply_of(for_its_client(*ended.refusal, service.jobs->retry_after()));
    }
    const std::vector<SeenJob> seen = look_at(ended.jobs);
    const auto written = [&] { return kernelgym_batch_response(batch_id, seen, refused); };
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
    const auto written = [&] { return kernelgym_response(seen.front()); };
    std::string body = co_await run_where_it_fits(service, document_bytes(one), written);
    co_return reply_of(200, std::move(body));
}

}  // namespace atl
