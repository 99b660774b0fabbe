#include "reward/compiler_discovery.hpp"

#include "reward/base/process.hpp"
#include "reward/base/programs.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <vector>

namespace atl {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::milliseconds k_version_patience{10'000};

bool is_cache(const fs::path& program) {
    std::error_code error;
    const fs::path real = fs::canonical(program, error);
    for (const char* name : {"ccache", "sccache", "distcc", "icecc", "buildcache"}) {
        if (real.filename() == name) {
            return true;
        }
    }
    return false;
}

/// An absolute path, or empty.
std::string resolve(const std::string& name) {
    for (const std::string& path : find_programs(name)) {
        if (!is_cache(path)) {
            return path;
        }
    }
    return {};
}

Expected<std::string> version_line(const std::string& compiler) {
    const FileHandle output(::memfd_create("version", MFD_CLOEXEC));
    SpawnOptions spawn;
    spawn.argv = {compiler, "--version"};
    spawn.environment = {"PATH=/usr/bin:/bin", "LC_ALL=C"};
    spawn.output = output.get();
    ATOLL_TRY_ASSIGN(ChildProcess process, ChildProcess::spawn(spawn));
    const auto end = process.wait(k_version_patience);
    if (!end || end->signalled || end->status != 0) {
        return failure(ErrorCode::unavailable,
                       "--version " + (end ? "ended with " + end->text() : "does not end"),
                       compiler, "is it a working C++ compiler?");
    }
    std::array<char, 512> text{};
    const ssize_t size = ::pread(output.get(), text.data(), text.size(), 0);
    std::string line(text.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    line.resize(std::min(line.find('\n'), line.size()));
    return line;
}

/// The names to try, in order.
std::vector<std::string> names_to_try(const std::string& wanted) {
    if (!wanted.empty()) {
        return {wanted};
    }
    std::vector<std::string> names;
    if (const char* value = std::getenv("CXX")) {
        // "ccache g++": the cache is passed over, its argument is the compiler.
        std::istringstream words(value);
        for (std::string word; words >> word;) {
            if (!word.starts_with('-')) {
                names.push_back(word);
            }
        }
    }
    names.insert(names.end(), {"g++", "c++", "clang++"});
    return names;
}

}  // namespace

Expected<FoundCompiler> find_compiler(const std::string& wanted) {
    for (const std::string& name : names_to_try(wanted)) {
        FoundCompiler found;
        found.path = resolve(name);
        if (!found.path.empty()) {
            ATOLL_TRY_ASSIGN(found.description, version_line(found.path));
            return found;
        }
    }
    return failure(ErrorCode::not_found,
                   wanted.empty() ? "no C++ compiler: tried $CXX, g++, c++ and clang++ in $PATH"
                                  : "there is no compiler '" + wanted + "'",
                   "compiler", "install one, e.g. apt-get install g++, or set CXX to its path");
}

}  // namespace atl
