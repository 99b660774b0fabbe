#pragma once

#include <sys/types.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>

namespace atl::testing {

/// All living descendants of a process, as this process numbers them.
inline std::set<pid_t> descendants(pid_t root) {
    std::set<pid_t> found;
    std::error_code ignored;
    for (const auto& task :
         std::filesystem::directory_iterator("/proc/" + std::to_string(root) + "/task", ignored)) {
        std::ifstream children(task.path() / "children");
        for (pid_t child = 0; children >> child;) {
            found.insert(child);
            found.merge(descendants(child));
        }
    }
    return found;
}

}  // namespace atl::testing
