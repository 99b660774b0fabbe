#pragma once

#include "reward/evaluator.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace atl {

/// What a remote evaluator was asked and has no answer to: what is sent, what has to wait, and what
/// is given up. submit() and stats() from any thread, the rest from one.
class RemoteJobs {
  public:
    using Clock = std::chrono::steady_clock;

    /// `url`: for errors.
    explicit RemoteJobs(std::string url) : m_url(std::move(url)) {}

    /// Taken by the next take_submitted().
    void submit(EvaluationRequest request, Evaluator::Done done);
    [[nodiscard]] EvaluatorStats stats() const;

    void take_submitted();
    /// Appends the lines of jobs that are due, one for each of `credits`, which it takes, until
    /// `text` is large. What cannot be said, or not in `line_bytes`, gets a fault.
    void add_lines(std::string& text, std::size_t& credits, std::size_t line_bytes);
    /// Nothing for one that was given up.
    void answer(std::uint64_t id, EvaluationResult result);
    /// The server wants it later.
    void postpone(std::uint64_t id, std::chrono::milliseconds pause);
    /// Nobody has in work what was sent: it is due again.
    void forget_sent();
    /// Gives up what was cancelled or is late: those of them that were sent, to be cancelled at the
    /// server too. `is_due`: set where there is something to be sent.
    [[nodiscard]] std::vector<std::uint64_t> give_up_late(bool& is_due);
    /// A fault for each.
    void end_all(const Error& error);

  private:
    struct Asked {
        EvaluationRequest request;
        Evaluator::Done done;
        Clock::time_point deadline;
        Clock::time_point not_before;
        bool is_sent = false;
    };

    bool add_line(std::uint64_t id, Asked& asked, std::size_t line_bytes, std::string& text);

    const std::string m_url;
    std::map<std::uint64_t, Asked> m_jobs;
    std::uint64_t m_next_id = 1;
    mutable std::mutex m_mutex;  // of what follows
    std::vector<Asked> m_submitted;
    EvaluatorStats m_stats;
};

}  // namespace atl
