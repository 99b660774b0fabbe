#pragma once

#include "reward/base/hash.hpp"
#include "reward/evaluation_log.hpp"
#include "reward/outcome.hpp"

#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

namespace atl {

/// What is said about a candidate whoever asks: ready to be said again.
struct ReadyAnswer {
    Outcome outcome = Outcome::passed;
    std::shared_ptr<const std::string> text;       ///< of verdict_text()
    std::shared_ptr<const EvaluationFacts> facts;  ///< for the log; nullptr where there is none

    [[nodiscard]] std::size_t bytes() const {
        return text->size() + (facts ? facts->verdict.size() : 0);
    }
};

/// Ready answers by JobRequest::content; the least recently used leave when the texts exceed
/// `bytes`. An evaluator has its verdicts cached too, but to look one up, score it and write it
/// takes a hundred times as long as to find it here. Not thread-safe.
class AnswerCache {
  public:
    explicit AnswerCache(std::size_t bytes) : m_most_bytes(bytes) {}

    [[nodiscard]] std::optional<ReadyAnswer> find(const Digest& content);
    void insert(const Digest& content, ReadyAnswer answer);
    /// Of the texts that are kept.
    [[nodiscard]] std::size_t bytes() const { return m_bytes; }

  private:
    struct Entry {
        Digest content;
        ReadyAnswer answer;
    };

    const std::size_t m_most_bytes;
    std::list<Entry> m_entries;  // most recently used first
    std::unordered_map<Digest, std::list<Entry>::iterator> m_index;
    std::size_t m_bytes = 0;
};

}  // namespace atl
