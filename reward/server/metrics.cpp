#include "reward/server/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <string>
#include <unordered_map>

namespace atl {

namespace {

using prometheus::Histogram;
using prometheus::Registry;

const Histogram::BucketBoundaries& answer_bounds() {
    static const Histogram::BucketBoundaries bounds = {0.001, 0.003, 0.01, 0.03, 0.1, 0.3,
                                                       1,     3,     10,   30,   110};
    return bounds;
}

const Histogram::BucketBoundaries& job_bounds() {
    static const Histogram::BucketBoundaries bounds = {0.003, 0.01, 0.03, 0.1, 0.3, 1,
                                                       3,     10,   30,   100, 300};
    return bounds;
}

}  // namespace

struct Metrics::State {
    Registry registry;
    /// Family::Add() looks labels up under a lock and makes maps of them; these are few and counted
    /// for every request.
    std::unordered_map<std::string, prometheus::Counter*> known_answers;  // by route and status
    std::unordered_map<std::string, prometheus::Counter*> known_jobs;     // by end
    prometheus::Family<prometheus::Counter>& answers =
        prometheus::BuildCounter()
            .Name("atoll_http_answers_total")
            .Help("HTTP requests answered, by route and status")
            .Register(registry);
    Histogram& answer_seconds = prometheus::BuildHistogram()
                                    .Name("atoll_http_answer_seconds")
                                    .Help("Time from a request's last byte to its answer")
                                    .Register(registry)
                                    .Add({}, answer_bounds());
    prometheus::Family<prometheus::Counter>& jobs =
        prometheus::BuildCounter()
            .Name("atoll_jobs_total")
            .Help("Jobs ended, by outcome; 'fault' and 'cancelled' have no verdict")
            .Register(registry);
    Histogram& job_seconds = prometheus::BuildHistogram()
                                 .Name("atoll_job_seconds")
                                 .Help("Time from a job's arrival to its end")
                                 .Register(registry)
                                 .Add({}, job_bounds());
    prometheus::Gauge& connections = prometheus::BuildGauge()
                                         .Name("atoll_connections")
                                         .Help("Connections that are open")
                                         .Register(registry)
                                         .Add({});
    prometheus::Gauge& pending = prometheus::BuildGauge()
                                     .Name("atoll_jobs_pending")
                                     .Help("Jobs that have no answer yet")
                                     .Register(registry)
                                     .Add({});
    prometheus::Gauge& in_evaluator = prometheus::BuildGauge()
                                          .Name("atoll_jobs_in_evaluator")
                                          .Help(
                                              "Jobs that an evaluator has not answered yet, "
                                              "cancelled ones among them")
                                          .Register(registry)
                                          .Add({});
    prometheus::Family<prometheus::Counter>& device =
        prometheus::BuildCounter()
            .Name("atoll_evaluator_total")
            .Help(
                "What each device's evaluator counted: submitted, completed, cache_hits, "
                "coalesced, faults, worker_restarts")
            .Register(registry);

    prometheus::Family<prometheus::Counter>& busy =
        prometheus::BuildCounter()
            .Name("atoll_device_busy_seconds_total")
            .Help(
                "Seconds in which the devices of that name worked on jobs that have ended, "
                "together")
            .Register(registry);
    prometheus::Family<prometheus::Counter>& log =
        prometheus::BuildCounter()
            .Name("atoll_log_total")
            .Help(
                "Evaluations by what became of their record: recorded (durable), lost (answered "
                "without being durable)")
            .Register(registry);
    prometheus::Family<prometheus::Gauge>& log_failing =
        prometheus::BuildGauge()
            .Name("atoll_log_failing")
            .Help("1 while the log cannot be written")
            .Register(registry);

    void raise(const std::string& name, const std::string& what, std::uint64_t to) {
        prometheus::Counter& counter = device.Add({{"device", name}, {"what", what}});
        counter.Increment(static_cast<double>(to) - counter.Value());
    }
};

Metrics::Metrics() : m_state(std::make_unique<State>()) {}
Metrics::~Metrics() = default;

void Metrics::answered(const std::string& route, unsigned status, double seconds) {
    const std::string code = std::to_string(status);
    prometheus::Counter*& counter = m_state->known_answers[route + " " + code];
    if (counter == nullptr) {
        counter = &m_state->answers.Add({{"route", route}, {"status", code}});
    }
    counter->Increment();
    m_state->answer_seconds.Observe(seconds);
}

void Metrics::job_ended(const std::string& end, double seconds) {
    prometheus::Counter*& counter = m_state->known_jobs[end];
    if (counter == nullptr) {
        counter = &m_state->jobs.Add({{"end", end}});
    }
    counter->Increment();
    m_state->job_seconds.Observe(seconds);
}

void Metrics::set_connections(std::size_t open) {
    m_state->connections.Set(static_cast<double>(open));
}

void Metrics::set_jobs(std::size_t pending, std::size_t in_evaluator) {
    m_state->pending.Set(static_cast<double>(pending));
    m_state->in_evaluator.Set(static_cast<double>(in_evaluator));
}

void Metrics::set_device(const std::string& device, const EvaluatorStats& stats) {
    m_state->raise(device, "submitted", stats.submitted);
    m_state->raise(device, "completed", stats.completed);
    m_state->raise(device, "cache_hits", stats.cache_hits);
    m_state->raise(device, "coalesced", stats.coalesced);
    m_state->raise(device, "faults", stats.faults);
    m_state->raise(device, "worker_restarts", stats.worker_restarts);
    prometheus::Counter& busy = m_state->busy.Add({{"device", device}});
    busy.Increment(stats.busy_seconds - busy.Value());
}

void Metrics::set_log(const EvaluationLog::Stats& stats) {
    const auto raise = [this](const char* what, std::uint64_t to) {
        prometheus::Counter& counter = m_state->log.Add({{"what", what}});
        counter.Increment(static_cast<double>(to) - counter.Value());
    };
    raise("recorded", stats.recorded);
    raise("lost", stats.lost);
    m_state->log_failing.Add({}).Set(stats.failing ? 1 : 0);
}

std::string Metrics::text() const {
    return prometheus::TextSerializer().Serialize(m_state->registry.Collect());
}

}  // namespace atl
