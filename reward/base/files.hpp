#pragma once

#include "reward/base/error.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace atl {

/// An owned file descriptor.
class FileHandle {
  public:
    FileHandle() = default;
    explicit FileHandle(int fd) : m_fd(fd) {}
    ~FileHandle() { reset(); }
    FileHandle(FileHandle&& other) noexcept : m_fd(other.release()) {}
    FileHandle& operator=(FileHandle&& other) noexcept {
        if (this != &other) {
            reset(other.release());
        }
        return *this;
    }

    [[nodiscard]] int get() const { return m_fd; }
    [[nodiscard]] explicit operator bool() const { return m_fd >= 0; }
    int release() { return std::exchange(m_fd, -1); }
    void reset(int fd = -1);

  private:
    int m_fd = -1;
};

/// Another handle of the same open file, closed on exec.
[[nodiscard]] Expected<FileHandle> duplicate_handle(const FileHandle& file);
[[nodiscard]] Expected<FileHandle> duplicate_handle(int fd);

/// Reads a whole file; longer than `max_bytes` is an error of code limit.
[[nodiscard]] Expected<std::string> read_file(const std::filesystem::path& path,
                                              std::uint64_t max_bytes);

/// The same, but anything that is not a regular file (or a link to one) is refused without being
/// read: a FIFO would be waited for, a device may never end.
[[nodiscard]] Expected<std::string> read_regular_file(const std::filesystem::path& path,
                                                      std::uint64_t max_bytes);

/// Writes to a temporary name in the same folder, fsyncs, renames, fsyncs the folder: a reader
/// sees the old text or the new one, after power loss too.
[[nodiscard]] Status write_file_durably(const std::filesystem::path& path, std::string_view bytes);

/// A file read by position, which may still be growing. Thread-safe.
class ReadableFile {
  public:
    virtual ~ReadableFile() = default;
    /// `size` bytes from `offset`; fewer only where the file ends.
    [[nodiscard]] virtual Expected<std::string> read_at(std::uint64_t offset,
                                                        std::size_t size) const = 0;
};

/// Opens for reading; needs only open and pread (read-only file systems, NFS).
[[nodiscard]] Expected<std::unique_ptr<ReadableFile>> open_readable_file(
    const std::filesystem::path& path);

/// A file that only grows, behind an interface so that tests can drop what was not synced, fill
/// the disk, or fail at any byte (as leveldb's fault injection does). Not thread-safe, but for
/// read_at of bytes that were appended before.
class AppendFile : public ReadableFile {
  public:
    [[nodiscard]] virtual Status append(std::string_view bytes) = 0;
    /// Returns once everything appended so far survives power loss, as far as the disk tells.
    [[nodiscard]] virtual Status sync() = 0;
    [[nodiscard]] virtual std::uint64_t size() const = 0;
    /// Cuts the file back to `size` bytes (a torn tail).
    [[nodiscard]] virtual Status truncate(std::uint64_t size) = 0;
};

/// Opens for appending, creating it if absent. Uses only open/pread/write/fsync/ftruncate
/// (NFS-safe). After a failed append the file may hold a part of the bytes: truncate() before
/// trying again.
[[nodiscard]] Expected<std::unique_ptr<AppendFile>> open_append_file(
    const std::filesystem::path& path);

/// An exclusive claim on a folder, held while the object lives: a lock file with host and pid,
/// taken with fcntl (which works over NFS) so that the kernel frees it when the holder dies.
/// A second claim fails with already_exists and says who holds it.
class FolderLock {
  public:
    [[nodiscard]] static Expected<FolderLock> acquire(const std::filesystem::path& folder);

  private:
    explicit FolderLock(FileHandle file) : m_file(std::move(file)) {}
    FileHandle m_file;
};

}  // namespace atl
