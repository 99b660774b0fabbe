#include "population/lineage/hdf5_handle.hpp"

#include <fcntl.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace atl::hdf5 {

namespace {

/// How often a live reader or writer reads what its checksum refuses, until it is an error. HDF5
/// sleeps for twice as long each time, from 1 ns: about a quarter of a second in all. Its own
/// number, 100, would wait for ever on a damaged file.
constexpr unsigned k_live_attempts = 28;

constexpr std::size_t k_max_stack_entries = 4;

struct StackText {
    std::string all;      // everything, to recognise the cause
    std::string excerpt;  // the innermost entries, for people
    std::size_t entries = 0;
};

herr_t collect(unsigned, const H5E_error2_t* entry, void* data) {
    auto& text = *static_cast<StackText*>(data);
    std::string line = entry->desc != nullptr ? entry->desc : "";
    std::replace(line.begin(), line.end(), '\n', ' ');  // "file write failed: time = ..."
    text.all += line + "\n";
    if (text.entries < k_max_stack_entries) {
        text.excerpt += (text.entries == 0 ? "" : "; ") + line;
    }
    ++text.entries;
    return 0;
}

ErrorCode code_of(std::string_view stack) {
    const auto contains = [&](std::string_view part) {
        return stack.find(part) != std::string_view::npos;
    };
    if (contains("errno = 28,") || contains("errno = 122,") || contains("errno = 27,")) {
        return ErrorCode::no_space;  // ENOSPC, EDQUOT, EFBIG
    }
    if (contains("errno = 13,") || contains("errno = 1,") || contains("errno = 30,")) {
        return ErrorCode::permission;  // EACCES, EPERM, EROFS
    }
    if (contains("errno = 2,") || contains("errno = 20,")) {
        return ErrorCode::not_found;  // ENOENT, ENOTDIR
    }
    if (contains("errno = 36,") || contains("errno = 40,")) {
        return ErrorCode::invalid_argument;  // ENAMETOOLONG, ELOOP
    }
    if (contains("file signature not found") || contains("truncated file") ||
        contains("bad superblock") || contains("wrong fixed")) {
        return ErrorCode::corrupt;
    }
    return contains("already open for write") ? ErrorCode::unavailable : ErrorCode::io;
}

std::string advice(ErrorCode code) {
    switch (code) {
        case ErrorCode::no_space:
            return "free space on this file system";
        case ErrorCode::unavailable:
            return "it is being written, or its writer was killed; the run folder has it all: "
                   "`atoll lineage RUN rebuild` makes the file anew";
        default:
            return "";
    }
}

Expected<Handle> access_properties(const std::string& where) {
    ATOLL_TRY_ASSIGN(const hid_t id, ATOLL_HDF5(where, H5Pcreate(H5P_FILE_ACCESS)));
    Handle access(id, H5Pclose);
    // Not left to the user's HDF5_USE_FILE_LOCKING: some file systems cannot lock, and the run
    // folder's own lock already keeps a second writer out.
    ATOLL_TRY(ATOLL_HDF5(where, H5Pset_file_locking(id, 0, 1)));
    ATOLL_TRY(ATOLL_HDF5(where, H5Pset_libver_bounds(id, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST)));
    // A file given up half-way must not stay open because of a forgotten data set.
    ATOLL_TRY(ATOLL_HDF5(where, H5Pset_fclose_degree(id, H5F_CLOSE_STRONG)));
    ATOLL_TRY(ATOLL_HDF5(where, H5Pset_metadata_read_attempts(id, k_live_attempts)));
    return access;
}

// HDF5 opens without O_CLOEXEC; a worker started later must not inherit the data set.
Status forbid_inheritance(hid_t file, const std::string& where) {
    void* descriptor = nullptr;
    ATOLL_TRY(ATOLL_HDF5(where, H5Fget_vfd_handle(file, H5P_DEFAULT, &descriptor)));
    if (descriptor != nullptr) {
        ::fcntl(*static_cast<int*>(descriptor), F_SETFD, FD_CLOEXEC);
    }
    return {};
}

}  // namespace

Status Handle::close(const std::string& where) {
    if (m_id < 0) {
        return {};
    }
    const hid_t id = std::exchange(m_id, -1);
    ATOLL_TRY(checked("H5close(handle)", where, [&] { return m_close(id); }));
    return {};
}

void Handle::reset() noexcept {
    if (m_id >= 0) {
        silence();
        m_close(std::exchange(m_id, -1));
    }
}

void silence() noexcept {
    // Before anything initialises the library: its exit handler crashes over a file whose close
    // failed (disk full), and everything of ours is closed by its owner anyway. Harmless repeated.
    H5dont_atexit();
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

Error last_error(const char* call, const std::string& where) {
    StackText text;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, collect, &text);
    H5Eclear2(H5E_DEFAULT);
    const std::string_view whole(call);
    const std::string name(whole.substr(0, whole.find('(')));
    const ErrorCode code = code_of(text.all);
    return Error{code, name + " failed: " + (text.excerpt.empty() ? "no reason" : text.excerpt),
                 where, advice(code)};
}

Expected<Handle> create_file(const std::filesystem::path& path) {
    const std::string where = path.string();
    ATOLL_TRY_ASSIGN(const Handle access, access_properties(where));
    ATOLL_TRY_ASSIGN(const hid_t id, ATOLL_HDF5(where, H5Fcreate(path.c_str(), H5F_ACC_TRUNC,
                                                                 H5P_DEFAULT, access.get())));
    Handle file(id, H5Fclose);
    ATOLL_TRY(forbid_inheritance(id, where));
    return file;
}

Expected<Handle> open_file_to_append(const std::filesystem::path& path) {
    const std::string where = path.string();
    ATOLL_TRY_ASSIGN(const Handle access, access_properties(where));
    ATOLL_TRY_ASSIGN(
        const hid_t id,
        ATOLL_HDF5(where, H5Fopen(path.c_str(), H5F_ACC_RDWR | H5F_ACC_SWMR_WRITE, access.get())));
    Handle file(id, H5Fclose);
    ATOLL_TRY(forbid_inheritance(id, where));
    return file;
}

Expected<Handle> open_file(const std::filesystem::path& path, LeftOpen left_open) {
    const std::string where = path.string();
    ATOLL_TRY_ASSIGN(const Handle access, access_properties(where));
    auto plain = ATOLL_HDF5(where, H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()));
    if (plain) {
        return Handle(*plain, H5Fclose);
    }
    if (left_open == LeftOpen::refuse) {
        return tl::unexpected<Error>(plain.error());
    }
    // Refused when a writer has it open, or died: such a file can be read as a live reader does.
    auto live =
        ATOLL_HDF5(where, H5Fopen(path.c_str(), H5F_ACC_RDONLY | H5F_ACC_SWMR_READ, access.get()));
    if (live) {
        return Handle(*live, H5Fclose);
    }
    return tl::unexpected<Error>(plain.error());
}

bool live_readers_supported(long file_system_type) {
    constexpr std::array<long, 11> k_unordered = {
        0x6969,  // NFS
        0x517B,  // SMB
        static_cast<int>(0xFE534D42u),
        0xFE534D42L,  // SMB2, as 32 and as 64 bits
        static_cast<int>(0xFF534D42u),
        0xFF534D42L,  // CIFS
        0x01021997,   // 9P
        0x65735546,   // FUSE: sshfs, object stores
        0x5346414F,   // AFS
        0x73757245,   // Coda
        0x00C36400,   // Ceph
    };
    return std::find(k_unordered.begin(), k_unordered.end(), file_system_type) == k_unordered.end();
}

bool live_readers_supported(const std::filesystem::path& folder) {
    struct statfs info {};
    return ::statfs(folder.c_str(), &info) == 0 &&
           live_readers_supported(static_cast<long>(info.f_type));
}

}  // namespace atl::hdf5
