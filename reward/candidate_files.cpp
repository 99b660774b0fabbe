#include "reward/candidate_files.hpp"

#include "reward/base/files.hpp"
#include "reward/source_text.hpp"

#include <algorithm>
#include <fstream>
#include <system_error>

namespace atl {

namespace {

namespace fs = std::filesystem;

tl::unexpected<Error> refused(const fs::path& path, const std::string& what,
                              const std::string& hint) {
    return failure(ErrorCode::invalid_argument, what, path.string(), hint);
}

tl::unexpected<Error> unreadable(const fs::path& path, const std::error_code& code) {
    return tl::unexpected(errno_error("read", path.string(), code.value()));
}

std::string bytes_limit() {
    return "a folder may hold " + std::to_string(k_max_candidate_bytes) + " bytes";
}

/// Adds one entry of a folder; nothing for a folder, which the caller descends into.
Status add_entry(const fs::path& root, const fs::directory_entry& entry, std::size_t& bytes,
                 std::vector<CandidateFile>& files) {
    std::error_code code;
    const fs::file_status status = entry.symlink_status(code);
    if (code) {
        return unreadable(entry.path(), code);
    }
    if (fs::is_directory(status)) {
        return {};
    }
    if (!fs::is_regular_file(status)) {
        return refused(entry.path(), "is a link or a special file",
                       "a candidate's folder holds only files and folders");
    }
    if (files.size() == k_max_candidate_files) {
        return refused(root, "holds more than " + std::to_string(k_max_candidate_files) + " files",
                       "leave out what the candidate does not need");
    }
    CandidateFile file;
    file.path = entry.path().lexically_relative(root).generic_string();
    ATOLL_TRY_ASSIGN(file.content, read_regular_file(entry.path(), k_max_candidate_bytes));
    file.executable = (status.permissions() & fs::perms::owner_exec) != fs::perms::none;
    bytes += file.content.size();
    if (bytes > k_max_candidate_bytes) {
        return refused(root, "is too large", bytes_limit());
    }
    files.push_back(std::move(file));
    return {};
}

Expected<std::vector<CandidateFile>> read_folder(const fs::path& root) {
    std::vector<CandidateFile> files;
    std::size_t bytes = 0;
    std::error_code code;
    fs::recursive_directory_iterator entry(root, code);
    for (; !code && entry != fs::recursive_directory_iterator(); entry.increment(code)) {
        if (static_cast<std::size_t>(entry.depth()) >= k_max_candidate_depth) {
            return refused(
                root, "is nested deeper than " + std::to_string(k_max_candidate_depth) + " levels",
                "leave out what the candidate does not need");
        }
        ATOLL_TRY(add_entry(root, *entry, bytes, files));
    }
    if (code) {
        return unreadable(root, code);
    }
    if (files.empty()) {
        return refused(root, "holds no file", "give a file, or a folder of files");
    }
    std::sort(files.begin(), files.end(),
              [](const auto& a, const auto& b) { return a.path < b.path; });
    if (const auto complaint = complaint_about_files(files)) {
        return refused(root, *complaint, "rename or leave out that file");
    }
    return files;
}

std::optional<std::string> complaint_about_path(const std::string& text) {
    if (text.empty() || text.size() > k_max_candidate_path_bytes ||
        text.find('\0') != std::string::npos) {
        return "the path of a file must have 1 to " + std::to_string(k_max_candidate_path_bytes) +
               " bytes and no NUL";
    }
    std::size_t depth = 0;
    for (std::size_t begin = 0; begin <= text.size(); ++depth) {
        const std::size_t end = std::min(text.find('/', begin), text.size());
        const std::string part = text.substr(begin, end - begin);
        if (part.empty() || part == "." || part == "..") {
            return "the path of a file must be relative, without empty parts, '.' and '..'";
        }
        begin = end + 1;
    }
    if (depth > k_max_candidate_depth) {
        return "a file is nested deeper than " + std::to_string(k_max_candidate_depth) + " levels";
    }
    return std::nullopt;
}

Status write_text(const fs::path& path, const std::string& text) {
    std::ofstream file(path, std::ios::binary);
    file << text;
    file.close();
    if (!file) {
        return failure(ErrorCode::no_space, "the candidate cannot be written", path.string(),
                       "free space in the temporary folder ($TMPDIR)");
    }
    return {};
}

}  // namespace

Status read_candidate(const fs::path& path, Candidate& candidate) {
    std::error_code code;
    if (fs::is_directory(path, code)) {
        // Through a link to the folder, but to none inside it.
        ATOLL_TRY_ASSIGN(candidate.files, read_folder(fs::canonical(path, code)));
        return {};
    }
    ATOLL_TRY_ASSIGN(candidate.source, read_regular_file(path, 2 * k_max_source_bytes));
    if (candidate.kind != "external") {
        candidate.source = without_byte_order_mark(std::move(candidate.source));
    }
    return {};
}

std::optional<std::string> complaint_about_files(const std::vector<CandidateFile>& files) {
    if (files.size() > k_max_candidate_files) {
        return "the folder holds more than " + std::to_string(k_max_candidate_files) + " files";
    }
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < files.size(); ++i) {
        if (auto complaint = complaint_about_path(files[i].path)) {
            return complaint;
        }
        if (i > 0 && files[i - 1].path >= files[i].path) {
            return "the files must be in order of their paths, each once";
        }
        bytes += files[i].content.size();
    }
    return bytes > k_max_candidate_bytes ? std::optional("too large: " + bytes_limit())
                                         : std::nullopt;
}

Status write_candidate(const fs::path& path, const Candidate& candidate) {
    if (candidate.files.empty()) {
        return write_text(path, apply_tune_to_text(candidate.source, candidate.tune));
    }
    for (const CandidateFile& file : candidate.files) {
        const fs::path target = path / file.path;
        std::error_code code;
        fs::create_directories(target.parent_path(), code);
        ATOLL_TRY(write_text(target, apply_tune_to_text(file.content, candidate.tune)));
        if (file.executable) {
            fs::permissions(target, fs::perms::owner_exec, fs::perm_options::add, code);
        }
    }
    return {};
}

}  // namespace atl
