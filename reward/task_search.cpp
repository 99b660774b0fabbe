#include "reward/base/own_program.hpp"
#include "reward/base/settings.hpp"
#include "reward/base/words.hpp"
#include "reward/task.hpp"

#include <algorithm>
#include <cstdlib>

namespace atl {

namespace {

namespace fs = std::filesystem;

bool is_task(const fs::path& folder) {
    std::error_code code;
    return fs::is_regular_file(folder / "definition.json", code);
}

/// Whether a task was meant: what is wrong with its definition is for load_task() to say.
bool names_task(const fs::path& folder) {
    std::error_code code;
    return fs::exists(fs::symlink_status(folder / "definition.json", code));
}

/// Folders that hold task folders, in the order in which they are searched; existing ones only.
std::vector<fs::path> task_roots() {
    std::vector<fs::path> roots;
    const auto add = [&](const fs::path& root) {
        std::error_code code;
        const fs::path real = fs::canonical(root, code);
        if (!code && fs::is_directory(real, code) &&
            std::find(roots.begin(), roots.end(), real) == roots.end()) {
            roots.push_back(real);
        }
    };
    if (const char* folders = std::getenv("ATOLL_TASKS")) {
        const std::string list = folders;
        for (std::size_t begin = 0; begin <= list.size();) {
            const std::size_t end = std::min(list.find(':', begin), list.size());
            if (end > begin) {
                add(list.substr(begin, end - begin));
            }
            begin = end + 1;
        }
    }
    add("experiments/tasks");
    for (const fs::path& folder : folders_above_program()) {
        add(folder / "experiments" / "tasks");
    }
    return roots;
}

}  // namespace

std::vector<fs::path> list_tasks() {
    std::vector<fs::path> tasks;
    const auto known = [&](const fs::path& name) {
        return std::any_of(tasks.begin(), tasks.end(),
                           [&](const fs::path& task) { return task.filename() == name; });
    };
    for (const fs::path& root : task_roots()) {
        std::vector<fs::path> here;
        std::error_code code;
        for (fs::directory_iterator entry(root, code); !code && entry != fs::directory_iterator();
             entry.increment(code)) {
            // An earlier root hides tasks of the same name in a later one, as find_task does.
            if (is_task(entry->path()) && !known(entry->path().filename())) {
                here.push_back(entry->path());
            }
        }
        std::sort(here.begin(), here.end());
        tasks.insert(tasks.end(), here.begin(), here.end());
    }
    return tasks;
}

Expected<fs::path> find_task(const std::string& name_or_path) {
    const bool plain = name_or_path.find('/') == std::string::npos;
    if (names_task(name_or_path)) {
        return fs::path(name_or_path);
    }
    std::vector<std::string> names;
    for (const fs::path& task : list_tasks()) {
        names.push_back(task.filename().string());
        if (plain && names.back() == name_or_path) {
            return task;
        }
    }
    if (!plain) {
        return failure(ErrorCode::not_found, "no task here: definition.json is missing",
                       name_or_path,
                       fs::path(name_or_path).is_absolute()
                           ? "atoll task list names the tasks that exist"
                           : "a relative path starts at the current folder; atoll task list names "
                             "the tasks that exist");
    }
    const std::string nearest = nearest_word(name_or_path, names);
    std::string hint = nearest.empty() ? "" : "did you mean '" + nearest + "'? ";
    hint += names.empty() ? "no tasks found: set ATOLL_TASKS to a folder of tasks" : "tasks:";
    for (const std::string& name : names) {
        hint += " " + name;
    }
    return failure(ErrorCode::not_found, "no task named '" + name_or_path.substr(0, 80) + "'", {},
                   hint);
}

Expected<fs::path> find_shipped(const std::string& argument) {
    const std::string name = argument.substr(std::min(argument.size(), k_shipped_prefix.size()));
    for (const fs::path& folder : folders_above_program()) {
        const fs::path file = folder / "tools" / "python" / name;
        std::error_code code;
        if (is_plain_name(name) && fs::is_regular_file(file, code)) {
            return file;
        }
    }
    return failure(ErrorCode::not_found, "no file '" + name.substr(0, 80) + "' is shipped",
                   argument.substr(0, 100), "e.g. {atoll}/openevolve_adapter.py");
}

}  // namespace atl
