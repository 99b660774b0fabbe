#include "reward/base/programs.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>

namespace atl {

namespace {

namespace fs = std::filesystem;

bool is_program(const fs::path& path) {
    std::error_code error;
    return fs::is_regular_file(path, error) && ::access(path.c_str(), X_OK) == 0;
}

}  // namespace

std::vector<std::string> find_programs(const std::string& name) {
    std::vector<std::string> found;
    const auto add = [&found](const fs::path& path) {
        if (is_program(path)) {
            found.push_back(path.string());
        }
    };
    if (name.find('/') != std::string::npos) {
        std::error_code error;
        add(fs::absolute(name, error));
        return found;
    }
    const char* path = std::getenv("PATH");
    std::istringstream folders(path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin");
    for (std::string folder; std::getline(folders, folder, ':');) {
        // Not from the current folder, which an empty entry means.
        if (folder.starts_with('/')) {
            add(fs::path(folder) / name);
        }
    }
    return found;
}

}  // namespace atl
