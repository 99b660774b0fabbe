#include "tools/atoll/new_run.hpp"

#include "tools/atoll/exit_codes.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>
#include <utility>

namespace atl {

namespace fs = std::filesystem;

NewRun::NewRun(const fs::path& path) : m_folder(value_or_end(RunFolder::create(path))) {}

NewRun NewRun::named_by_time(const std::string& name) {
    const std::time_t now = std::time(nullptr);
    const std::string base = fmt::format("runs/{}-{:%Y%m%d-%H%M%S}", name, fmt::localtime(now));
    for (int i = 1;; ++i) {
        const fs::path path = i == 1 ? base : base + "-" + std::to_string(i);
        std::error_code ignored;
        if (fs::exists(path, ignored)) {
            continue;
        }
        Expected<RunFolder> folder = RunFolder::create(path);
        // Another process may have taken the name meanwhile.
        const bool taken = !folder && folder.error().code == ErrorCode::already_exists &&
                           fs::exists(path, ignored);
        if (!taken) {
            return NewRun(value_or_end(std::move(folder)));
        }
    }
}

NewRun::~NewRun() {
    if (!m_begun) {
        m_folder.discard();
    }
}

RunFolder NewRun::begin() {
    m_begun = true;
    return std::move(m_folder);
}

}  // namespace atl
