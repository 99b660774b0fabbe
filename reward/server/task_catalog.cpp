#include "reward/server/task_catalog.hpp"

#include <algorithm>

namespace atl {

bool TaskCatalog::add(TaskPtr task) {
    std::string name = task->name;
    std::string kind = task->kind;
    return m_tasks[std::move(name)].emplace(std::move(kind), std::move(task)).second;
}

TaskPtr TaskCatalog::find(const std::string& name, const std::string& kind) const {
    const auto task = m_tasks.find(name);
    if (task == m_tasks.end()) {
        return nullptr;
    }
    const auto found = task->second.find(kind);
    return found == task->second.end() ? nullptr : found->second;
}

std::vector<std::string> TaskCatalog::names() const {
    std::vector<std::string> names;
    for (const auto& [name, kinds] : m_tasks) {
        names.push_back(name);
    }
    return names;
}

std::vector<std::string> TaskCatalog::kinds_of(const std::string& name) const {
    std::vector<std::string> kinds;
    if (const auto found = m_tasks.find(name); found != m_tasks.end()) {
        for (const auto& [kind, task] : found->second) {
            kinds.push_back(kind);
        }
    }
    return kinds;
}

TaskCatalog load_catalog(const std::vector<std::filesystem::path>& folders,
                         const std::vector<std::string>& kinds,
                         const std::function<void(const Error&)>& complain) {
    TaskCatalog catalog;
    const auto add = [&](const TaskPtr& task, const std::filesystem::path& folder) {
        if (!catalog.add(task)) {
            complain({ErrorCode::already_exists,
                      "a task of the name '" + task->name + "' is served already", folder.string(),
                      "rename one of them"});
        }
    };
    for (const std::filesystem::path& folder : folders) {
        const Expected<TaskPtr> task = load_task(folder);
        if (!task) {
            complain(task.error());
            continue;
        }
        for (const std::string& kind : kinds) {
            if (kind == (*task)->kind) {
                add(*task, folder);
            } else if (const Expected<TaskPtr> other = load_task(folder, kind); other) {
                add(*other, folder);
            }
        }
    }
    return catalog;
}

}  // namespace atl
