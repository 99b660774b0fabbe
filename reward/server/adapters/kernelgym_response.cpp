#include "reward/server/adapters/kernelgym_response.hpp"

#include "reward/base/json_reader.hpp"

#include <nlohmann/json.hpp>

#include <cmath>

namespace atl {

namespace {

using nlohmann::json;

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

double number_or_zero(const json& value) {
    return value.is_number() ? value.get<double>() : 0;
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

/// What its coverage rewards look at: the candidate's own kernels among all that was queued, over
/// the timed workloads. Copies and fills are not its own; on a CPU all is.
json coverage_of(const json& job) {
    double own_us = 0;
    double all_us = 0;
    double own_kernels = 0;
    double all_kernels = 0;
    const json::json_pointer place("/verdict/measure/workloads");
    for (const json& timing : job.contains(place) ? job[place] : json::array()) {
        const json time = timing.value("median_ns", json());
        const double us = time.is_number() ? time.get<double>() / 1e3 : 0;
        const json::json_pointer inside("/gpu/kernels");
        json kernels = timing.contains(inside) ? timing[inside] : json::array();
        if (kernels.empty()) {
            kernels = json::array({{{"name", "launch"}, {"launches", 1}, {"share", 1}}});
        }
        for (const json& kernel : kernels) {
            const bool is_copy = kernel["name"] == "memcpy" || kernel["name"] == "memset";
            const double launches = number_or_zero(kernel["launches"]);
            const double part = us * number_or_zero(kernel["share"]);
            all_us += part;
            all_kernels += launches;
            own_us += is_copy ? 0 : part;
            own_kernels += is_copy ? 0 : launches;
        }
    }
    return {{"num_custom_kernels", own_kernels},
            {"num_total_kernels", all_kernels},
            {"custom_kernel_cuda_time_in_profiling_us", own_us},
            {"total_kernel_run_time_in_profiling_us", all_us}};
}

std::string task_id_of(const ServerJob& job) {
    return job.request.idempotency_key.substr(k_kernelgym_key.size());
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
    if (correct) {
        answer["metadata"].update(coverage_of(document));
    } else {
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

}  // namespace

std::string kernelgym_response(const SeenJob& seen) {
    return dump_json(response_of(seen));
}

std::string kernelgym_batch_response(const std::string& batch_id, const std::vector<SeenJob>& seen,
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

}  // namespace atl
