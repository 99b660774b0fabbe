#include "reward/base/files.hpp"
#include "reward/candidate.hpp"
#include "reward/task_parts.hpp"

#include <algorithm>

namespace atl {

namespace {

namespace fs = std::filesystem;

Expected<std::string> read_source(const Task& task, const fs::path& relative) {
    ATOLL_TRY_ASSIGN(std::string source, read_task_file(task, relative, k_max_source_bytes));
    if (source.find('\0') != std::string::npos) {
        return failure(ErrorCode::invalid_argument, "the source holds a NUL byte",
                       (task.folder / relative).string());
    }
    return task.external ? source : without_byte_order_mark(std::move(source));
}

/// Extension of the starters: that of the candidates which the task's kind judges.
std::string starter_extension(const Task& task) {
    return task.external ? fs::path(task.external->candidate_file).extension().string()
                         : source_extension(task.kind);
}

Status read_starters(Task& task) {
    const fs::path folder = task.folder / "starters";
    std::error_code code;
    if (!fs::exists(fs::symlink_status(folder, code))) {
        return {};
    }
    std::vector<fs::path> files;
    for (fs::directory_iterator entry(folder, code); !code && entry != fs::directory_iterator();
         entry.increment(code)) {
        if (entry->path().extension() == starter_extension(task)) {
            files.push_back(entry->path());
        }
    }
    if (code) {
        return tl::unexpected<Error>(errno_error("readdir", folder.string(), code.value()));
    }
    if (files.size() > k_max_starters) {
        return failure(ErrorCode::limit, std::to_string(files.size()) + " starters",
                       folder.string(),
                       "at most " + std::to_string(k_max_starters) + " are allowed");
    }
    std::sort(files.begin(), files.end());
    for (const fs::path& file : files) {
        Starter starter;
        starter.name = file.stem().string();
        if (!is_plain_name(starter.name)) {
            return failure(ErrorCode::invalid_argument, "this cannot name a starter", file.string(),
                           "letters, digits, '_', '-' and '.', at most 64");
        }
        ATOLL_TRY_ASSIGN(starter.source, read_source(task, "starters" / file.filename()));
        task.starters.push_back(std::move(starter));
    }
    return {};
}

/// Those whose source is another kind's.
void drop_other_baselines(Task& task, std::vector<std::string>& files) {
    std::vector<Baseline> kept;
    std::vector<std::string> kept_files;
    for (std::size_t i = 0; i < files.size(); ++i) {
        if ((fs::path(files[i]).extension() == ".cu") == is_gpu_kind(task.kind)) {
            kept.push_back(std::move(task.baselines[i]));
            kept_files.push_back(std::move(files[i]));
        }
    }
    task.baselines = std::move(kept);
    files = std::move(kept_files);
}

Status read_baseline(Task& task, Baseline& baseline, const std::string& file) {
    const fs::path relative(file);
    const bool leaves = relative.is_absolute() ||
                        std::find(relative.begin(), relative.end(), "..") != relative.end();
    if (leaves) {
        return failure(ErrorCode::invalid_argument, "'" + file + "' is outside the task's folder",
                       (task.folder / "definition.json").string() + ": atoll.baselines",
                       "give a path inside it, e.g. baselines/" + baseline.name + ".cpp");
    }
    ATOLL_TRY_ASSIGN(baseline.source, read_source(task, relative));
    return {};
}

}  // namespace

Expected<std::string> read_task_file(const Task& task, const fs::path& relative,
                                     std::uint64_t max_bytes) {
    fs::path path = task.folder;
    for (const fs::path& part : relative) {
        path /= part;
        std::error_code code;
        if (fs::is_symlink(fs::symlink_status(path, code))) {
            return failure(ErrorCode::invalid_argument,
                           "is a link, which could show any file of this machine", path.string(),
                           "put a copy of what it points to into the task's folder");
        }
    }
    return read_regular_file(path, max_bytes);
}

Status read_sources(Task& task, std::vector<std::string> baseline_files) {
    std::error_code code;
    const fs::path reference = reference_file(task);
    if (fs::exists(fs::symlink_status(reference, code))) {
        ATOLL_TRY_ASSIGN(task.reference_source, read_source(task, reference.filename()));
    } else if (is_gpu_kind(task.kind)) {
        return failure(
            ErrorCode::not_found,
            "task " + task.name + " has no reference.cu, which kind " + task.kind + " needs",
            task.folder.string(),
            "write reference() in CUDA C++ there, or leave the kind to the task");
    }
    ATOLL_TRY(read_starters(task));
    drop_other_baselines(task, baseline_files);
    for (std::size_t i = 0; i < task.baselines.size(); ++i) {
        ATOLL_TRY(read_baseline(task, task.baselines[i], baseline_files[i]));
    }
    return {};
}

}  // namespace atl
