// The data set that was streamed while the campaign ran and the one rebuilt from its journal are
// the same: every data set, row for row, wherever their bytes lie.

#include "population/journal/journal.hpp"
#include "population/lineage/hdf5_handle.hpp"
#include "population/lineage/lineage_stream.hpp"
#include "population/lineage/lineage_table.hpp"
#include "tests/unit/population/lineage_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <vector>

namespace atl {
namespace {

using namespace lineage_test;

/// A table whose rows say where in a flat series their bytes lie.
struct Flat {
    const char* series;
    const char* offset;
    const char* count;
    std::size_t element_bytes;
};
const std::map<std::string, Flat> k_flats = {
    {"texts/index", {lineage::k_text_bytes_path, "offset", "length", 1}},
    {"events/index", {lineage::k_payload_path, "payload_offset", "payload_length", 1}},
    {"timings/rows", {lineage::k_samples_path, "samples_offset", "samples_count", 8}},
};

using Rows = std::vector<std::string>;

std::vector<std::string> data_sets(hid_t file) {
    std::vector<std::string> names;
    const H5O_iterate_t note = [](hid_t, const char* name, const H5O_info_t* info, void* found) {
        if (info->type == H5O_TYPE_DATASET) {
            static_cast<std::vector<std::string>*>(found)->emplace_back(name);
        }
        return herr_t{0};
    };
    EXPECT_GE(H5Ovisit(file, H5_INDEX_NAME, H5_ITER_NATIVE, note, &names), 0);
    return names;
}

/// The elements of a data set as its file's type lays them out: without padding.
Rows elements(hid_t file, const std::string& path) {
    const hdf5::Handle set(H5Dopen2(file, path.c_str(), H5P_DEFAULT), H5Dclose);
    const hdf5::Handle type(H5Dget_type(set.get()), H5Tclose);
    const hdf5::Handle space(H5Dget_space(set.get()), H5Sclose);
    const auto count = static_cast<std::size_t>(H5Sget_simple_extent_npoints(space.get()));
    const std::size_t size = H5Tget_size(type.get());
    std::string bytes(count * size, '\0');
    if (count > 0) {
        EXPECT_GE(H5Dread(set.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()), 0);
    }
    Rows rows;
    for (std::size_t i = 0; i < count; ++i) {
        rows.push_back(bytes.substr(i * size, size));
    }
    return rows;
}

struct Member {
    std::size_t offset = 0;
    std::size_t size = 0;
};
Member member(hid_t file, const std::string& path, const char* name) {
    const hdf5::Handle set(H5Dopen2(file, path.c_str(), H5P_DEFAULT), H5Dclose);
    const hdf5::Handle type(H5Dget_type(set.get()), H5Tclose);
    const int index = H5Tget_member_index(type.get(), name);
    EXPECT_GE(index, 0) << path << " " << name;
    const auto at = static_cast<unsigned>(index);
    const hdf5::Handle field(H5Tget_member_type(type.get(), at), H5Tclose);
    return {H5Tget_member_offset(type.get(), at), H5Tget_size(field.get())};
}

std::uint64_t number(const std::string& row, const Member& at) {
    std::uint64_t value = 0;
    std::memcpy(&value, row.data() + at.offset, at.size);  // files and machine: little-endian
    return value;
}

/// Rows in which a place of bytes is replaced by the bytes.
Rows with_bytes(hid_t file, const std::string& path, const Flat& flat) {
    std::string bytes;
    for (const std::string& element : elements(file, flat.series)) {
        bytes += element;
    }
    const Member offset = member(file, path, flat.offset);
    const Member count = member(file, path, flat.count);
    Rows rows = elements(file, path);
    for (std::string& row : rows) {
        const std::uint64_t begin = number(row, offset) * flat.element_bytes;
        const std::uint64_t size = number(row, count) * flat.element_bytes;
        EXPECT_LE(begin + size, bytes.size());
        row.replace(offset.offset, offset.size, offset.size, '\0');
        row += bytes.substr(begin, size);
    }
    return rows;
}

/// Everything that a lineage.h5 holds, by data set.
std::map<std::string, Rows> contents(const std::filesystem::path& path) {
    const auto file = hdf5::open_file(path);
    EXPECT_TRUE(file) << file.error().message();
    std::map<std::string, Rows> all;
    for (const std::string& name : data_sets(file->get())) {
        const auto flat = k_flats.find(name);
        const bool is_series = std::any_of(k_flats.begin(), k_flats.end(), [&](const auto& entry) {
            return name == entry.second.series;
        });
        if (!is_series) {
            all[name] = flat == k_flats.end() ? elements(file->get(), name)
                                              : with_bytes(file->get(), name, flat->second);
        }
    }
    return all;
}

/// The small campaign, with rows for every data set.
Campaign full_campaign() {
    Campaign campaign = small_campaign();
    for (Event& event : campaign.events) {
        if (auto* evaluated = std::get_if<Evaluated>(&event)) {
            evaluated->individual.measures = {evaluated->individual.fitness, 0.5};
        }
    }
    IslandsReset reset;
    reset.after_commit = 5;
    reset.foundings = {{1, 0, IndividualId::make(4, 0), 1}};
    campaign.events.insert(std::prev(campaign.events.end()), reset);
    campaign.events.insert(std::prev(campaign.events.end()),
                           IslandSpawned{5, 2, IndividualId::make(4, 0), 1});
    campaign.events.insert(std::prev(campaign.events.end()), ProgressWatched{5, 2.6, 0.5, 1, 1.5});
    ModelExchanged exchanged;
    exchanged.model = "coder";
    exchanged.request = campaign.texts.put("{\"messages\": []}");
    exchanged.reply = campaign.texts.put("{\"choices\": []}");
    exchanged.at_ns = 1;
    campaign.events.insert(std::prev(campaign.events.end()), exchanged);
    const InsightNoted insight{2,
                               "coder",
                               campaign.texts.put("What was learned?"),
                               campaign.texts.put("- Use shared memory."),
                               {"Use shared memory."},
                               2};
    campaign.events.insert(std::prev(campaign.events.end()), insight);
    return campaign;
}

/// A reward server's log, of two sessions; its tables are those that a campaign leaves empty.
Campaign full_log() {
    Campaign log;
    const auto text = [&log](const std::string& words) { return log.texts.put(words); };
    for (std::uint64_t session = 0; session < 2; ++session) {
        log.events.emplace_back(LogOpened{"0.1", "cpu", static_cast<std::int64_t>(session)});
        for (std::uint64_t i = 0; i < 3; ++i) {
            Rollout one;
            one.number = 3 * session + i;
            one.task = "small";
            one.group = "g";
            one.tune = {{"TILE", "4"}};
            one.flags = {"-O3"};
            one.source = text("source " + std::to_string(one.number));
            one.token_ids = text(std::string("\1\0\0\0", 4));
            one.verdict = text("{}");
            one.scores = {{"kevin", 0.5}, {"speedup", 0.25}};
            one.wall_ns = static_cast<std::int64_t>(10 * one.number);
            log.events.emplace_back(RolloutRecorded{one});
        }
    }
    return log;
}

const std::set<std::string> k_log_tables = {"servers", "rollouts", "scores"};

class LineageRebuild : public ::testing::Test {
  protected:
    /// Streams the campaign in sessions of `events` events, each synced and streamed alone.
    void stream(std::size_t events) {
        auto journal = JournalWriter::open(m_run / "journal");
        ASSERT_TRUE(journal);
        for (const auto& [id, text] : m_campaign.texts.all()) {
            ASSERT_TRUE((*journal)->put_text(text));
        }
        ASSERT_TRUE((*journal)->sync());
        for (std::size_t next = 0; next < m_campaign.events.size();) {
            const auto stream = LineageStream::start({.run = m_run,
                                                      .mode = LineageMode::live,
                                                      .durable = (*journal)->position(),
                                                      .on_failure = {}});
            for (std::size_t i = 0; i < events && next < m_campaign.events.size(); ++i, ++next) {
                ASSERT_TRUE((*journal)->append(m_campaign.events[next]));
                ASSERT_TRUE((*journal)->sync());
                stream->nudge((*journal)->position());
            }
            ASSERT_TRUE(stream->finish());
        }
    }

    TemporaryFolder m_folder;
    std::filesystem::path m_run = m_folder.path();
    Campaign m_campaign = full_campaign();
};

TEST_F(LineageRebuild, GivesALogsDataSetToo) {
    m_campaign = full_log();
    for (const std::size_t session : {m_campaign.events.size(), std::size_t{1}}) {
        std::filesystem::remove(m_run / "journal");
        std::filesystem::remove(m_run / "lineage.h5");
        stream(session);
        ASSERT_TRUE(rebuild_lineage(m_run, m_run / "rebuilt.h5"));
        const auto streamed = contents(m_run / "lineage.h5");
        const auto rebuilt = contents(m_run / "rebuilt.h5");
        for (const std::string& name : k_log_tables) {
            EXPECT_FALSE(streamed.at(name).empty()) << name;
        }
        EXPECT_TRUE(streamed == rebuilt) << "with sessions of " << session << " events";
    }
}

TEST_F(LineageRebuild, GivesTheDataSetThatWasStreamed) {
    for (const std::size_t session : {m_campaign.events.size(), std::size_t{5}, std::size_t{1}}) {
        std::filesystem::remove(m_run / "journal");
        std::filesystem::remove(m_run / "lineage.h5");
        stream(session);
        ASSERT_TRUE(rebuild_lineage(m_run, m_run / "rebuilt.h5"));
        const auto streamed = contents(m_run / "lineage.h5");
        const auto rebuilt = contents(m_run / "rebuilt.h5");
        ASSERT_EQ(streamed.size(), lineage::k_table_count);
        ASSERT_EQ(rebuilt.size(), lineage::k_table_count);
        for (const auto& [name, rows] : streamed) {
            EXPECT_TRUE(!rows.empty() || k_log_tables.contains(name))
                << name << " would be compared for nothing";
            ASSERT_TRUE(rebuilt.contains(name)) << name;
            EXPECT_EQ(rows.size(), rebuilt.at(name).size()) << name;
            EXPECT_TRUE(rows == rebuilt.at(name))
                << name << " differs with sessions of " << session << " events";
        }
    }
}

}  // namespace
}  // namespace atl
