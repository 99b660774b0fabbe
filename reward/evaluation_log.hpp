#pragma once

#include "reward/base/error.hpp"
#include "reward/base/hash.hpp"
#include "reward/outcome.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace atl {

/// What an evaluation came to: the same for all who asked the same.
struct EvaluationFacts {
    Outcome outcome = Outcome::rejected;
    std::string verdict;   ///< JSON, hidden workloads included
    std::string baseline;  ///< JSON object, workload to ns; empty where none was needed
    std::vector<std::pair<std::string, double>> scores;  ///< by preset, as asked
    bool cached = false;
};

/// One evaluation as it is kept: what was asked, by whom, and what was answered.
struct EvaluationRecord {
    std::string task;
    Digest task_digest;
    std::string kind;
    std::string device;
    std::string level;
    std::map<std::string, std::string> tune;
    std::vector<std::string> flags;
    std::string source;
    std::string reply;  ///< empty: none was sent
    std::string trajectory;
    std::string group;
    std::string policy_version;
    std::int64_t turn = -1;  ///< -1: not said
    std::vector<std::int32_t> token_ids;
    std::vector<float> log_probabilities;
    std::shared_ptr<const EvaluationFacts> facts;  ///< nullptr: a fault of ours
    std::string fault;                             ///< in a sentence
    double seconds = 0;                            ///< from arrival to now

    /// Roughly what it takes of memory.
    [[nodiscard]] std::size_t bytes() const {
        return sizeof(*this) + source.size() + reply.size() +
               token_ids.size() * sizeof(std::int32_t) + log_probabilities.size() * sizeof(float) +
               (facts ? facts->verdict.size() : 0);
    }
};

/// Where evaluations are kept. Thread-safe.
class EvaluationLog {
  public:
    struct Stats {
        std::uint64_t recorded = 0;  ///< durable
        std::uint64_t lost = 0;      ///< answered without being durable
        bool failing = false;        ///< the last attempt to write failed
    };

    virtual ~EvaluationLog() = default;
    /// Calls `done` once, on a thread of the log: true when the record is durable, false when it
    /// could not be made so now.
    virtual void record(EvaluationRecord record, std::function<void(bool durable)> done) = 0;
    /// Of records whose `done` is still to be called.
    [[nodiscard]] virtual std::size_t waiting_bytes() const = 0;
    [[nodiscard]] virtual Stats stats() const = 0;
    /// Writes what waits, calls every `done` and closes. Later records are lost.
    virtual void finish() = 0;
};

}  // namespace atl
