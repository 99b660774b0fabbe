#pragma once

#include "population/lineage/lineage.hpp"
#include "population/lineage/lineage_table.hpp"

#include <array>
#include <filesystem>
#include <string>

namespace atl::lineage {

/// An open lineage.h5 with its tables and flat series, empty or to go on with. Movable; not
/// thread-safe. Internal to population.
class LineageFile {
  public:
    LineageFile() = default;
    /// Replaces what is there. The mode may fall back to batch.
    [[nodiscard]] static Expected<LineageFile> create(const std::filesystem::path& path,
                                                      LineageMode mode);
    /// Opens a file that a live writer closed, to append to it live. Any error means that it must
    /// be written anew: its writer was killed, it is compressed, of another layout, or damaged.
    [[nodiscard]] static Expected<LineageFile> open(const std::filesystem::path& path);

    template <class Row>
    [[nodiscard]] Expected<std::uint64_t> append(const Row& row) {
        return m_tables[static_cast<std::size_t>(Row::k_table)].append(&row, 1);
    }
    template <class Row>
    [[nodiscard]] Status rewrite(std::uint64_t position, const Row& row) {
        return m_tables[static_cast<std::size_t>(Row::k_table)].rewrite(position, &row);
    }
    template <class Row>
    [[nodiscard]] Expected<std::vector<Row>> rows() const {
        return read_table<Row>(m_file.get());
    }
    [[nodiscard]] Series& text_bytes() { return m_text_bytes; }
    [[nodiscard]] Series& payload() { return m_payload; }
    [[nodiscard]] Series& samples() { return m_samples; }

    /// What is referred to before what refers to it, the events last.
    [[nodiscard]] Status flush();
    /// After an error the file is not closed yet.
    [[nodiscard]] Status close();
    /// Leaves the file as kill -9 would: marked as open, so that open() refuses what may lack any
    /// part of what was written. Closing it would call it whole. Costs a file handle until exit.
    void abandon() { m_file.forget(); }
    [[nodiscard]] LineageMode mode() const { return m_mode; }

  private:
    using MakeSeries = Expected<Series> (*)(hid_t file, const std::string& path,
                                            hdf5::Handle memory_type, hid_t disk_type,
                                            const SeriesOptions& options);
    [[nodiscard]] Status create_anew(const std::filesystem::path& path);
    [[nodiscard]] Status make_series(MakeSeries make);
    [[nodiscard]] Status write_attributes();

    std::string m_where;
    LineageMode m_mode = LineageMode::batch;
    hdf5::Handle m_file;  // before the series: closed after them
    std::array<Series, k_table_count> m_tables;
    Series m_text_bytes;
    Series m_payload;
    Series m_samples;
};

}  // namespace atl::lineage
