#pragma once

#include "reward/base/hash.hpp"
#include "reward/cuda/device_binary.hpp"

#include <cstddef>
#include <filesystem>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace atl {

/// Compiled device code by its key. In memory the least recently used leave beyond `max_binaries`
/// (each is an open file). With a folder, each is also a file (<2 hex digits>/<64 hex
/// digits>.device) that other processes may share, written under a temporary name and renamed.
/// Files are not trusted: one whose checksum is not that of its bytes and the key asked for is a
/// miss. A file is its magic, a SHA-256, three little-endian u64 sizes, then log, names and cubin;
/// facts are read anew. Thread-safe.
class DeviceCache {
  public:
    /// An empty folder name: memory only. The folder is made when it is first written to.
    explicit DeviceCache(std::filesystem::path folder, std::size_t max_binaries = 256);

    /// The binary, with `cached` set.
    [[nodiscard]] std::optional<DeviceBinary> find(const Digest& key);
    /// Keeps a binary that is ok. A folder that cannot be written to is passed over: the cache only
    /// saves time.
    void remember(const Digest& key, const DeviceBinary& binary, const DeviceArtifact& artifact);

  private:
    struct Entry {
        Digest key;
        DeviceBinary binary;
    };

    [[nodiscard]] std::filesystem::path file_of(const Digest& key) const;
    void insert(const Digest& key, const DeviceBinary& binary);

    const std::filesystem::path m_folder;
    const std::size_t m_max_binaries;
    std::mutex m_mutex;
    std::list<Entry> m_entries;  // most recently used first
    std::unordered_map<Digest, std::list<Entry>::iterator> m_index;
};

}  // namespace atl
