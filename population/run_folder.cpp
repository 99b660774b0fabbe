#include "population/run_folder.hpp"

#include "population/journal/journal.hpp"
#include "population/journal/journal_format.hpp"
#include "population/lineage/lineage.hpp"
#include "reward/base/folders.hpp"
#include "reward/base/unfinished_files.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace atl {

namespace {

namespace fs = std::filesystem;

constexpr const char* k_restore_journal = "restore its journal from a copy";

/// What a run that was killed before its first event may have left.
bool is_own_name(const std::string& name) {
    constexpr std::array<const char*, 12> k_names = {
        "lock", "config.toml", "peaks.json",     "journal",        "snapshots", "logs",
        "best", "lineage.h5",  "lineage.h5.new", "lineage.h5.tmp", "prompts",   "hardware.md"};
    return is_unfinished_name(name) ||
           std::find(k_names.begin(), k_names.end(), name) != k_names.end();
}

/// What was being written when a process that had the folder was killed. Needs the lock.
void remove_unfinished(const RunFolder& run) {
    for (const fs::path& folder : {run.path(), run.snapshots(), run.best()}) {
        remove_unfinished_files(folder);
    }
    for (const char* end : {".new", ".tmp"}) {
        std::error_code ignored;
        fs::remove(run.lineage().string() + end, ignored);
    }
}

/// What a run must have (a copy of one may have left empty folders behind), and nothing else. Needs
/// the lock.
Status tidy_up(const RunFolder& run) {
    for (const fs::path& folder : {run.snapshots(), run.logs(), run.best()}) {
        ATOLL_TRY(create_folders_durably(folder));
    }
    remove_unfinished(run);
    return {};
}

/// A journal without a whole event is no run yet: its writer died before the first, or a power cut
/// tore that.
Expected<bool> holds_run(const fs::path& path) {
    std::error_code error;
    const std::uintmax_t size = fs::file_size(path / "journal", error);
    if (error == std::errc::no_such_file_or_directory) {
        return false;
    }
    if (error) {
        return tl::unexpected(errno_error("stat", (path / "journal").string(), error.value()));
    }
    if (size <= k_journal_header_bytes) {
        return false;
    }
    const auto journal = JournalReader::open(path / "journal");
    bool has_event = false;
    const Status status =
        journal ? (*journal)->for_each(0,
                                       [&has_event](const JournalReader::Entry&) -> Status {
                                           has_event = true;
                                           return failure(ErrorCode::interrupted, "seen");
                                       })
                : tl::unexpected(journal.error());
    return has_event || !status;  // a damaged one is a run: who reads it says what is wrong
}

/// A journal without events beside copies of events: it was lost, and the copies are all there is.
Status check_no_remains(const fs::path& path, ErrorCode code, const std::string& hint) {
    std::string what;
    const std::uint64_t events = count_lineage_events(path / "lineage.h5").value_or(0);
    std::error_code ignored;
    if (events > 0) {
        what = "a lineage.h5 with " + std::to_string(events) + " events";
    } else if (fs::directory_iterator(path / "snapshots", ignored) != fs::directory_iterator()) {
        what = "snapshots of a run";
    } else if (fs::directory_iterator(path / "best", ignored) != fs::directory_iterator()) {
        what = "the best kernel of a run";
    }
    if (what.empty()) {
        return {};
    }
    return failure(code, "holds " + what + ", but no journal with events", path.string(), hint);
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
    // Whoever made a run here took the lock first: without it, a config.toml is somebody else's.
    const bool has_begun = fs::exists(path / "lock", error);
    for (fs::directory_iterator entry(path, error), end; !error && entry != end;
         entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        if (!has_begun || !is_own_name(name)) {
            return failure(ErrorCode::already_exists,
                           "is not empty and not a run (it holds " + name + ")", path.string(),
                           "choose another folder with --output");
        }
    }
    if (error) {
        return tl::unexpected(errno_error("read", path.string(), error.value()));
    }
    return check_no_remains(
        path, ErrorCode::already_exists,
        "restore its journal from a copy, or choose another folder with --output");
}

Status check_is_run(const fs::path& path) {
    ATOLL_TRY_ASSIGN(const bool is_run, holds_run(path));
    if (!is_run) {
        ATOLL_TRY(check_no_remains(path, ErrorCode::corrupt, k_restore_journal));
        return failure(ErrorCode::not_found,
                       "is not a run folder: it has no journal with a campaign in it",
                       path.string(), "give the folder that atoll run wrote");
    }
    return {};
}

}  // namespace

Expected<RunFolder> RunFolder::create(const fs::path& path) {
    std::error_code ignored;
    const bool made = !fs::exists(path, ignored);
    ATOLL_TRY(create_folders_durably(path));
    ATOLL_TRY(check_free(path));
    ATOLL_TRY_ASSIGN(FolderLock lock, FolderLock::acquire(path));
    // Again: another process may have made a run here between the check and the claim.
    ATOLL_TRY(check_free(path));
    RunFolder folder(path, std::move(lock));
    folder.m_made = made;
    ATOLL_TRY(tidy_up(folder));
    return folder;
}

void RunFolder::discard() {
    std::error_code ignored;
    std::vector<fs::path> own;
    for (const fs::directory_entry& entry : fs::directory_iterator(m_path, ignored)) {
        if (is_own_name(entry.path().filename().string())) {
            own.push_back(entry.path());
        }
    }
    for (const fs::path& path : own) {
        fs::remove_all(path, ignored);
    }
    if (m_made) {
        fs::remove(m_path, ignored);
    }
    m_lock.reset();
}

Expected<RunFolder> RunFolder::open(const fs::path& path) {
    ATOLL_TRY(check_is_run(path));
    ATOLL_TRY_ASSIGN(FolderLock lock, FolderLock::acquire(path));
    RunFolder folder(path, std::move(lock));
    ATOLL_TRY(tidy_up(folder));
    return folder;
}

Status RunFolder::check_has_journal(const fs::path& path) {
    std::error_code ignored;
    const bool is_run =
        fs::exists(path / "lock", ignored) || fs::exists(path / "snapshots", ignored);
    if (!is_run || fs::exists(path / "journal", ignored)) {
        return {};
    }
    return check_no_remains(path, ErrorCode::corrupt, k_restore_journal);
}

Expected<RunFolder> RunFolder::open_read_only(const fs::path& path) {
    ATOLL_TRY(check_is_run(path));
    return RunFolder(path, std::nullopt);
}

}  // namespace atl
