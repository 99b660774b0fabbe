#include "population/lineage/hdf5_handle.hpp"
#include "population/rollouts/rescored.hpp"

#include <limits>

namespace atl {

namespace {

struct Row {
    std::uint64_t id = 0;
    double logged = 0;
    double reward = 0;
    double turn_return = 0;
    double advantage = 0;
};

double number_of(const std::optional<double>& value) {
    return value.value_or(std::numeric_limits<double>::quiet_NaN());
}

Expected<hdf5::Handle> row_type() {
    ATOLL_TRY_ASSIGN(const hid_t id, ATOLL_HDF5("rescored", H5Tcreate(H5T_COMPOUND, sizeof(Row))));
    hdf5::Handle type(id, H5Tclose);
    ATOLL_TRY(ATOLL_HDF5("id", H5Tinsert(id, "id", offsetof(Row, id), H5T_NATIVE_UINT64)));
    const std::pair<const char*, std::size_t> numbers[] = {{"logged", offsetof(Row, logged)},
                                                           {"reward", offsetof(Row, reward)},
                                                           {"return", offsetof(Row, turn_return)},
                                                           {"advantage", offsetof(Row, advantage)}};
    for (const auto& number : numbers) {
        const char* const name = number.first;
        const std::size_t offset = number.second;
        ATOLL_TRY(ATOLL_HDF5(name, H5Tinsert(id, name, offset, H5T_NATIVE_DOUBLE)));
    }
    return type;
}

Status write_text(hid_t object, const char* name, const std::string& text) {
    ATOLL_TRY_ASSIGN(const hid_t type_id, ATOLL_HDF5(name, H5Tcopy(H5T_C_S1)));
    const hdf5::Handle type(type_id, H5Tclose);
    ATOLL_TRY(ATOLL_HDF5(name, H5Tset_size(type_id, text.size() + 1)));
    ATOLL_TRY_ASSIGN(const hid_t space_id, ATOLL_HDF5(name, H5Screate(H5S_SCALAR)));
    const hdf5::Handle space(space_id, H5Sclose);
    ATOLL_TRY_ASSIGN(const hid_t id, ATOLL_HDF5(name, H5Acreate2(object, name, type_id, space_id,
                                                                 H5P_DEFAULT, H5P_DEFAULT)));
    const hdf5::Handle attribute(id, H5Aclose);
    ATOLL_TRY(ATOLL_HDF5(name, H5Awrite(id, type_id, text.c_str())));
    return {};
}

}  // namespace

Status write_rescored(const Rescored& rescored, const std::filesystem::path& path) {
    std::error_code ignored;
    if (std::filesystem::exists(path, ignored)) {
        return failure(ErrorCode::already_exists, "is there already", path.string(),
                       "name another file");
    }
    std::vector<Row> rows;
    for (const RescoredRow& row : rescored.rows) {
        rows.push_back({row.record->id, number_of(row.logged), number_of(row.reward),
                        number_of(row.turn_return), number_of(row.advantage)});
    }
    const std::string where = path.string();
    ATOLL_TRY_ASSIGN(hdf5::Handle file, hdf5::create_file(path));
    ATOLL_TRY(write_text(file.get(), "format", "atoll-rescored"));
    ATOLL_TRY(write_text(file.get(), "preset", rescored.preset));
    {
        ATOLL_TRY_ASSIGN(const hdf5::Handle type, row_type());
        const hsize_t count = rows.size();
        ATOLL_TRY_ASSIGN(const hid_t space_id,
                         ATOLL_HDF5(where, H5Screate_simple(1, &count, nullptr)));
        const hdf5::Handle space(space_id, H5Sclose);
        ATOLL_TRY_ASSIGN(const hid_t set_id,
                         ATOLL_HDF5(where, H5Dcreate2(file.get(), "rescored", type.get(), space_id,
                                                      H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT)));
        const hdf5::Handle set(set_id, H5Dclose);
        if (!rows.empty()) {
            ATOLL_TRY(ATOLL_HDF5(
                where, H5Dwrite(set_id, type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, rows.data())));
        }
    }
    return file.close(where);
}

}  // namespace atl
