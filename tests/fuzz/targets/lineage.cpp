#include "population/lineage/lineage.hpp"

#include "population/lineage/hdf5_handle.hpp"
#include "population/lineage/lineage_schema.hpp"
#include "tests/fuzz/look_at_lineage.hpp"
#include "tests/fuzz/memory_file.hpp"
#include "tests/fuzz/record_bytes.hpp"
#include "tests/fuzz/targets.hpp"
#include "tests/unit/population/lineage_fixture.hpp"

namespace atl::fuzz {

namespace {

/// A stretch of the file that holds the raw, uncompressed data of a data set.
struct Place {
    std::uint64_t begin = 0;
    std::uint64_t bytes = 0;
};

struct SoundFile {
    std::string bytes;
    std::vector<Place> places;
};

void add_places(hid_t file, const char* path, std::vector<Place>& places) {
    const hdf5::Handle dataset(H5Dopen2(file, path, H5P_DEFAULT), H5Dclose);
    const hdf5::Handle all(H5Dget_space(dataset.get()), H5Sclose);
    hsize_t chunks = 0;
    must(H5Dget_num_chunks(dataset.get(), all.get(), &chunks) >= 0, "HDF5 knows its chunks");
    for (hsize_t i = 0; i < chunks; ++i) {
        hsize_t offset = 0;
        unsigned filters = 0;
        haddr_t address = 0;
        hsize_t bytes = 0;
        must(H5Dget_chunk_info(dataset.get(), all.get(), i, &offset, &filters, &address, &bytes) >=
                 0,
             "HDF5 knows where its chunks are");
        places.push_back({address, bytes});
    }
}

SoundFile make_sound_file() {
    const lineage_test::TemporaryFolder folder;
    const std::filesystem::path path = folder.path() / "lineage.h5";
    const auto campaign = lineage_test::small_campaign();
    must(lineage_test::write_lineage(campaign, path, LineageMode::live).has_value(),
         "a sound file can be written");
    SoundFile sound;
    sound.bytes = value_or_throw(read_file(path, std::uint64_t{64} << 20));
    const auto file = hdf5::open_file(path);
    must(file.has_value(), "a sound file can be opened");
    for (std::size_t id = 0; id < lineage::k_table_count; ++id) {
        add_places(file->get(), lineage::table_spec(static_cast<lineage::TableId>(id)).path,
                   sound.places);
    }
    add_places(file->get(), lineage::k_payload_path, sound.places);
    must(sound.places.size() >= 10, "the data sets of a sound file have chunks");
    return sound;
}

}  // namespace

void lineage(std::string_view bytes) {
    const MemoryFile file(bytes);
    if (const auto data = read_lineage(file.path())) {
        look_at_lineage(*data);
        LineageCheck check;
        (void)check_lineage_tables(file.path(), data->events.size(), check);
    }
    (void)read_lineage_end(file.path());
    (void)count_lineage_events(file.path());
    (void)LineageWriter::go_on(file.path());
}

void rows(std::string_view bytes) {
    static const SoundFile sound = make_sound_file();
    std::string file = sound.bytes;
    while (bytes.size() >= 8) {
        const Place place = sound.places[*take_number<std::uint16_t>(bytes) % sound.places.size()];
        const std::uint64_t offset = *take_number<std::uint16_t>(bytes) % place.bytes;
        const std::size_t room = std::min<std::uint64_t>(4, place.bytes - offset);
        file.replace(place.begin + offset, room, bytes.substr(0, room));
        bytes.remove_prefix(4);
    }
    lineage(file);
}

}  // namespace atl::fuzz
