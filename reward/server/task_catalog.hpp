#pragma once

#include "reward/task.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace atl {

/// The tasks that a server offers, loaded once so that no request waits for the disk. Immutable
/// after it was filled; then thread-safe.
class TaskCatalog {
  public:
    /// One task for one kind. False when the name and kind are taken.
    bool add(TaskPtr task);
    /// nullptr when there is none.
    [[nodiscard]] TaskPtr find(const std::string& name, const std::string& kind) const;
    [[nodiscard]] bool has(const std::string& name) const { return m_tasks.contains(name); }
    [[nodiscard]] std::vector<std::string> names() const;
    /// Sorted; empty when there is no such task.
    [[nodiscard]] std::vector<std::string> kinds_of(const std::string& name) const;

  private:
    std::map<std::string, std::map<std::string, TaskPtr>> m_tasks;  // name -> kind -> task
};

/// Loads each folder's task for each of `kinds` that it has. What cannot be loaded is told to
/// `complain` and left out.
[[nodiscard]] TaskCatalog load_catalog(const std::vector<std::filesystem::path>& folders,
                                       const std::vector<std::string>& kinds,
                                       const std::function<void(const Error&)>& complain);

}  // namespace atl
