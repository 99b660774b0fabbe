#pragma once

#include "population/lineage/hdf5_handle.hpp"
#include "population/lineage/lineage_schema.hpp"
#include "reward/base/error.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// Growing one-dimensional HDF5 data sets, and typed reads of them. Internal to population.
namespace atl::lineage {

/// The HDF5 compound type of a table: as its C++ struct in memory, or packed little-endian on disk.
enum class Layout { memory, disk };
[[nodiscard]] Expected<hdf5::Handle> row_type(TableId id, Layout layout);

struct SeriesOptions {
    std::size_t chunk = 0;  ///< elements
    bool shuffle = false;
    bool compress = false;
    /// Live mode: HDF5 never reuses the space of a compressed chunk that is written again, so a
    /// compressed series starts a fresh chunk after each flush (the gap reads as zeros).
    bool write_chunks_once = false;
};

/// Appends to one data set through a buffer. Movable; not thread-safe.
class Series {
  public:
    Series() = default;
    [[nodiscard]] static Expected<Series> create(hid_t file, const std::string& path,
                                                 hdf5::Handle memory_type, hid_t disk_type,
                                                 const SeriesOptions& options);
    /// Opens one to append to; an error when it is not what create() makes of the same arguments.
    [[nodiscard]] static Expected<Series> open(hid_t file, const std::string& path,
                                               hdf5::Handle memory_type, hid_t disk_type,
                                               const SeriesOptions& options);
    /// Returns the position of the first element. Nothing is on disk before flush().
    [[nodiscard]] Expected<std::uint64_t> append(const void* elements, std::size_t count);
    /// Overwrites one element that was appended. Only for uncompressed series in live mode.
    [[nodiscard]] Status rewrite(std::uint64_t position, const void* element);
    [[nodiscard]] Status flush();
    [[nodiscard]] std::uint64_t size() const;
    void reset() noexcept { m_dataset.reset(); }

  private:
    void begin_fresh_chunk();
    [[nodiscard]] Status write_out(std::size_t count);
    [[nodiscard]] Status write_at(std::uint64_t position, std::size_t count, const void* elements);

    hdf5::Handle m_dataset;
    hdf5::Handle m_type;
    std::string m_path;
    std::size_t m_element_bytes = 0;
    SeriesOptions m_options;
    std::uint64_t m_written = 0;  ///< elements before the buffer
    bool m_dirty = false;
    std::string m_buffer;
};

/// Reads elements [offset, offset + count) into `out`; fails when they are not all there.
[[nodiscard]] Status read_elements(hid_t file, const std::string& path, hid_t memory_type,
                                   std::uint64_t offset, std::uint64_t count, void* out);
[[nodiscard]] Expected<std::uint64_t> series_size(hid_t file, const std::string& path);

inline constexpr std::uint64_t k_max_rows = std::uint64_t{1} << 24;

template <class Row>
[[nodiscard]] Expected<std::vector<Row>> read_table(hid_t file) {
    const TableSpec& spec = table_spec(Row::k_table);
    ATOLL_TRY_ASSIGN(const std::uint64_t size, series_size(file, spec.path));
    if (size > k_max_rows) {
        return failure(ErrorCode::limit, "table has too many rows", spec.path);
    }
    ATOLL_TRY_ASSIGN(const hdf5::Handle type, row_type(Row::k_table, Layout::memory));
    std::vector<Row> rows(size);
    ATOLL_TRY(read_elements(file, spec.path, type.get(), 0, size, rows.data()));
    return rows;
}

}  // namespace atl::lineage
