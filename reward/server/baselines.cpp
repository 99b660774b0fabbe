#include "reward/server/baselines.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace atl {

namespace {

/// Before whatever waits: others wait for it.
constexpr int k_baseline_priority = 1'000'000;
constexpr std::chrono::seconds k_baseline_deadline{300};

Baselines::Answer times_of(const EvaluationResult& result) {
    if (!result) {
        return tl::unexpected(result.error().error);
    }
    BaselineTimes times = baseline_times(*result);
    if (!is_correct(result->outcome) || times.empty()) {
        return failure(ErrorCode::internal,
                       "the task's first starter ended as " +
                           std::string(to_string(result->outcome)) + ": " + result->reason,
                       "baseline", "see `atoll task check`");
    }
    return times;
}

}  // namespace

void Baselines::want(const TaskPtr& task, const ServedDevice& device, Wanted wanted) {
    const std::string key = device.name + " " + task->digest.hex();
    const auto [place, fresh] = m_entries.try_emplace(key);
    if (place->second.times) {
        return wanted(*place->second.times);
    }
    place->second.waiting.push_back(std::move(wanted));
    if (fresh) {
        evaluate(key, task, device);
    }
}

void Baselines::evaluate(const std::string& key, const TaskPtr& task, const ServedDevice& device) {
    EvaluationRequest request;
    request.task = task;
    request.candidate.kind = source_kind(task->kind);
    request.candidate.source = task->starters.front().source;
    request.priority = k_baseline_priority;
    request.deadline = deadline_for(request, device.limits, k_baseline_deadline, 0, device.count);
    auto done = [self = weak_from_this(), io = &m_threads.io, key](EvaluationResult result) {
        boost::asio::post(*io, [self, key, result = std::move(result)] {
            if (const std::shared_ptr<Baselines> table = self.lock()) {
                table->arrived(key, result);
            }
        });
    };
    boost::asio::post(m_threads.pool,
                      [evaluator = device.evaluator.get(), request = std::move(request),
                       done = std::move(done)]() mutable {
                          evaluator->submit(std::move(request), std::move(done));
                      });
}

void Baselines::arrived(const std::string& key, const EvaluationResult& result) {
    const Answer answer = times_of(result);
    Entry& entry = m_entries.at(key);
    const std::vector<Wanted> waiting = std::exchange(entry.waiting, {});
    if (answer) {
        entry.times = std::make_shared<const BaselineTimes>(*answer);
    } else {
        m_entries.erase(key);
    }
    for (const Wanted& wanted : waiting) {
        wanted(answer);
    }
}

}  // namespace atl
