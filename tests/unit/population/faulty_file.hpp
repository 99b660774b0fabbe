#pragma once

#include "reward/base/files.hpp"

#include <algorithm>
#include <memory>
#include <random>
#include <string>

namespace atl::samples {

/// A disk whose faults the test decides: what it would hold after a power cut is `durable`, what
/// the writing process sees is `volatile_bytes`.
struct FaultyDisk {
    std::string durable;
    std::string volatile_bytes;
    std::uint64_t capacity = ~std::uint64_t{0};  ///< writes beyond it are short, then ENOSPC
    int failing_syncs = 0;                       ///< how many of the next fsyncs fail
    int syncs = 0;
    std::string before_last_sync;  ///< the durable bytes then

    /// As if the power were cut while the last fsync was running.
    void undo_last_sync() { durable = before_last_sync; }
    /// A power cut: what was not synced is gone.
    void lose_power() { volatile_bytes = durable; }
    /// A power cut while the disk wrote unsynced blocks in any order: each block behind the
    /// durable bytes is there, or is zeros, or the file ends before it.
    void lose_power_untidily(std::mt19937& random, std::size_t block) {
        std::string kept = durable;
        if (volatile_bytes.size() > durable.size()) {
            const std::size_t extra = random() % (volatile_bytes.size() - durable.size() + 1);
            kept = volatile_bytes.substr(0, durable.size() + extra);
            for (std::size_t at = durable.size(); at < kept.size(); at += block) {
                if (random() % 3 == 0) {
                    const std::size_t size = std::min(block, kept.size() - at);
                    kept.replace(at, size, size, '\0');
                }
            }
        }
        durable = kept;
        volatile_bytes = kept;
    }
};

class FaultyFile final : public AppendFile {
  public:
    explicit FaultyFile(std::shared_ptr<FaultyDisk> disk) : m_disk(std::move(disk)) {}

    [[nodiscard]] Status append(std::string_view bytes) override {
        const std::uint64_t room =
            m_disk->capacity - std::min<std::uint64_t>(m_disk->capacity, size());
        m_disk->volatile_bytes += bytes.substr(0, room);
        if (room < bytes.size()) {
            return tl::unexpected(errno_error("write", "disk", ENOSPC));
        }
        return {};
    }
    [[nodiscard]] Status sync() override {
        ++m_disk->syncs;
        if (m_disk->failing_syncs > 0) {
            --m_disk->failing_syncs;
            return tl::unexpected(errno_error("fsync", "disk", EIO));
        }
        m_disk->before_last_sync = m_disk->durable;
        m_disk->durable = m_disk->volatile_bytes;
        return {};
    }
    [[nodiscard]] std::uint64_t size() const override { return m_disk->volatile_bytes.size(); }
    [[nodiscard]] Status truncate(std::uint64_t size) override {
        m_disk->volatile_bytes.resize(size);
        return {};
    }
    [[nodiscard]] Expected<std::string> read_at(std::uint64_t offset,
                                                std::size_t size) const override {
        if (offset >= m_disk->volatile_bytes.size()) {
            return std::string();
        }
        return m_disk->volatile_bytes.substr(offset, size);
    }

  private:
    std::shared_ptr<FaultyDisk> m_disk;
};

}  // namespace atl::samples
