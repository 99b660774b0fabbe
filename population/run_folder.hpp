#pragma once

#include "reward/base/error.hpp"
#include "reward/base/files.hpp"

#include <filesystem>
#include <optional>

namespace atl {

/// The folder that a campaign writes:
///
///     config.toml    the resolved config
///     peaks.json     what the device can do, and the clock that times are stated at
///     journal        the truth: every event and text (journal.hpp)
///     snapshots/     states that bound the replay on resume (snapshot.hpp)
///     lineage.h5     the data set, rebuildable from the journal (lineage.hpp)
///     logs/          for people
///     best/          the best kernels as files
///     prompts/       what models are asked with, of a campaign that asks some
///     hardware.md    what they are told of the device
///     lock           who has the folder open for writing
///
/// Movable; the lock is held while the object lives.
class RunFolder {
  public:
    /// Makes the folder and locks it. already_exists when it holds a run (says to resume it),
    /// anything else (says to choose another), or is in use.
    [[nodiscard]] static Expected<RunFolder> create(const std::filesystem::path& path);
    /// Locks an existing run to go on with it. not_found when it is no run, already_exists when
    /// another process has it (says which).
    [[nodiscard]] static Expected<RunFolder> open(const std::filesystem::path& path);
    /// Takes no lock and writes nothing: for analysis of running, finished and read-only runs.
    [[nodiscard]] static Expected<RunFolder> open_read_only(const std::filesystem::path& path);
    /// corrupt when this is the folder of a run whose journal is gone, even if its lineage.h5 is
    /// whole. One without lock and snapshots holds a copied lineage.h5, which needs no journal.
    [[nodiscard]] static Status check_has_journal(const std::filesystem::path& path);

    /// Takes away what create() and its caller put here: for a run that was refused before its
    /// first event. The folder itself goes too when create() made it.
    void discard();

    [[nodiscard]] const std::filesystem::path& path() const { return m_path; }
    [[nodiscard]] std::filesystem::path config() const { return m_path / "config.toml"; }
    [[nodiscard]] std::filesystem::path journal() const { return m_path / "journal"; }
    [[nodiscard]] std::filesystem::path snapshots() const { return m_path / "snapshots"; }
    [[nodiscard]] std::filesystem::path lineage() const { return m_path / "lineage.h5"; }
    [[nodiscard]] std::filesystem::path logs() const { return m_path / "logs"; }
    [[nodiscard]] std::filesystem::path best() const { return m_path / "best"; }
    [[nodiscard]] std::filesystem::path prompts() const { return m_path / "prompts"; }
    [[nodiscard]] std::filesystem::path hardware() const { return m_path / "hardware.md"; }

  private:
    RunFolder(std::filesystem::path path, std::optional<FolderLock> lock)
        : m_path(std::move(path)), m_lock(std::move(lock)) {}

    std::filesystem::path m_path;
    std::optional<FolderLock> m_lock;
    bool m_made = false;  ///< the folder was not there before create()
};

}  // namespace atl
