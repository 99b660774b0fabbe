#include "population/lineage/hdf5_handle.hpp"
#include "population/lineage/lineage.hpp"
#include "population/lineage/lineage_table.hpp"
#include "tests/unit/population/lineage_fixture.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <csignal>
#include <fstream>

namespace atl {
namespace {

using namespace lineage_test;
using namespace lineage;
using ::testing::HasSubstr;

class LineageFile : public ::testing::TestWithParam<LineageMode> {
  protected:
    TemporaryFolder m_folder;
    std::filesystem::path m_path = m_folder.path() / "lineage.h5";
};

INSTANTIATE_TEST_SUITE_P(Modes, LineageFile,
                         ::testing::Values(LineageMode::live, LineageMode::batch));

TEST_P(LineageFile, GivesBackTheSameEventsAndTexts) {
    const Campaign campaign = small_campaign();
    ASSERT_TRUE(write_lineage(campaign, m_path, GetParam()));
    const auto data = read_lineage(m_path);
    ASSERT_TRUE(data) << data.error().message();
    EXPECT_EQ(encoded(data->events), encoded(campaign.events));
    for (const auto& [id, text] : campaign.texts.all()) {
        EXPECT_EQ(data->texts->text(id).value_or("missing"), text);
    }
    EXPECT_EQ(data->texts->text(content_id("never stored")).error().code, ErrorCode::not_found);
}

TEST_P(LineageFile, FlushingAfterEachEventChangesNothing) {
    const Campaign campaign = small_campaign();
    auto writer = LineageWriter::create(m_path, GetParam());
    ASSERT_TRUE(writer);
    std::uint64_t index = 0;
    for (const Event& event : campaign.events) {
        ASSERT_TRUE((*writer)->add(event, index++, campaign.texts));
        ASSERT_TRUE((*writer)->flush());
    }
    ASSERT_TRUE((*writer)->close());
    const auto data = read_lineage(m_path);
    ASSERT_TRUE(data) << data.error().message();
    EXPECT_EQ(encoded(data->events), encoded(campaign.events));
    for (const auto& [id, text] : campaign.texts.all()) {
        EXPECT_EQ(data->texts->text(id).value_or("missing"), text);
    }
}

TEST_P(LineageFile, TablesSayWhatHappenedToTicketsAndIndividuals) {
    ASSERT_TRUE(write_lineage(small_campaign(), m_path, GetParam()));
    const auto file = hdf5::open_file(m_path);
    ASSERT_TRUE(file);
    const auto tickets = read_table<TicketRow>(file->get());
    ASSERT_TRUE(tickets);
    ASSERT_EQ(tickets->size(), 9u);
    EXPECT_EQ((*tickets)[4].state, TicketState::committed);
    EXPECT_EQ((*tickets)[4].commit, 4);
    EXPECT_EQ((*tickets)[6].state, TicketState::failed);
    EXPECT_EQ((*tickets)[8].state, TicketState::in_flight);
    EXPECT_EQ((*tickets)[8].commit, k_not_committed);
    const auto individuals = read_table<IndividualRow>(file->get());
    ASSERT_TRUE(individuals);
    ASSERT_EQ(individuals->size(), 9u);
    EXPECT_EQ((*individuals)[5].id, IndividualId::make(4, 0).value);
    EXPECT_EQ((*individuals)[5].committed, 1);
    EXPECT_EQ((*individuals)[5].commit, 4);
    EXPECT_EQ((*individuals)[5].predicted_gain, 1.25);
    EXPECT_EQ((*individuals)[4].predicted_gain, 0);
    EXPECT_EQ((*individuals)[8].committed, 0);
    EXPECT_EQ((*individuals)[6].duplicate, 1);
    const auto edges = read_table<EdgeRow>(file->get());
    ASSERT_TRUE(edges);
    ASSERT_EQ(edges->size(), 8u);
    EXPECT_EQ((*edges)[4].role, static_cast<std::uint8_t>(ParentRole::partner));
    EXPECT_EQ((*edges)[4].parent, IndividualId::make(2, 0).value);
    EXPECT_EQ((*edges)[4].probability, 0.2);
}

TEST_P(LineageFile, TicketsSayModelStrategyAndStep) {
    Campaign campaign = small_campaign();
    for (Event& event : campaign.events) {
        auto* issued = std::get_if<TicketIssued>(&event);
        if (issued != nullptr && issued->ticket == 4) {
            issued->model = "coder";
            issued->model_probability = 0.75;
            issued->strategy = "fuse";
            issued->strategy_probability = 0.5;
            issued->step = StepSize::large;
            issued->step_probability = 0.2;
        }
    }
    ASSERT_TRUE(write_lineage(campaign, m_path, GetParam()));
    const auto file = hdf5::open_file(m_path);
    ASSERT_TRUE(file);
    const auto tickets = read_table<TicketRow>(file->get());
    ASSERT_TRUE(tickets);
    const auto texts = read_table<TextRow>(file->get());
    ASSERT_TRUE(texts);
    const TicketRow& row = tickets->at(4);
    const auto digest_of = [&](std::int32_t text) {
        return Digest{texts->at(static_cast<std::size_t>(text)).digest};
    };
    EXPECT_EQ(digest_of(row.model), content_id("coder"));
    EXPECT_EQ(row.model_probability, 0.75);
    EXPECT_EQ(digest_of(row.strategy), content_id("fuse"));
    EXPECT_EQ(row.strategy_probability, 0.5);
    EXPECT_EQ(row.step, 2u);
    EXPECT_EQ(row.step_probability, 0.2);
    EXPECT_EQ(tickets->at(5).model, k_no_text);
    EXPECT_EQ(tickets->at(5).strategy, k_no_text);
    EXPECT_EQ(tickets->at(5).model_probability, 1);
    EXPECT_EQ(tickets->at(5).step, 0u);
}

TEST_P(LineageFile, StoresEachTextOnceAndEachVerdictsTimingsOnce) {
    ASSERT_TRUE(write_lineage(small_campaign(), m_path, GetParam()));
    const auto file = hdf5::open_file(m_path);
    ASSERT_TRUE(file);
    const auto individuals = read_table<IndividualRow>(file->get());
    ASSERT_TRUE(individuals);
    EXPECT_EQ((*individuals)[0].source, (*individuals)[2].source);    // naive, tuned
    EXPECT_EQ((*individuals)[5].verdict, (*individuals)[6].verdict);  // duplicate
    const auto timings = read_table<TimingRow>(file->get());
    ASSERT_TRUE(timings);
    // Six measured individuals and one confirmation, one public and one hidden workload each.
    EXPECT_EQ(timings->size(), 14u);
    EXPECT_EQ((*timings)[1].hidden, 1);
    EXPECT_EQ((*timings)[0].samples_count, 3u);
    double samples[3] = {};
    ASSERT_TRUE(read_elements(file->get(), k_samples_path, H5T_NATIVE_DOUBLE,
                              (*timings)[2].samples_offset, 3, samples));
    EXPECT_EQ(samples[1], (*timings)[2].median_ns);
}

TEST_P(LineageFile, WhatWasTurnedDownHasATableOfItsOwn) {
    ASSERT_TRUE(write_lineage(small_campaign(), m_path, GetParam()));
    const auto file = hdf5::open_file(m_path);
    ASSERT_TRUE(file);
    const auto rows = read_table<TurnedDownRow>(file->get());
    ASSERT_TRUE(rows);
    ASSERT_EQ(rows->size(), 1u);
    const TurnedDownRow& row = rows->front();
    EXPECT_EQ(row.id, IndividualId::make(6, 0).value);
    EXPECT_EQ(row.ticket, 6u);
    EXPECT_EQ(row.similar, IndividualId::make(3, 0).value);
    EXPECT_EQ(row.similarity, 0.96875);
    EXPECT_NE(row.source, k_no_text);
    EXPECT_NE(row.description, k_no_text);
    EXPECT_EQ(row.prompt, k_no_text);
}

TEST_P(LineageFile, ALostTextCostsOnlyItself) {
    Campaign campaign = small_campaign();
    const auto& starter = std::get<Evaluated>(campaign.events[3]).individual;
    campaign.texts.lose(starter.verdict);
    ASSERT_TRUE(write_lineage(campaign, m_path, GetParam()));
    const auto file = hdf5::open_file(m_path);
    ASSERT_TRUE(file);
    const auto individuals = read_table<IndividualRow>(file->get());
    ASSERT_TRUE(individuals);
    EXPECT_EQ((*individuals)[0].verdict, k_no_text);
    EXPECT_NE((*individuals)[0].source, k_no_text);
}

TEST_P(LineageFile, RefusesEventsOutOfOrder) {
    const Campaign campaign = small_campaign();
    auto writer = LineageWriter::create(m_path, GetParam());
    ASSERT_TRUE(writer);
    EXPECT_EQ((*writer)->add(campaign.events[0], 1, campaign.texts).error().code,
              ErrorCode::invalid_argument);
}

TEST_P(LineageFile, IsReadableFromAReadOnlyCopy) {
    ASSERT_TRUE(write_lineage(small_campaign(), m_path, GetParam()));
    const auto copy = m_folder.path() / "copy.h5";
    std::filesystem::copy_file(m_path, copy);
    std::filesystem::permissions(copy, std::filesystem::perms::owner_read);
    const auto data = read_lineage(copy);
    ASSERT_TRUE(data) << data.error().message();
    EXPECT_EQ(data->events.size(), small_campaign().events.size());
}

// A worker that is started later must not inherit the open data set.
TEST_P(LineageFile, IsNotInheritedByChildren) {
    auto writer = LineageWriter::create(m_path, GetParam());
    ASSERT_TRUE(writer);
    int found = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        std::error_code ignored;
        if (std::filesystem::read_symlink(entry.path(), ignored) == m_path) {
            ++found;
            const int fd = std::stoi(entry.path().filename().string());
            EXPECT_NE(::fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
        }
    }
    EXPECT_EQ(found, 1);
}

TEST_P(LineageFile, ReportsAFullDiskAndLeavesTheProcessAlive) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        std::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{256 * 1024, 256 * 1024};
        ::setrlimit(RLIMIT_FSIZE, &limit);
        int status = 1;
        {
            auto writer = LineageWriter::create(m_path, GetParam());
            MemoryTexts texts;
            std::uint64_t index = 0;
            for (std::uint32_t i = 0; writer && i < 2000 && status == 1; ++i) {
                Individual one;
                one.id = IndividualId::make(0, i);
                std::string text;
                for (int k = 0; k < 200; ++k) {
                    text += content_id(std::to_string(i * 1000 + k)).hex();
                }
                one.source = texts.put(text);
                Status added = (*writer)->add(Evaluated{one}, index++, texts);
                if (added) {
                    added = (*writer)->flush();
                }
                if (!added) {
                    status = added.error().code == ErrorCode::no_space ? 0 : 2;
                }
            }
        }
        std::exit(status);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(LineageFileErrors, SaysWhatIsWrongWithAFile) {
    const TemporaryFolder folder;
    EXPECT_EQ(read_lineage(folder.path() / "none.h5").error().code, ErrorCode::not_found);
    EXPECT_EQ(read_lineage(folder.path()).error().code, ErrorCode::not_found);
    const auto text = folder.path() / "text.h5";
    std::ofstream(text) << "not HDF5";
    const auto not_hdf5 = read_lineage(text);
    ASSERT_FALSE(not_hdf5);
    EXPECT_EQ(not_hdf5.error().code, ErrorCode::corrupt);
    EXPECT_THAT(not_hdf5.error().message(), HasSubstr("text.h5"));
    const auto other = folder.path() / "other.h5";
    { ASSERT_TRUE(hdf5::create_file(other)); }
    const auto foreign = read_lineage(other);
    ASSERT_FALSE(foreign);
    EXPECT_THAT(foreign.error().message(), HasSubstr("not a lineage file"));
}

// HDF5 would read such a file again and again, each time after twice the wait.
TEST(LineageFileErrors, ADamagedFileIsNotWaitedForLikeAWriter) {
    const TemporaryFolder folder;
    const auto path = folder.path() / "lineage.h5";
    ASSERT_TRUE(write_lineage(small_campaign(), path, LineageMode::live));
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(20);  // the superblock, which has a checksum
    file.put('\x55');
    file.close();
    EXPECT_FALSE(read_lineage(path));
    EXPECT_FALSE(read_lineage_end(path));
    EXPECT_FALSE(count_lineage_events(path));
}

TEST(LineageFileErrors, RefusesAFileFromANewerVersion) {
    const TemporaryFolder folder;
    const auto path = folder.path() / "lineage.h5";
    ASSERT_TRUE(write_lineage(small_campaign(), path, LineageMode::batch));
    {
        hdf5::silence();
        const hdf5::Handle file(H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT), H5Fclose);
        const hdf5::Handle attribute(H5Aopen(file.get(), "format_version", H5P_DEFAULT), H5Aclose);
        const std::uint32_t version = k_lineage_version + 1;
        ASSERT_GE(H5Awrite(attribute.get(), H5T_NATIVE_UINT32, &version), 0);
    }
    EXPECT_EQ(read_lineage(path).error().code, ErrorCode::too_new);
}

TEST(LineageFileErrors, NamesTheFolderThatCannotBeWritten) {
    const auto writer = LineageWriter::create("/nonexistent/lineage.h5", LineageMode::live);
    ASSERT_FALSE(writer);
    EXPECT_EQ(writer.error().code, ErrorCode::not_found);
    EXPECT_THAT(writer.error().message(), HasSubstr("/nonexistent/lineage.h5"));
}

TEST(LineageFileSystems, LiveReadersNeedALocalFileSystem) {
    EXPECT_FALSE(hdf5::live_readers_supported(0x6969L));      // NFS
    EXPECT_FALSE(hdf5::live_readers_supported(0x65735546L));  // FUSE
    EXPECT_TRUE(hdf5::live_readers_supported(0xEF53L));       // ext4
    EXPECT_TRUE(hdf5::live_readers_supported(0x01021994L));   // tmpfs
}

// Live mode never reuses the space of a compressed chunk: each flush must start a fresh one, or a
// campaign of a day would leave gigabytes of dead chunks.
TEST(LineageFileSize, FlushingOftenDoesNotBloatALiveFile) {
    const TemporaryFolder folder;
    const auto size_with = [&](std::uint64_t flush_every) {
        const auto path = folder.path() / ("every" + std::to_string(flush_every));
        auto writer = LineageWriter::create(path, LineageMode::live);
        MemoryTexts texts;
        for (std::uint32_t i = 0; i < 200; ++i) {
            Individual one;
            one.id = IndividualId::make(0, i);
            std::string text;
            for (int k = 0; k < 20; ++k) {
                text += content_id(std::to_string(i * 100 + k)).hex();
            }
            one.source = texts.put(text);
            EXPECT_TRUE((*writer)->add(Evaluated{one}, i, texts));
            if (i % flush_every == 0) {
                EXPECT_TRUE((*writer)->flush());
            }
        }
        EXPECT_TRUE((*writer)->close());
        return std::filesystem::file_size(path);
    };
    EXPECT_LT(size_with(1), 2 * size_with(1000));
}

// Text as repetitive as code is: lines drawn from a small grammar with changing numbers.
class CodeLike {
  public:
    std::string text(std::size_t bytes) {
        static constexpr const char* k_lines[] = {
            "    for (int {} = 0; {} < N{}; {} += BLOCK_{}) {{\n",
            "        const float a{} = A[(row + {}) * K + k{}];\n",
            "        acc{}[{}] += a{} * b{};\n",
            "        __builtin_prefetch(&B[(k + {}) * N + col{}]);\n",
            "    }\n",
            "    // unroll by {} so that {} accumulators stay in registers\n",
            "#pragma GCC unroll {}\n",
            "        C[(row + {}) * N + col + {}] = acc{}[{}];\n",
        };
        std::string result;
        while (result.size() < bytes) {
            for (const char* c = k_lines[next() % std::size(k_lines)]; *c != '\0'; ++c) {
                if (c[0] == '{' && c[1] == '}') {
                    result += std::to_string(next() % 64);
                    ++c;
                } else {
                    result += *c;
                }
            }
        }
        result.resize(bytes);
        return result;
    }

  private:
    std::uint64_t next() {
        m_state = m_state * 6364136223846793005ull + 1442695040888963407ull;
        return m_state >> 33;
    }
    std::uint64_t m_state = 1;
};

// 3,000 candidates of 4 KB with prompts of 12 KB (the parent's source among them), measured.
TEST(LineageFileSize, ThreeThousandCandidatesWithPromptsFitIn18Megabytes) {
    const TemporaryFolder folder;
    const auto path = folder.path() / "lineage.h5";
    auto writer = LineageWriter::create(path, LineageMode::live);
    ASSERT_TRUE(writer);
    CodeLike code;
    const std::string instructions = code.text(8000);
    std::string parent = code.text(4000);
    std::uint64_t index = 0;
    for (std::uint32_t i = 0; i < 3000; ++i) {
        MemoryTexts texts;
        Individual one;
        one.id = IndividualId::make(i, 0);
        one.key = content_id(std::to_string(i));
        one.prompt = texts.put(instructions + parent + std::to_string(i));
        parent = code.text(4000);
        one.source = texts.put(parent);
        one.outcome = Outcome::passed;
        one.operator_name = "tune";
        one.verdict = texts.put(to_json(measured_verdict(1000.0 + i)));
        TicketIssued issued;
        issued.ticket = i;
        ASSERT_TRUE((*writer)->add(issued, index++, texts));
        ASSERT_TRUE((*writer)->add(Evaluated{one}, index++, texts));
        ASSERT_TRUE((*writer)->add(TicketCommitted{i, 0, 0, 0, 0}, index++, texts));
        if (i % 20 == 19) {
            ASSERT_TRUE((*writer)->flush());
        }
    }
    ASSERT_TRUE((*writer)->close());
    EXPECT_LT(std::filesystem::file_size(path), 18'000'000u);
    RecordProperty("bytes", std::to_string(std::filesystem::file_size(path)));
}

}  // namespace
}  // namespace atl
