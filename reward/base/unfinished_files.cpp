#include "reward/base/unfinished_files.hpp"

#include <unistd.h>

#include <system_error>
#include <vector>

namespace atl {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view k_end = ".tmp";

}  // namespace

fs::path unfinished_path(const fs::path& path) {
    return path.parent_path() /
           ("." + path.filename().string() + "." + std::to_string(::getpid()) + std::string(k_end));
}

bool is_unfinished_name(std::string_view name) {
    if (!name.starts_with('.') || !name.ends_with(k_end)) {
        return false;
    }
    name.remove_suffix(k_end.size());
    const std::size_t dot = name.rfind('.');
    if (dot == std::string_view::npos || dot < 2) {
        return false;  // no name before the number
    }
    const std::string_view pid = name.substr(dot + 1);
    return !pid.empty() && pid.find_first_not_of("0123456789") == std::string_view::npos;
}

void remove_unfinished_files(const fs::path& folder) {
    std::vector<fs::path> found;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
        if (is_unfinished_name(entry->path().filename().string())) {
            found.push_back(entry->path());
        }
    }
    for (const fs::path& path : found) {
        fs::remove(path, error);
    }
}

}  // namespace atl
