#include "population/lineage/lineage_table.hpp"

#include "population/event.hpp"
#include "population/individual.hpp"
#include "reward/outcome.hpp"

#include <cstring>
#include <utility>

namespace atl::lineage {

namespace {

constexpr unsigned k_deflate_level = 6;

template <std::size_t... I>
std::vector<std::string> event_names(std::index_sequence<I...>) {
    return {event_name(Event(std::in_place_index<I>))...};
}

std::vector<std::string> enumeration(FieldType type) {
    std::vector<std::string> names;
    switch (type) {
        case FieldType::boolean:
            return {"FALSE", "TRUE"};  // the form that h5py knows as bool
        case FieldType::outcome:
            for (int i = 0; i < k_outcome_count; ++i) {
                names.emplace_back(to_string(static_cast<Outcome>(i)));
            }
            return names;
        case FieldType::role:
            for (const ParentRole role :
                 {ParentRole::base, ParentRole::partner, ParentRole::inspiration,
                  ParentRole::migrant, ParentRole::exemplar}) {
                names.emplace_back(to_string(role));
            }
            return names;
        case FieldType::event:
            return event_names(std::make_index_sequence<std::variant_size_v<Event>>());
        case FieldType::state:
            return {"in_flight", "committed", "failed"};
        case FieldType::name_kind:
            return {"operator", "starter", "workload", "rival", "preset"};
        case FieldType::same_by:
            for (const SameBy why : {SameBy::key, SameBy::names, SameBy::binary}) {
                names.emplace_back(to_string(why));
            }
            return names;
        case FieldType::turned_down_for:
            for (const TurnedDownFor why : {TurnedDownFor::similarity, TurnedDownFor::returning}) {
                names.emplace_back(to_string(why));
            }
            return names;
        default:
            return names;
    }
}

Expected<hdf5::Handle> enumeration_type(FieldType field) {
    const hid_t base = field == FieldType::boolean ? H5T_STD_I8LE : H5T_STD_U8LE;
    ATOLL_TRY_ASSIGN(const hid_t id, ATOLL_HDF5("lineage.h5", H5Tenum_create(base)));
    hdf5::Handle type(id, H5Tclose);
    std::uint8_t value = 0;
    for (const std::string& name : enumeration(field)) {
        ATOLL_TRY(ATOLL_HDF5(name, H5Tenum_insert(id, name.c_str(), &value)));
        ++value;
    }
    return type;
}

Expected<hdf5::Handle> copy_of(hid_t type) {
    ATOLL_TRY_ASSIGN(const hid_t id, ATOLL_HDF5("lineage.h5", H5Tcopy(type)));
    return hdf5::Handle(id, H5Tclose);
}

Expected<hdf5::Handle> field_type(FieldType field, Layout layout) {
    const bool disk = layout == Layout::disk;
    switch (field) {
        case FieldType::u32:
            return copy_of(disk ? H5T_STD_U32LE : H5T_NATIVE_UINT32);
        case FieldType::u64:
            return copy_of(disk ? H5T_STD_U64LE : H5T_NATIVE_UINT64);
        case FieldType::i32:
            return copy_of(disk ? H5T_STD_I32LE : H5T_NATIVE_INT32);
        case FieldType::i64:
            return copy_of(disk ? H5T_STD_I64LE : H5T_NATIVE_INT64);
        case FieldType::f64:
            return copy_of(disk ? H5T_IEEE_F64LE : H5T_NATIVE_DOUBLE);
        case FieldType::digest: {
            const hsize_t size = 32;
            ATOLL_TRY_ASSIGN(const hid_t id,
                             ATOLL_HDF5("lineage.h5", H5Tarray_create2(H5T_STD_U8LE, 1, &size)));
            return hdf5::Handle(id, H5Tclose);
        }
        case FieldType::name: {
            ATOLL_TRY_ASSIGN(hdf5::Handle type, copy_of(H5T_C_S1));
            ATOLL_TRY(ATOLL_HDF5("lineage.h5", H5Tset_size(type.get(), k_name_bytes)));
            ATOLL_TRY(ATOLL_HDF5("lineage.h5", H5Tset_strpad(type.get(), H5T_STR_NULLPAD)));
            ATOLL_TRY(ATOLL_HDF5("lineage.h5", H5Tset_cset(type.get(), H5T_CSET_UTF8)));
            return type;
        }
        default:
            return enumeration_type(field);
    }
}

Status create_groups(hid_t file, const std::string& path) {
    const auto slash = path.find('/');
    if (slash == std::string::npos) {
        return {};
    }
    const std::string group = path.substr(0, slash);
    ATOLL_TRY_ASSIGN(const htri_t exists,
                     ATOLL_HDF5(group, H5Lexists(file, group.c_str(), H5P_DEFAULT)));
    if (exists == 0) {
        ATOLL_TRY_ASSIGN(const hid_t id,
                         ATOLL_HDF5(group, H5Gcreate2(file, group.c_str(), H5P_DEFAULT, H5P_DEFAULT,
                                                      H5P_DEFAULT)));
        const hdf5::Handle handle(id, H5Gclose);
    }
    return {};
}

Expected<hdf5::Handle> creation_properties(const std::string& path, const SeriesOptions& options) {
    ATOLL_TRY_ASSIGN(const hid_t id, ATOLL_HDF5(path, H5Pcreate(H5P_DATASET_CREATE)));
    hdf5::Handle properties(id, H5Pclose);
    const hsize_t chunk = options.chunk;
    ATOLL_TRY(ATOLL_HDF5(path, H5Pset_chunk(id, 1, &chunk)));
    if (options.compress) {
        if (options.shuffle) {
            ATOLL_TRY(ATOLL_HDF5(path, H5Pset_shuffle(id)));
        }
        ATOLL_TRY(ATOLL_HDF5(path, H5Pset_deflate(id, k_deflate_level)));
    }
    return properties;
}

Expected<hdf5::Handle> simple_space(const std::string& path, hsize_t size) {
    ATOLL_TRY_ASSIGN(const hid_t id, ATOLL_HDF5(path, H5Screate_simple(1, &size, nullptr)));
    return hdf5::Handle(id, H5Sclose);
}

Expected<hdf5::Handle> selection(const std::string& path, hid_t dataset, hsize_t offset,
                                 hsize_t count) {
    ATOLL_TRY_ASSIGN(const hid_t id, ATOLL_HDF5(path, H5Dget_space(dataset)));
    hdf5::Handle space(id, H5Sclose);
    ATOLL_TRY(ATOLL_HDF5(
        path, H5Sselect_hyperslab(id, H5S_SELECT_SET, &offset, nullptr, &count, nullptr)));
    return space;
}

struct OpenSeries {
    hdf5::Handle dataset;
    std::uint64_t size = 0;
};

Expected<OpenSeries> open_series(hid_t file, const std::string& path) {
    OpenSeries series;
    ATOLL_TRY_ASSIGN(const hid_t id, ATOLL_HDF5(path, H5Dopen2(file, path.c_str(), H5P_DEFAULT)));
    series.dataset = hdf5::Handle(id, H5Dclose);
    ATOLL_TRY_ASSIGN(const hid_t space_id, ATOLL_HDF5(path, H5Dget_space(id)));
    const hdf5::Handle space(space_id, H5Sclose);
    hsize_t size = 0;
    if (H5Sget_simple_extent_ndims(space_id) != 1) {
        return failure(ErrorCode::corrupt, "data set is not one-dimensional", path);
    }
    ATOLL_TRY(ATOLL_HDF5(path, H5Sget_simple_extent_dims(space_id, &size, nullptr)));
    series.size = size;
    return series;
}

}  // namespace

Expected<hdf5::Handle> row_type(TableId id, Layout layout) {
    const TableSpec& spec = table_spec(id);
    std::vector<hdf5::Handle> types;
    std::size_t packed_bytes = 0;
    for (const Field& field : spec.fields) {
        ATOLL_TRY_ASSIGN(hdf5::Handle type, field_type(field.type, layout));
        packed_bytes += H5Tget_size(type.get());
        types.push_back(std::move(type));
    }
    const std::size_t bytes = layout == Layout::memory ? spec.row_bytes : packed_bytes;
    ATOLL_TRY_ASSIGN(const hid_t row, ATOLL_HDF5(spec.path, H5Tcreate(H5T_COMPOUND, bytes)));
    hdf5::Handle handle(row, H5Tclose);
    std::size_t packed_offset = 0;
    for (std::size_t i = 0; i < types.size(); ++i) {
        const Field& field = spec.fields[i];
        const std::size_t offset = layout == Layout::memory ? field.offset : packed_offset;
        ATOLL_TRY(ATOLL_HDF5(spec.path, H5Tinsert(row, field.name, offset, types[i].get())));
        packed_offset += H5Tget_size(types[i].get());
    }
    return handle;
}

Expected<Series> Series::create(hid_t file, const std::string& path, hdf5::Handle memory_type,
                                hid_t disk_type, const SeriesOptions& options) {
    Series series;
    series.m_path = path;
    series.m_options = options;
    series.m_element_bytes = H5Tget_size(memory_type.get());
    series.m_type = std::move(memory_type);
    ATOLL_TRY(create_groups(file, path));
    ATOLL_TRY_ASSIGN(const hdf5::Handle properties, creation_properties(path, options));
    const hsize_t none = 0;
    const hsize_t unlimited = H5S_UNLIMITED;
    ATOLL_TRY_ASSIGN(const hid_t space_id,
                     ATOLL_HDF5(path, H5Screate_simple(1, &none, &unlimited)));
    const hdf5::Handle space(space_id, H5Sclose);
    ATOLL_TRY_ASSIGN(const hid_t id,
                     ATOLL_HDF5(path, H5Dcreate2(file, path.c_str(), disk_type, space_id,
                                                 H5P_DEFAULT, properties.get(), H5P_DEFAULT)));
    series.m_dataset = hdf5::Handle(id, H5Dclose);
    return series;
}

Expected<Series> Series::open(hid_t file, const std::string& path, hdf5::Handle memory_type,
                              hid_t disk_type, const SeriesOptions& options) {
    ATOLL_TRY_ASSIGN(OpenSeries found, open_series(file, path));
    const hid_t dataset = found.dataset.get();
    ATOLL_TRY_ASSIGN(const hid_t type_id, ATOLL_HDF5(path, H5Dget_type(dataset)));
    const hdf5::Handle type(type_id, H5Tclose);
    ATOLL_TRY_ASSIGN(const hid_t properties_id, ATOLL_HDF5(path, H5Dget_create_plist(dataset)));
    const hdf5::Handle properties(properties_id, H5Pclose);
    hsize_t chunk = 0;
    ATOLL_TRY(ATOLL_HDF5(path, H5Pget_chunk(properties_id, 1, &chunk)));
    if (H5Tequal(type_id, disk_type) <= 0 || chunk != options.chunk ||
        (H5Pget_nfilters(properties_id) > 0) != options.compress) {
        return failure(ErrorCode::invalid_argument, "data set has another layout", path);
    }
    Series series;
    series.m_path = path;
    series.m_options = options;
    series.m_element_bytes = H5Tget_size(memory_type.get());
    series.m_type = std::move(memory_type);
    series.m_dataset = std::move(found.dataset);
    series.m_written = found.size;
    series.begin_fresh_chunk();
    return series;
}

void Series::begin_fresh_chunk() {
    if (m_options.compress && m_options.write_chunks_once) {
        m_written = (m_written + m_options.chunk - 1) / m_options.chunk * m_options.chunk;
    }
}

std::uint64_t Series::size() const {
    return m_written + m_buffer.size() / m_element_bytes;
}

Expected<std::uint64_t> Series::append(const void* elements, std::size_t count) {
    const std::uint64_t position = size();
    m_buffer.append(static_cast<const char*>(elements), count * m_element_bytes);
    m_dirty = m_dirty || count > 0;
    const std::uint64_t whole_chunks = size() / m_options.chunk * m_options.chunk;
    if (whole_chunks > m_written) {
        ATOLL_TRY(write_out(whole_chunks - m_written));
    }
    return position;
}

Status Series::rewrite(std::uint64_t position, const void* element) {
    if (position >= m_written) {
        std::memcpy(m_buffer.data() + (position - m_written) * m_element_bytes, element,
                    m_element_bytes);
        return {};
    }
    m_dirty = true;
    return write_at(position, 1, element);
}

Status Series::flush() {
    if (!m_dirty) {
        return {};
    }
    ATOLL_TRY(write_out(m_buffer.size() / m_element_bytes));
    ATOLL_TRY(ATOLL_HDF5(m_path, H5Dflush(m_dataset.get())));
    begin_fresh_chunk();
    m_dirty = false;
    return {};
}

Status Series::write_out(std::size_t count) {
    if (count == 0) {
        return {};
    }
    const hsize_t extent = m_written + count;
    ATOLL_TRY(ATOLL_HDF5(m_path, H5Dset_extent(m_dataset.get(), &extent)));
    ATOLL_TRY(write_at(m_written, count, m_buffer.data()));
    m_buffer.erase(0, count * m_element_bytes);
    m_written += count;
    return {};
}

Status Series::write_at(std::uint64_t position, std::size_t count, const void* elements) {
    ATOLL_TRY_ASSIGN(const hdf5::Handle file_space,
                     selection(m_path, m_dataset.get(), position, count));
    ATOLL_TRY_ASSIGN(const hdf5::Handle memory_space, simple_space(m_path, count));
    ATOLL_TRY(ATOLL_HDF5(m_path, H5Dwrite(m_dataset.get(), m_type.get(), memory_space.get(),
                                          file_space.get(), H5P_DEFAULT, elements)));
    return {};
}

Expected<std::uint64_t> series_size(hid_t file, const std::string& path) {
    ATOLL_TRY_ASSIGN(const OpenSeries series, open_series(file, path));
    return series.size;
}

Status read_elements(hid_t file, const std::string& path, hid_t memory_type, std::uint64_t offset,
                     std::uint64_t count, void* out) {
    if (count == 0) {
        return {};
    }
    ATOLL_TRY_ASSIGN(const OpenSeries series, open_series(file, path));
    if (offset > series.size || count > series.size - offset) {
        return failure(ErrorCode::corrupt,
                       "refers to elements " + std::to_string(offset) + " to " +
                           std::to_string(offset + count) + " of " + std::to_string(series.size),
                       path);
    }
    ATOLL_TRY_ASSIGN(const hdf5::Handle file_space,
                     selection(path, series.dataset.get(), offset, count));
    ATOLL_TRY_ASSIGN(const hdf5::Handle memory_space, simple_space(path, count));
    ATOLL_TRY(ATOLL_HDF5(path, H5Dread(series.dataset.get(), memory_type, memory_space.get(),
                                       file_space.get(), H5P_DEFAULT, out)));
    return {};
}

}  // namespace atl::lineage
