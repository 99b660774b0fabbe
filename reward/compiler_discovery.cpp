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
    const fs::path found = fs::canonical(program, error);
    const fs::path& real = error ? program : found;
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

/// What the user's $CXX says the compiler is: "ccache g++" says g++. Empty when it says nothing.
std::string compiler_of_environment() {
    const char* value = std::getenv("CXX");
    std::istringstream words(value == nullptr ? "" : value);
    for (std::string word; words >> word;) {
        if (!word.starts_with('-') && !is_cache(word)) {
            return word;
        }
    }
    return {};
}

Expected<FoundCompiler> described(const std::string& path) {
    FoundCompiler found{path, {}};
    ATOLL_TRY_ASSIGN(found.description, version_line(path));
    return found;
}

}  // namespace

Expected<FoundCompiler> find_compiler(const std::string& wanted) {
    const std::string named = wanted.empty() ? compiler_of_environment() : wanted;
    for (const std::string& name : named.empty() ? std::vector<std::string>{"g++", "c++", "clang++"}
                                                 : std::vector<std::string>{named}) {
        if (const std::string path = resolve(name); !path.empty()) {
            return described(path);
        }
    }
    if (named.empty()) {
        return failure(ErrorCode::unavailable, "there is no g++, c++ or clang++ in $PATH",
                       "compiler", "install one, e.g. apt-get install g++, or set CXX to its path");
    }
    // Never another one than the user named.
    return failure(ErrorCode::invalid_argument, "there is no compiler '" + named + "'",
                   wanted.empty() ? "$CXX" : "compiler",
                   wanted.empty()
                       ? "correct CXX, or unset it to use g++, c++ or clang++"
                       : "give the name or path of one, or none to use $CXX, g++, c++ or clang++");
}

}  // namespace atl
