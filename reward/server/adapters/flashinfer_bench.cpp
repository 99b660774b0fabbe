#include "reward/base/json_reader.hpp"
#include "reward/server/adapters/adapters.hpp"
#include "reward/server/adapters/flashinfer_workloads.hpp"
#include "reward/server/adapters/task_naming.hpp"
#include "reward/server/job_reply.hpp"
#include "reward/server/read_requests.hpp"
#include "reward/server/routes.hpp"

#include <fmt/chrono.h>
#include <nlohmann/json.hpp>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace atl {

namespace {

using boost::asio::awaitable;
using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::size_t k_longest_name = 200;
constexpr std::size_t k_most_tasks = 4096;  // of one question
constexpr double k_longest_wait_s = 3600;

Refusal wrong(const std::string& where, const std::string& what, const std::string& hint = "") {
    return {422, "invalid_request", {ErrorCode::invalid_argument, what, where, hint}};
}

tl::unexpected<Refusal> unsupported(const std::string& where, const std::string& what) {
    return refuse(422, "unsupported_kind",
                  {ErrorCode::not_found, "unsupported candidate kind: " + what, where,
                   "send one source in cuda or cpp with the entry point FILE::launch, as "
                   "GET /v1/tasks/NAME describes it"});
}

std::string text_or(const ordered_json& value, const std::string& otherwise) {
    return value.is_string() ? value.get<std::string>() : otherwise;
}

/// The hash that Solution.hash() of flashinfer-bench has.
std::string hash_of(const ordered_json& solution) {
    const ordered_json& spec = member(solution, "spec");
    std::string text = text_or(member(solution, "definition"), "");
    for (const char* key : {"language", "entry_point", "binding"}) {
        text += text_or(member(spec, key), "");
    }
    for (const ordered_json& dependency : member(spec, "dependencies")) {
        text += text_or(dependency, "");
    }
    for (const ordered_json& source : member(solution, "sources")) {
        text += text_or(member(source, "path"), "") + text_or(member(source, "content"), "");
    }
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
    std::string hex;
    for (unsigned i = 0; i < 4; ++i) {
        hex += fmt::format("{:02x}", digest[i]);
    }
    return hex;
}

/// The candidate in a solution, as fields of a native request.
Answered<ordered_json> native_of(const ordered_json& solution) {
    const std::string where = "body: solution";
    const ordered_json& spec = member(solution, "spec");
    const std::string language = text_or(member(spec, "language"), "");
    const ordered_json& sources = member(solution, "sources");
    const std::string name = text_or(member(solution, "name"), "");
    if (name.empty() || name.size() > k_longest_name) {
        return tl::unexpected(wrong(where + ".name", "a text of 1 to 200 bytes is needed here"));
    }
    if (language != "cuda" && language != "cpp") {
        return unsupported(where + ".spec.language", language.empty() ? "none named" : language);
    }
    if (!sources.is_array() || sources.size() != 1) {
        return unsupported(where + ".sources", "several sources");
    }
    if (!member(sources[0], "content").is_string()) {
        return tl::unexpected(wrong(where + ".sources[0].content", "a text is needed here"));
    }
    const std::string entry = text_or(member(spec, "entry_point"), "");
    if (!entry.ends_with("::launch")) {
        return unsupported(where + ".spec.entry_point", "the entry point " + entry.substr(0, 80));
    }
    return ordered_json{{"source", member(sources[0], "content")},
                        {"kind", language == "cuda" ? "cuda" : "cpu_cpp"},
                        {"trajectory_id", name + "_" + hash_of(solution)}};
}

std::string status_of(const std::string& outcome, bool correct) {
    static const std::map<std::string, const char*> statuses = {
        {"rejected", "COMPILE_ERROR"},
        {"compile_error", "COMPILE_ERROR"},
        {"compile_limit", "COMPILE_ERROR"},
        {"wrong_result", "INCORRECT_NUMERICAL"},
        {"non_finite", "INCORRECT_NUMERICAL"},
        {"inputs_modified", "INCORRECT_NUMERICAL"},
        {"inconsistent", "INCORRECT_NUMERICAL"},
        {"reward_hack", "INCORRECT_NUMERICAL"},
        {"timeout", "TIMEOUT"}};
    const auto found = statuses.find(outcome);
    return correct ? "PASSED" : found == statuses.end() ? "RUNTIME_ERROR" : found->second;
}

double number_of(const json& value) {
    return value.is_number() ? value.get<double>() : value == "nan" ? std::nan("") : INFINITY;
}

json correctness_of(const json& verdict) {
    double absolute = 0;
    double relative = 0;
    for (const json& one : verdict.value("verify", json::array())) {
        // What is not a number stays what was seen.
        const double got_absolute = number_of(one.value("max_abs_error", json(0)));
        const double got_relative = number_of(one.value("max_rel_error", json(0)));
        absolute = got_absolute <= absolute ? absolute : got_absolute;
        relative = got_relative <= relative ? relative : got_relative;
    }
    return {{"max_relative_error", number_to_json(relative)},
            {"max_absolute_error", number_to_json(absolute)},
            {"extra", nullptr}};
}

json performance_of(const json& document, const std::string& workload) {
    double latency = 0;
    const json::json_pointer place("/verdict/measure/workloads");
    for (const json& timing : document.contains(place) ? document[place] : json::array()) {
        if (timing.value("workload", "") == workload) {
            latency = number_of(timing.value("median_ns", json(0))) / 1e6;
        }
    }
    const json speedup = document["scores"].value("speedup", json(0.0));
    const double factor = speedup.is_number() ? speedup.get<double>() : 0;
    return {{"latency_ms", latency},
            {"reference_latency_ms", latency * factor},
            {"speedup_factor", factor}};
}

json traces_of(const ServerJob& job, const std::string& text) {
    const json document = json::parse(text, nullptr, false);
    const Task& task = *job.request.task;
    const std::string status =
        status_of(document.value("outcome", ""), document.value("correct", false));
    const bool passed = status == "PASSED";
    json evaluation = {
        {"status", status},
        {"environment",
         {{"hardware", document["verdict"].value("device", job.request.device->name)},
          {"libs", json::object()}}},
        {"timestamp", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)))},
        {"log", document.value("feedback", "")},
        {"correctness",
         passed || status == "INCORRECT_NUMERICAL" ? correctness_of(document["verdict"]) : json()},
        {"performance", nullptr}};
    json traces = json::array();
    for (const Workload& workload : task.workloads) {
        if (is_shown(workload)) {
            if (passed) {
                evaluation["performance"] = performance_of(document, workload.id);
            }
            traces.push_back({{"definition", task.name},
                              {"workload", workload_json(task, workload)},
                              {"solution", job.request.ids.trajectory},
                              {"evaluation", evaluation}});
        }
    }
    return traces;
}

json task_response(const SeenJob& seen) {
    const ServerJob& job = *seen.job;
    json answer = {{"task_id", job.id},
                   {"status", "running"},
                   {"definition", job.request.task->name},
                   {"solution", job.request.ids.trajectory},
                   {"traces", nullptr},
                   {"error", nullptr}};
    if (seen.state == JobState::done) {
        answer["status"] = "completed";
        answer["traces"] = traces_of(job, *seen.document);
    } else if (seen.state != JobState::pending) {
        const Refusal refusal = refusal_of(job, std::chrono::seconds(1));
        answer["status"] = "failed";
        answer["error"] = refusal.error.what;
    }
    return answer;
}

/// The jobs of `ids`, waited for as long as asked.
awaitable<Answered<std::vector<JobPtr>>> wait_for_tasks(Service& service, HttpExchange& exchange,
                                                        const std::vector<std::string>& ids,
                                                        double seconds, bool& gone) {
    std::vector<JobPtr> jobs;
    for (const std::string& id : ids) {
        JobPtr job = service.jobs->find(id);
        if (!job) {
            co_return tl::unexpected(unknown_job());
        }
        jobs.push_back(std::move(job));
    }
    const auto wait = std::chrono::milliseconds(
        static_cast<std::int64_t>(std::clamp(seconds, 0.0, k_longest_wait_s) * 1000));
    gone = !co_await wait_for_all(service, exchange, jobs, wait);
    co_return jobs;
}

awaitable<HttpReply> answer_tasks(Service& service, HttpExchange& exchange,
                                  const std::vector<std::string>& ids, double seconds,
                                  bool as_list) {
    bool gone = false;
    const Answered<std::vector<JobPtr>> jobs =
        co_await wait_for_tasks(service, exchange, ids, seconds, gone);
    if (gone) {
        co_return HttpReply{};
    }
    if (!jobs) {
        co_return reply_of(jobs.error());
    }
    const std::vector<SeenJob> seen = look_at(*jobs);
    const auto written = [&] {
        json list = json::array();
        for (const SeenJob& one : seen) {
            list.push_back(task_response(one));
        }
        return dump_json(as_list ? list : list.front());
    };
    std::string body = co_await run_where_it_fits(service, document_bytes(*jobs), written);
    co_return reply_of(200, std::move(body));
}

}  // namespace

Answered<JobRequests> read_flashinfer(const ordered_json& body, const Query& query,
                                      const Offer& offer) {
    const ordered_json& solution = member(body, "solution");
    if (!member(body, "workload_uuids").is_null()) {
        return tl::unexpected(wrong("body: workload_uuids",
                                    "a part of the workloads cannot be chosen",
                                    "leave it out: all are evaluated"));
    }
    Answered<ordered_json> native = native_of(solution);
    if (!native) {
        return tl::unexpected(native.error());
    }
    const Answered<void> named =
        name_task({.metadata = &body, .label = &member(solution, "definition"), .query = &query},
                  "body: solution", *native);
    if (!named) {
        return tl::unexpected(named.error());
    }
    want_speedup(*native);
    Answered<JobRequest> request = parse_job_request(*native, "body", offer);
    if (request) {
        request->until_deadline = true;
    }
    return only(std::move(request));
}

awaitable<HttpReply> begin_flashinfer(Service& service, HttpExchange& exchange,
                                      const JobRequests& requests) {
    constexpr std::chrono::milliseconds k_no_wait{0};
    const TrainerJobs begun = co_await evaluate_patiently(
        service, exchange, requests, service.options.times.answer, k_no_wait, true);
    if (begun.gone) {
        co_return HttpReply{};
    }
    if (begun.refusal) {
        co_return reply_of(*begun.refusal);
    }
    const ServerJob& job = *begun.jobs.front();
    co_return reply_of(200, dump_json({{"task_id", job.id},
                                       {"normalized_solution_name", job.request.ids.trajectory}}));
}

awaitable<HttpReply> get_flashinfer_task(Service& service, HttpExchange& exchange) {
    double seconds = 0;
    const auto found = exchange.request.query.find("timeout");
    if (found != exchange.request.query.end()) {
        const std::string& text = found->second;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
        if (error != std::errc() || end != text.data() + text.size() ||
            !(seconds >= 0 && seconds <= k_longest_wait_s)) {
            co_return reply_of(
                wrong("query: timeout", "no time to wait", "seconds from 0 to 3600"));
        }
    }
    const std::vector<std::string> ids = {exchange.parameter};
    co_return co_await answer_tasks(service, exchange, ids, seconds, false);
}

awaitable<HttpReply> post_flashinfer_tasks(Service& service, HttpExchange& exchange) {
    Answered<ordered_json> body = parse_body(exchange.request.body, "body");
    if (!body) {
        co_return reply_of(body.error());
    }
    const ordered_json& list = member(*body, "task_ids");
    const ordered_json& timeout = member(*body, "timeout");
    std::vector<std::string> ids;
    for (const ordered_json& id : list) {
        ids.push_back(text_or(id, ""));
    }
    if (!list.is_array() || ids.size() > k_most_tasks) {
        co_return reply_of(wrong("body: task_ids", "a list of ids is needed here"));
    }
    const double seconds = timeout.is_number() ? timeout.get<double>() : 0;
    give_back(*body);
    exchange.drop_body();
    co_return co_await answer_tasks(service, exchange, ids, seconds, true);
}

}  // namespace atl
