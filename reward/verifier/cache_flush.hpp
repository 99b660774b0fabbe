#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace atl {

/// Removes buffers from every level of cache, so that the next access comes from memory. Uses
/// CLFLUSHOPT or CLFLUSH where the processor has them (they act on physical lines, hence on the
/// candidate's mapping of the same pages); elsewhere it reads a buffer twice the size of the
/// last-level cache. Not thread-safe.
class CacheFlusher {
  public:
    /// `cache_bytes`: of the last-level cache; 0 when unknown (then 32 MiB is assumed).
    explicit CacheFlusher(std::uint64_t cache_bytes);
    void flush(std::span<const std::byte> bytes) const;
    /// Fills `bytes` and leaves them uncached. Where streaming stores exist this costs about half
    /// of filling and flushing: the old contents are never fetched.
    void fill(std::span<std::byte> bytes, std::byte value) const;
    /// Copies likewise. REQUIRES spans of one size.
    void copy(std::span<std::byte> to, std::span<const std::byte> from) const;
    /// Waits until all flushes and fills are done. REQUIRED before the launch.
    void finish();

  private:
    enum class Method { flush_optimised, flush_plain, evict };

    template <class Lines, class Rest>
    void write(std::span<std::byte> bytes, Lines lines, Rest rest) const;

    Method m_method;
    std::vector<std::byte> m_eviction;
};

}  // namespace atl
