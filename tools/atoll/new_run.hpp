#pragma once

#include "population/run_folder.hpp"

#include <filesystem>
#include <string>

namespace atl {

/// A run's folder, which is taken away again unless the run begins.
class NewRun {
  public:
    /// Throws CommandError when no run can be made in `path`.
    explicit NewRun(const std::filesystem::path& path);
    /// In runs/NAME-TIME, or with the first of the suffixes -2, -3, ... that nobody has.
    [[nodiscard]] static NewRun named_by_time(const std::string& name);
    ~NewRun();
    NewRun(const NewRun&) = delete;
    NewRun& operator=(const NewRun&) = delete;

    [[nodiscard]] const RunFolder& folder() const { return m_folder; }
    /// From here on it is a run, however it ends.
    [[nodiscard]] RunFolder begin();

  private:
    explicit NewRun(RunFolder folder) : m_folder(std::move(folder)) {}

    RunFolder m_folder;
    bool m_begun = false;
};

}  // namespace atl
