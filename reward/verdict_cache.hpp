#pragma once

#include "reward/base/error.hpp"
#include "reward/base/hash.hpp"
#include "reward/verdict.hpp"

#include <cstddef>
#include <filesystem>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace atl {

/// Verdicts by their cache key: the least recently used leave memory when their JSON exceeds
/// `memory_bytes`; with a folder, every verdict is also a file (<2 hex digits>/<64 hex
/// digits>.json) that other processes may share. Files are not trusted: one that does not parse, or
/// that holds the verdict of another key, is a miss. Thread-safe.
class VerdictCache {
  public:
    /// An empty folder name: memory only. The folder is made when it is first used.
    explicit VerdictCache(std::filesystem::path folder, std::size_t memory_bytes = 64u << 20);

    /// The verdict with `from_cache` set.
    [[nodiscard]] std::optional<Verdict> find(const Digest& key);
    /// Keeps `verdict` in memory under verdict.key.
    void remember(const Verdict& verdict);
    /// Writes it to the folder (fsynced, so it takes milliseconds); nothing without a folder.
    [[nodiscard]] Status save(const Verdict& verdict) const;
    /// Makes the folder and writes into it once, so that one that cannot be used is known before
    /// anything is measured.
    [[nodiscard]] Status try_folder() const;
    [[nodiscard]] bool has_folder() const { return !m_folder.empty(); }

  private:
    struct Entry {
        Digest key;
        std::string json;
    };

    [[nodiscard]] std::filesystem::path file_of(const Digest& key) const;
    [[nodiscard]] std::optional<std::string> find_in_memory(const Digest& key);
    void insert(const Digest& key, std::string json);

    const std::filesystem::path m_folder;
    const std::size_t m_memory_bytes;
    std::mutex m_mutex;
    std::list<Entry> m_entries;  // most recently used first
    std::unordered_map<Digest, std::list<Entry>::iterator> m_index;
    std::size_t m_bytes = 0;
};

}  // namespace atl
