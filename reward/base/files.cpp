#include "reward/base/files.hpp"

#include "reward/base/unfinished_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>

namespace atl {

namespace {

Expected<FileHandle> open_handle(const std::filesystem::path& path, int flags, mode_t mode = 0) {
    int fd = -1;
    do {
        fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0) {
        return tl::unexpected(errno_error("open", path.string(), errno));
    }
    return FileHandle(fd);
}

Status write_all(int fd, std::string_view bytes, const std::string& name) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return tl::unexpected(errno_error("write", name, errno));
        }
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

Status sync_fd(int fd, const std::string& name) {
    while (::fsync(fd) != 0) {
        if (errno != EINTR) {
            return tl::unexpected(errno_error("fsync", name, errno));
        }
    }
    return {};
}

Expected<std::string> pread_at(int fd, std::uint64_t offset, std::size_t size,
                               const std::string& name) {
    constexpr auto k_last = static_cast<std::uint64_t>(std::numeric_limits<off_t>::max());
    std::string bytes;
    // In steps, so that an absurd size costs no more memory than the file has bytes.
    char chunk[1 << 16];
    while (bytes.size() < size && offset <= k_last) {
        const std::size_t wanted = std::min(sizeof(chunk), size - bytes.size());
        const ssize_t got = ::pread(fd, chunk, wanted, static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return tl::unexpected(errno_error("read", name, errno));
        }
        if (got == 0) {
            break;
        }
        bytes.append(chunk, static_cast<std::size_t>(got));
        offset += static_cast<std::uint64_t>(got);
    }
    return bytes;
}

/// Makes a created or renamed name durable. Some file systems cannot fsync a folder (EINVAL); there
/// the name is as durable as they make it.
Status sync_folder(const std::filesystem::path& folder) {
    const std::filesystem::path name = folder.empty() ? "." : folder;
    ATOLL_TRY_ASSIGN(const FileHandle handle, open_handle(name, O_RDONLY | O_DIRECTORY));
    if (::fsync(handle.get()) != 0 && errno != EINVAL) {
        return tl::unexpected(errno_error("fsync", name.string(), errno));
    }
    return {};
}

class PosixReadableFile final : public ReadableFile {
  public:
    PosixReadableFile(FileHandle handle, std::string name)
        : m_handle(std::move(handle)), m_name(std::move(name)) {}

    [[nodiscard]] Expected<std::string> read_at(std::uint64_t offset,
                                                std::size_t size) const override {
        return pread_at(m_handle.get(), offset, size, m_name);
    }

  private:
    FileHandle m_handle;
    std::string m_name;
};

class PosixAppendFile final : public AppendFile {
  public:
    PosixAppendFile(FileHandle handle, std::string name, std::uint64_t size)
        : m_handle(std::move(handle)), m_name(std::move(name)), m_size(size) {}

    [[nodiscard]] Expected<std::string> read_at(std::uint64_t offset,
                                                std::size_t size) const override {
        return pread_at(m_handle.get(), offset, size, m_name);
    }

    [[nodiscard]] Status append(std::string_view bytes) override {
        const Status status = write_all(m_handle.get(), bytes, m_name);
        const off_t end = ::lseek(m_handle.get(), 0, SEEK_END);
        if (end >= 0) {
            m_size = static_cast<std::uint64_t>(end);
        }
        return status;
    }

    [[nodiscard]] Status sync() override { return sync_fd(m_handle.get(), m_name); }
    [[nodiscard]] std::uint64_t size() const override { return m_size; }

    [[nodiscard]] Status truncate(std::uint64_t size) override {
        while (::ftruncate(m_handle.get(), static_cast<off_t>(size)) != 0) {
            if (errno != EINTR) {
                return tl::unexpected(errno_error("ftruncate", m_name, errno));
            }
        }
        m_size = size;
        return {};
    }

  private:
    FileHandle m_handle;
    std::string m_name;
    std::uint64_t m_size;
};

std::string host_name() {
    char name[256] = "unknown host";
    if (::gethostname(name, sizeof(name) - 1) != 0) {
        return "unknown host";
    }
    return name;
}

/// Removes a temporary file unless it was renamed away.
class TemporaryName {
  public:
    explicit TemporaryName(std::filesystem::path path) : m_path(std::move(path)) {}
    ~TemporaryName() {
        if (!m_path.empty()) {
            ::unlink(m_path.c_str());
        }
    }
    TemporaryName(const TemporaryName&) = delete;
    TemporaryName& operator=(const TemporaryName&) = delete;
    void keep() { m_path.clear(); }

  private:
    std::filesystem::path m_path;
};

Expected<std::string> read_to_end(int fd, const std::filesystem::path& path,
                                  std::uint64_t max_bytes) {
    constexpr std::uint64_t k_most = std::numeric_limits<std::size_t>::max() - 1;
    const auto wanted = static_cast<std::size_t>(std::min(max_bytes, k_most));
    std::string bytes;
    char chunk[1 << 16];
    // Read, not pread: devices and /proc files may have no positions.
    while (true) {
        const ssize_t got = ::read(fd, chunk, sizeof(chunk));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return tl::unexpected(errno_error("read", path.string(), errno));
        }
        if (got == 0) {
            return bytes;
        }
        bytes.append(chunk, static_cast<std::size_t>(got));
        if (bytes.size() > wanted) {
            return failure(ErrorCode::limit,
                           "is longer than " + std::to_string(max_bytes) + " bytes", path.string(),
                           "give a shorter file");
        }
    }
}

/// Does not wait for the other end of a FIFO.
Expected<FileHandle> open_at_once(const std::filesystem::path& path, struct stat& about) {
    ATOLL_TRY_ASSIGN(FileHandle handle, open_handle(path, O_RDONLY | O_NONBLOCK));
    if (::fstat(handle.get(), &about) != 0) {
        return tl::unexpected(errno_error("fstat", path.string(), errno));
    }
    return handle;
}

}  // namespace

Expected<std::string> read_file(const std::filesystem::path& path, std::uint64_t max_bytes) {
    struct stat about {};
    ATOLL_TRY_ASSIGN(const FileHandle handle, open_at_once(path, about));
    if (S_ISFIFO(about.st_mode) || S_ISSOCK(about.st_mode)) {
        return failure(ErrorCode::invalid_argument, "is a pipe or a socket", path.string(),
                       "give a file");
    }
    // A terminal would answer "not yet" until somebody typed.
    if (::fcntl(handle.get(), F_SETFL, 0) != 0) {
        return tl::unexpected(errno_error("fcntl", path.string(), errno));
    }
    return read_to_end(handle.get(), path, max_bytes);
}

Expected<std::string> read_regular_file(const std::filesystem::path& path,
                                        std::uint64_t max_bytes) {
    struct stat about {};
    ATOLL_TRY_ASSIGN(const FileHandle handle, open_at_once(path, about));
    if (!S_ISREG(about.st_mode)) {
        return failure(ErrorCode::invalid_argument, "is not a regular file", path.string(),
                       "give a file");
    }
    return read_to_end(handle.get(), path, max_bytes);
}

Status write_file_durably(const std::filesystem::path& path, std::string_view bytes) {
    const std::filesystem::path temporary = unfinished_path(path);
    TemporaryName guard(temporary);
    {
        ATOLL_TRY_ASSIGN(FileHandle handle,
                         open_handle(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0644));
        ATOLL_TRY(write_all(handle.get(), bytes, path.string()));
        ATOLL_TRY(sync_fd(handle.get(), path.string()));
        // NFS and quotas may refuse as late as close().
        if (::close(handle.release()) != 0 && errno != EINTR) {
            return tl::unexpected(errno_error("close", path.string(), errno));
        }
    }
    if (::rename(temporary.c_str(), path.c_str()) != 0) {
        return tl::unexpected(errno_error("rename", path.string(), errno));
    }
    guard.keep();
    return sync_folder(path.parent_path());
}

Expected<std::unique_ptr<ReadableFile>> open_readable_file(const std::filesystem::path& path) {
    ATOLL_TRY_ASSIGN(FileHandle handle, open_handle(path, O_RDONLY));
    return std::make_unique<PosixReadableFile>(std::move(handle), path.string());
}

Expected<std::unique_ptr<AppendFile>> open_append_file(const std::filesystem::path& path) {
    ATOLL_TRY_ASSIGN(FileHandle handle, open_handle(path, O_RDWR | O_CREAT | O_APPEND, 0644));
    const off_t end = ::lseek(handle.get(), 0, SEEK_END);
    if (end < 0) {
        return tl::unexpected(errno_error("lseek", path.string(), errno));
    }
    ATOLL_TRY(sync_folder(path.parent_path()));
    return std::make_unique<PosixAppendFile>(std::move(handle), path.string(),
                                             static_cast<std::uint64_t>(end));
}

Expected<FolderLock> FolderLock::acquire(const std::filesystem::path& folder) {
    const std::filesystem::path path = folder / "lock";
    ATOLL_TRY_ASSIGN(FileHandle handle, open_handle(path, O_RDWR | O_CREAT, 0644));
    // Open-file-description locks: unlike the older per-process kind, a second claim within one
    // process is refused too, and closing another handle of the file does not free the claim.
    struct flock claim {};
    claim.l_type = F_WRLCK;
    claim.l_whence = SEEK_SET;
    if (::fcntl(handle.get(), F_OFD_SETLK, &claim) != 0) {
        if (errno != EAGAIN && errno != EACCES) {
            Error error = errno_error("fcntl (lock)", path.string(), errno);
            error.hint = "this file system gives no file locks: choose a folder on another one";
            return tl::unexpected(std::move(error));
        }
        std::string holder = pread_at(handle.get(), 0, 512, path.string()).value_or("");
        std::erase_if(holder, [](unsigned char c) { return c < 0x20 || c > 0x7e; });
        return failure(ErrorCode::already_exists,
                       "is in use by " + (holder.empty() ? "another process" : holder),
                       folder.string(), "wait for it to end, stop it, or choose another folder");
    }
    const std::string self = "process " + std::to_string(::getpid()) + " on " + host_name() + "\n";
    if (::ftruncate(handle.get(), 0) != 0) {
        return tl::unexpected(errno_error("ftruncate", path.string(), errno));
    }
    ATOLL_TRY(write_all(handle.get(), self, path.string()));
    return FolderLock(std::move(handle));
}

}  // namespace atl
