#include "tools/atoll/program.hpp"

#include "reward/base/own_program.hpp"

#include <cerrno>  // program_invocation_name
#include <cstdlib>
#include <filesystem>
#include <sstream>

namespace atl {

namespace {

namespace fs = std::filesystem;

/// What starts this program: its own file, but in a bundle the launcher, which hands its path over
/// as argv[0] when it gives the program to a dynamic loader. Empty when nobody knows.
fs::path starter() {
    const Expected<std::string> self = own_program();
    std::error_code error;
    if (!self || fs::read_symlink("/proc/self/exe", error) == *self) {
        return self.value_or(std::string());
    }
    return program_invocation_name;
}

}  // namespace

std::string program_name() {
    std::error_code error;
    const fs::path self = starter();
    if (self.empty()) {
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
