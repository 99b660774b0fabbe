#pragma once

#include "reward/base/files.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

namespace atl::fuzz {

/// Bytes that can be opened by a path, without touching a disk.
class MemoryFile {
  public:
    explicit MemoryFile(std::string_view bytes)
        : m_file(::memfd_create("atoll-fuzz", MFD_CLOEXEC)) {
        while (!bytes.empty()) {
            const ssize_t written = ::write(m_file.get(), bytes.data(), bytes.size());
            if (written < 0 && errno != EINTR) {
                throw std::runtime_error("cannot write to a file in memory");
            }
            bytes.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
        }
    }
    [[nodiscard]] std::filesystem::path path() const {
        return "/proc/self/fd/" + std::to_string(m_file.get());
    }

  private:
    FileHandle m_file;
};

/// A disk of its own for a JournalWriter, kept in `bytes`.
class MemoryDisk final : public AppendFile {
  public:
    explicit MemoryDisk(std::string& bytes) : m_bytes(bytes) {}
    [[nodiscard]] Status append(std::string_view bytes) override {
        m_bytes += bytes;
        return {};
    }
    [[nodiscard]] Status sync() override { return {}; }
    [[nodiscard]] std::uint64_t size() const override { return m_bytes.size(); }
    [[nodiscard]] Status truncate(std::uint64_t size) override {
        m_bytes.resize(size);
        return {};
    }
    [[nodiscard]] Expected<std::string> read_at(std::uint64_t offset,
                                                std::size_t size) const override {
        return offset < m_bytes.size() ? m_bytes.substr(offset, size) : std::string();
    }

  private:
    std::string& m_bytes;
};

}  // namespace atl::fuzz
