#include "reward/base/own_program.hpp"

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>

namespace atl {

namespace {

namespace fs = std::filesystem;

constexpr const char* k_maps = "/proc/self/maps";

/// The path that ends a line of /proc/self/maps, after five fields without blanks. The kernel
/// writes only a newline as an escape (proc_pid_maps(5)).
std::string path_of_mapping(const std::string& line) {
    std::size_t at = 0;
    for (int field = 0; field < 5 && at != std::string::npos; ++field) {
        at = line.find_first_not_of(' ', line.find(' ', at));
    }
    std::string path = at == std::string::npos ? std::string() : line.substr(at);
    for (std::size_t i = path.find("\\012"); i != std::string::npos; i = path.find("\\012", i)) {
        path.replace(i, 4, "\n");
    }
    return path;
}

std::vector<std::string> command_line() {
    std::ifstream file("/proc/self/cmdline");
    std::vector<std::string> words;
    for (std::string word; std::getline(file, word, '\0');) {
        words.push_back(word);
    }
    return words;
}

}  // namespace

Expected<std::string> own_program() {
    // Where this code lies, and it is linked into every program of ours.
    const auto address = reinterpret_cast<std::uintptr_t>(&own_program);
    std::ifstream maps(k_maps);
    for (std::string line; std::getline(maps, line);) {
        unsigned long begin = 0;
        unsigned long end = 0;
        if (std::sscanf(line.c_str(), "%lx-%lx", &begin, &end) == 2 && begin <= address &&
            address < end) {
            if (std::string path = path_of_mapping(line); path.starts_with('/')) {
                return path;
            }
        }
    }
    return failure(ErrorCode::not_found, "does not say which program this is", k_maps,
                   "mount /proc");
}

std::vector<fs::path> folders_above_program() {
    std::vector<fs::path> folders;
    const fs::path program = own_program().value_or(std::string());
    for (fs::path folder = program.parent_path(); folder.has_relative_path();
         folder = folder.parent_path()) {
        folders.push_back(folder);
    }
    return folders;
}

Expected<std::vector<std::string>> started_like_this_program(const std::string& program) {
    ATOLL_TRY_ASSIGN(const std::string self, own_program());
    std::error_code error;
    const fs::path started = fs::read_symlink("/proc/self/exe", error);
    if (error || started == self) {
        return std::vector<std::string>{program};
    }
    std::vector<std::string> words{started.string()};
    const std::vector<std::string> line = command_line();
    for (std::size_t i = 1; i < line.size(); ++i) {
        // What a loader calls the program (--argv0) may be its path, too.
        const bool is_option_value = line[i - 1] == "--argv0";
        if (!is_option_value && fs::equivalent(line[i], self, error)) {
            words.push_back(program);
            return words;
        }
        words.push_back(line[i]);
    }
    return failure(ErrorCode::not_found, "the command line does not name this program", self,
                   "start it as the bundle does");
}

}  // namespace atl
