#include "population/lineage/lineage_file.hpp"

#include <utility>

namespace atl::lineage {

namespace {

constexpr const char* k_format_name = "atoll-lineage";

}  // namespace

Expected<LineageFile> LineageFile::create(const std::filesystem::path& path, LineageMode mode) {
    LineageFile file;
    file.m_where = path.string();
    file.m_mode = mode;
    const auto folder = path.has_parent_path() ? path.parent_path() : ".";
    if (mode == LineageMode::live && !hdf5::live_readers_supported(folder)) {
        file.m_mode = LineageMode::batch;
    }
    ATOLL_TRY(file.create_anew(path));
    if (file.m_mode == LineageMode::live &&
        !ATOLL_HDF5(file.m_where, H5Fstart_swmr_write(file.m_file.get()))) {
        file.m_mode = LineageMode::batch;  // the series depend on the mode: begin again
        ATOLL_TRY(file.create_anew(path));
    }
    return file;
}

Expected<LineageFile> LineageFile::open(const std::filesystem::path& path) {
    LineageFile file;
    file.m_where = path.string();
    file.m_mode = LineageMode::live;
    const auto folder = path.has_parent_path() ? path.parent_path() : ".";
    if (!hdf5::live_readers_supported(folder)) {
        return failure(ErrorCode::invalid_argument, "no live readers on this file system",
                       file.m_where);
    }
    ATOLL_TRY_ASSIGN(file.m_file, hdf5::open_file_to_append(path));
    ATOLL_TRY(file.make_series(Series::open));
    return file;
}

Status LineageFile::create_anew(const std::filesystem::path& path) {
    for (Series& table : m_tables) {
        table.reset();
    }
    for (Series* series : {&m_text_bytes, &m_payload, &m_samples}) {
        series->reset();
    }
    m_file.reset();
    ATOLL_TRY_ASSIGN(m_file, hdf5::create_file(path));
    ATOLL_TRY(write_attributes());
    return make_series(Series::create);
}

Status LineageFile::make_series(MakeSeries make) {
    const bool live = m_mode == LineageMode::live;
    for (std::size_t i = 0; i < k_table_count; ++i) {
        const auto id = static_cast<TableId>(i);
        ATOLL_TRY_ASSIGN(hdf5::Handle memory, row_type(id, Layout::memory));
        ATOLL_TRY_ASSIGN(const hdf5::Handle disk, row_type(id, Layout::disk));
        // Rows are rewritten when their ticket closes, so live tables stay uncompressed.
        ATOLL_TRY_ASSIGN(
            m_tables[i],
            make(m_file.get(), table_spec(id).path, std::move(memory), disk.get(),
                 {.chunk = table_spec(id).chunk_rows, .shuffle = true, .compress = !live}));
    }
    const auto flat = [&](const char* path, hid_t memory, hid_t disk, std::size_t chunk,
                          bool shuffle) -> Expected<Series> {
        ATOLL_TRY_ASSIGN(const hid_t copy, ATOLL_HDF5(m_where, H5Tcopy(memory)));
        return make(
            m_file.get(), path, hdf5::Handle(copy, H5Tclose), disk,
            {.chunk = chunk, .shuffle = shuffle, .compress = true, .write_chunks_once = live});
    };
    ATOLL_TRY_ASSIGN(m_text_bytes, flat(k_text_bytes_path, H5T_NATIVE_UINT8, H5T_STD_U8LE,
                                        k_text_chunk_bytes, false));
    ATOLL_TRY_ASSIGN(m_payload, flat(k_payload_path, H5T_NATIVE_UINT8, H5T_STD_U8LE,
                                     k_payload_chunk_bytes, false));
    ATOLL_TRY_ASSIGN(m_samples,
                     flat(k_samples_path, H5T_NATIVE_DOUBLE, H5T_IEEE_F64LE, k_sample_chunk, true));
    return {};
}

Status LineageFile::write_attributes() {
    ATOLL_TRY_ASSIGN(const hid_t space_id, ATOLL_HDF5(m_where, H5Screate(H5S_SCALAR)));
    const hdf5::Handle space(space_id, H5Sclose);
    const auto write = [&](const char* name, hid_t type, const void* value) -> Status {
        ATOLL_TRY_ASSIGN(const hid_t id,
                         ATOLL_HDF5(m_where, H5Acreate2(m_file.get(), name, type, space_id,
                                                        H5P_DEFAULT, H5P_DEFAULT)));
        const hdf5::Handle attribute(id, H5Aclose);
        ATOLL_TRY(ATOLL_HDF5(m_where, H5Awrite(id, type, value)));
        return {};
    };
    ATOLL_TRY_ASSIGN(const hid_t text_id, ATOLL_HDF5(m_where, H5Tcopy(H5T_C_S1)));
    const hdf5::Handle text(text_id, H5Tclose);
    ATOLL_TRY(
        ATOLL_HDF5(m_where, H5Tset_size(text_id, std::char_traits<char>::length(k_format_name))));
    ATOLL_TRY(write("format", text_id, k_format_name));
    return write("format_version", H5T_NATIVE_UINT32, &k_lineage_version);
}

Status LineageFile::flush() {
    for (Series* series : {&m_text_bytes, &m_payload, &m_samples}) {
        ATOLL_TRY(series->flush());
    }
    for (Series& table : m_tables) {
        ATOLL_TRY(table.flush());
    }
    if (m_mode == LineageMode::batch) {
        ATOLL_TRY(ATOLL_HDF5(m_where, H5Fflush(m_file.get(), H5F_SCOPE_LOCAL)));
    }
    return {};
}

Status LineageFile::close() {
    ATOLL_TRY(flush());
    // Also what HDF5 keeps about the file: H5Fclose() marks it as closed even where it cannot
    // write.
    ATOLL_TRY(ATOLL_HDF5(m_where, H5Fflush(m_file.get(), H5F_SCOPE_LOCAL)));
    for (Series& table : m_tables) {
        table.reset();
    }
    for (Series* series : {&m_text_bytes, &m_payload, &m_samples}) {
        series->reset();
    }
    return m_file.close(m_where);
}

}  // namespace atl::lineage
