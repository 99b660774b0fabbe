#pragma once

#include "reward/base/error.hpp"
#include "reward/base/files.hpp"

#include <filesystem>
#include <string>
#include <utility>

namespace atl {

/// A fresh folder in the temporary folder ($TMPDIR) that only this user may enter. It is removed
/// with the object; where the process was killed, the next make() with the same prefix removes it:
/// a living owner holds a lock (flock) on its own. Thread-safe but for one object.
class PrivateFolder {
  public:
    /// `prefix`: the name's beginning, "atoll-judge-".
    [[nodiscard]] static Expected<PrivateFolder> make(const std::string& prefix);
    PrivateFolder(PrivateFolder&& other) noexcept
        : m_path(std::exchange(other.m_path, {})), m_lock(std::move(other.m_lock)) {}
    PrivateFolder& operator=(PrivateFolder&&) = delete;
    ~PrivateFolder();
    [[nodiscard]] const std::filesystem::path& path() const { return m_path; }

  private:
    PrivateFolder(std::filesystem::path path, FileHandle lock)
        : m_path(std::move(path)), m_lock(std::move(lock)) {}

    std::filesystem::path m_path;
    FileHandle m_lock;
};

}  // namespace atl
