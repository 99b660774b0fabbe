#include "population/run_folder.hpp"

#include "population/journal_format.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <system_error>
#include <utility>

namespace atl {

namespace {

namespace fs = std::filesystem;

/// What a run that was killed while it was being created may have left.
constexpr std::array<const char*, 6> k_own_names = {"lock",      "config.toml", "journal",
                                                    "snapshots", "logs",        "best"};

Status make_folder(const fs::path& path) {
    std::error_code error;
    fs::create_directories(path, error);
    if (error) {
        return tl::unexpected(errno_error("mkdir", path.string(), error.value()));
    }
    return {};
}

/// A journal that holds nothing but its header is no run yet.
Expected<bool> holds_run(const fs::path& path) {
    std::error_code error;
    const std::uintmax_t size = fs::file_size(path / "journal", error);
    if (error == std::errc::no_such_file_or_directory) {
        return false;
    }
    if (error) {
        return tl::unexpected(errno_error("stat", (path / "journal").string(), error.value()));
    }
    return size > k_journal_header_bytes;
}

/// Errors when a new run may not be made here.
Status check_free(const fs::path& path) {
    ATOLL_TRY_ASSIGN(const bool is_run, holds_run(path));
    if (is_run) {
        return failure(ErrorCode::already_exists, "holds a run", path.string(),
                       "go on with it: atoll resume " + path.string() +
                           "; or choose another folder with --output");
    }
    std::error_code error;
    for (fs::directory_iterator entry(path, error), end; !error && entry != end;
         entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        if (std::find(k_own_names.begin(), k_own_names.end(), name) == k_own_names.end()) {
            return failure(ErrorCode::already_exists,
                           "is not empty and not a run (it holds " + name + ")", path.string(),
                           "choose another folder with --output");
        }
    }
    if (error) {
        return tl::unexpected(errno_error("read", path.string(), error.value()));
    }
    return {};
}

Status check_is_run(const fs::path& path) {
    ATOLL_TRY_ASSIGN(const bool is_run, holds_run(path));
    if (!is_run) {
        return failure(ErrorCode::not_found,
                       "is not a run folder: it has no journal with a campaign in it",
                       path.string(), "give the folder that atoll run wrote");
    }
    return {};
}

}  // namespace

Expected<RunFolder> RunFolder::create(const fs::path& path) {
    ATOLL_TRY(make_folder(path));
    ATOLL_TRY(check_free(path));
    ATOLL_TRY_ASSIGN(FolderLock lock, FolderLock::acquire(path));
    // Again: another process may have made a run here between the check and the claim.
    ATOLL_TRY(check_free(path));
    RunFolder folder(path, std::move(lock));
    ATOLL_TRY(make_folder(folder.snapshots()));
    ATOLL_TRY(make_folder(folder.logs()));
    ATOLL_TRY(make_folder(folder.best()));
    return folder;
}

Expected<RunFolder> RunFolder::open(const fs::path& path) {
    ATOLL_TRY(check_is_run(path));
    ATOLL_TRY_ASSIGN(FolderLock lock, FolderLock::acquire(path));
    RunFolder folder(path, std::move(lock));
    // A copy of a run may have left empty folders behind.
    ATOLL_TRY(make_folder(folder.snapshots()));
    ATOLL_TRY(make_folder(folder.logs()));
    ATOLL_TRY(make_folder(folder.best()));
    return folder;
}

Expected<RunFolder> RunFolder::open_read_only(const fs::path& path) {
    ATOLL_TRY(check_is_run(path));
    return RunFolder(path, std::nullopt);
}

}  // namespace atl
