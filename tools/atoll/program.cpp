#include "tools/atoll/program.hpp"

#include <cstdlib>
#include <filesystem>
#include <sstream>

namespace atl {

std::string program_name() {
    namespace fs = std::filesystem;
    std::error_code error;
    const fs::path self = fs::read_symlink("/proc/self/exe", error);
    if (error) {
        return "atoll";
    }
    const char* path = std::getenv("PATH");
    std::istringstream folders(path == nullptr ? "" : path);
    for (std::string folder; std::getline(folders, folder, ':');) {
        if (fs::equivalent(fs::path(folder) / "atoll", self, error)) {
            return "atoll";
        }
    }
    const fs::path near = fs::proximate(self, fs::current_path(error), error);
    return error || near.string().starts_with("../..") ? self.string() : near.string();
}

}  // namespace atl
