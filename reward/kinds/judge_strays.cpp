#include "reward/kinds/judge_strays.hpp"

#include "reward/base/files.hpp"
#include "reward/base/process.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <system_error>
#include <thread>

namespace atl {

namespace {

namespace fs = std::filesystem;

constexpr int k_rounds = 1000;
constexpr std::uint64_t k_max_environment_bytes = 4 << 20;

bool is_number(const std::string& text) {
    return !text.empty() && text.size() < 10 &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Whether there was one.
bool kill_round(const std::string& variable) {
    bool found = false;
    std::error_code error;
    for (fs::directory_iterator entry("/proc", error), end; !error && entry != end;
         entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        if (!is_number(name)) {
            continue;
        }
        // The handle first: what is read afterwards is of the process that it holds, or of none.
        const auto process = open_pidfd(std::stoi(name));
        const auto environment = read_file(entry->path() / "environ", k_max_environment_bytes);
        if (process && environment &&
            (std::string(1, '\0') + *environment).find(variable) != std::string::npos) {
            kill_through(process->get());
            found = true;
        }
    }
    return found;
}

}  // namespace

void kill_judge_strays(const fs::path& home) {
    const std::string nul(1, '\0');
    const std::string variable = nul + "HOME=" + home.string() + nul;
    for (int round = 0; round < k_rounds && kill_round(variable); ++round) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

}  // namespace atl
