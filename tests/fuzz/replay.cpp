// Runs a target on every file of some folders and on mutations of each, with any compiler: the
// default test of what libFuzzer looks for at length. The input at work lies in fuzz-input-TARGET
// of the current folder, so that what kills this process can be run again.

#include "reward/base/files.hpp"
#include "tests/fuzz/mutate.hpp"
#include "tests/fuzz/targets.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

namespace atl::fuzz {

namespace fs = std::filesystem;

namespace {

constexpr const char* k_usage =
    "Usage: fuzz_replay TARGET MUTATIONS FILE-OR-FOLDER...\n"
    "  Gives the target every file, and in all MUTATIONS mutations of them.\n"
    "Exit status: 0 all were taken, 1 an exception came out, 2 wrong use or no file; a broken\n"
    "promise aborts.\n"
    "Targets:";

std::vector<fs::path> files_of(const std::vector<fs::path>& arguments) {
    std::vector<fs::path> files;
    for (const fs::path& argument : arguments) {
        if (!fs::is_directory(argument)) {
            files.push_back(argument);
            continue;
        }
        for (const auto& entry : fs::directory_iterator(argument)) {
            files.push_back(entry.path());
        }
    }
    std::ranges::sort(files);
    return files;
}

/// Gives a target inputs, each of which is on disk while it is looked at.
class Replay {
  public:
    explicit Replay(const Target& target)
        : m_target(target), m_path(std::string("fuzz-input-") + target.name) {}

    void run(const std::string& input) {
        std::ofstream(m_path, std::ios::binary) << input;
        m_target.run(input);
        ++m_inputs;
    }
    /// All is well, so that no input need be kept.
    void end() const {
        std::error_code ignored;
        fs::remove(m_path, ignored);
    }
    [[nodiscard]] std::uint64_t inputs() const { return m_inputs; }

  private:
    const Target& m_target;
    fs::path m_path;
    std::uint64_t m_inputs = 0;
};

int replay(const Target& target, std::uint64_t mutations, const std::vector<fs::path>& files) {
    Replay replay(target);
    const std::uint64_t per_file = (mutations + files.size() - 1) / files.size();
    for (const fs::path& file : files) {
        const std::string seed = value_or_throw(read_file(file, std::uint64_t{64} << 20));
        replay.run(seed);
        for (std::uint64_t number = 0; number < per_file; ++number) {
            replay.run(mutated(seed, number));
        }
    }
    replay.end();
    std::cout << target.name << ": " << files.size() << " files, " << replay.inputs()
              << " inputs\n";
    return 0;
}

int usage() {
    std::cerr << k_usage;
    for (const Target& target : all_targets()) {
        std::cerr << " " << target.name;
    }
    std::cerr << "\n";
    return 2;
}

std::optional<std::uint64_t> number_from(const std::string& text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return number;
}

int run(const std::vector<std::string>& arguments) {
    if (arguments.size() < 3) {
        return usage();
    }
    const auto targets = all_targets();
    const auto target = std::ranges::find(targets, arguments[0], &Target::name);
    const auto mutations = number_from(arguments[1]);
    const auto files = files_of({arguments.begin() + 2, arguments.end()});
    if (target == targets.end() || !mutations || files.empty()) {
        return usage();
    }
    return replay(*target, *mutations, files);
}

}  // namespace

}  // namespace atl::fuzz

int main(int argc, char** argv) {
    try {
        return atl::fuzz::run({argv + 1, argv + argc});
    } catch (const std::exception& error) {
        std::cerr << "fuzz_replay: " << error.what() << "\n";
        return 1;
    }
}
