#pragma once

#include "reward/scores/judged.hpp"
#include "reward/server/served_device.hpp"
#include "reward/server/threads.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace atl {

/// What speed-ups are measured against: the times of each task's first starter on each device,
/// evaluated when they are first wanted. Belongs to the server's thread.
class Baselines : public std::enable_shared_from_this<Baselines> {
  public:
    using Answer = Expected<BaselineTimes>;
    using Wanted = std::function<void(const Answer&)>;

    explicit Baselines(Threads threads) : m_threads(threads) {}

    /// Calls `wanted` once, at once when the times are known. An error is a fault of ours or of the
    /// task, and the next who asks makes it try again. REQUIRES a task with a starter.
    void want(const TaskPtr& task, const ServedDevice& device, Wanted wanted);

  private:
    struct Entry {
        std::shared_ptr<const BaselineTimes> times;  ///< nullptr: under way
        std::vector<Wanted> waiting;
    };

    void evaluate(const std::string& key, const TaskPtr& task, const ServedDevice& device);
    void arrived(const std::string& key, const EvaluationResult& result);

    Threads m_threads;
    std::map<std::string, Entry> m_entries;  // by device and task digest
};

}  // namespace atl
