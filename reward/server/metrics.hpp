#pragma once

#include "reward/evaluation_log.hpp"
#include "reward/evaluator.hpp"

#include <cstddef>
#include <memory>
#include <string>

namespace atl {

/// What a server counts, for Prometheus. To be used on the server's thread alone.
class Metrics {
  public:
    Metrics();
    ~Metrics();
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;

    /// `route` is one of a fixed list, never a client's text: every new one takes memory for good.
    void answered(const std::string& route, unsigned status, double seconds);
    /// `end`: an outcome's name, "fault" or "cancelled".
    void job_ended(const std::string& end, double seconds);
    void set_connections(std::size_t open);
    void set_jobs(std::size_t pending, std::size_t in_evaluator);
    void set_device(const std::string& device, const EvaluatorStats& stats);
    void set_log(const EvaluationLog::Stats& stats);
    /// Text exposition format 0.0.4.
    [[nodiscard]] std::string text() const;

  private:
    struct State;
    std::unique_ptr<State> m_state;
};

}  // namespace atl
