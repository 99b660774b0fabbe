#include "population/journal/journal.hpp"
#include "population/lineage/hdf5_handle.hpp"
#include "population/lineage/lineage.hpp"
#include "population/lineage/lineage_table.hpp"

#include <mutex>
#include <unordered_map>
#include <utility>

namespace atl {

namespace {

using namespace lineage;

constexpr std::uint64_t k_max_text_bytes = 256ull << 20;
constexpr std::uint64_t k_max_payload_bytes = 64ull << 20;

/// Texts of an open lineage.h5, fetched on demand.
class LineageTexts final : public TextSource {
  public:
    LineageTexts(hdf5::Handle file, std::string where, const std::vector<TextRow>& rows)
        : m_file(std::move(file)), m_where(std::move(where)) {
        for (const TextRow& row : rows) {
            m_index.emplace(Digest{row.digest}, std::pair(row.offset, row.length));
        }
    }

    [[nodiscard]] Expected<std::string> text(const Digest& id) const override {
        const std::scoped_lock lock(m_mutex);
        const auto found = m_index.find(id);
        if (found == m_index.end()) {
            return failure(ErrorCode::not_found, "no text " + id.short_hex(), m_where);
        }
        const auto [offset, length] = found->second;
        if (length > k_max_text_bytes) {
            return failure(ErrorCode::corrupt, "text " + id.short_hex() + " is too long", m_where);
        }
        std::string bytes(length, '\0');
        ATOLL_TRY(read_elements(m_file.get(), k_text_bytes_path, H5T_NATIVE_UINT8, offset, length,
                                bytes.data()));
        if (content_id(bytes) != id) {
            return failure(ErrorCode::corrupt, "text " + id.short_hex() + " is damaged", m_where,
                           "rebuild the file from its run folder");
        }
        return bytes;
    }

  private:
    mutable std::mutex m_mutex;
    hdf5::Handle m_file;
    std::string m_where;
    std::unordered_map<Digest, std::pair<std::uint64_t, std::uint64_t>> m_index;
};

Status check_version(hid_t file, const std::string& where) {
    auto found = ATOLL_HDF5(where, H5Aexists(file, "format_version"));
    if (!found || *found == 0) {
        return failure(ErrorCode::corrupt, "an HDF5 file, but not a lineage file of Atoll", where);
    }
    ATOLL_TRY_ASSIGN(const hid_t id,
                     ATOLL_HDF5(where, H5Aopen(file, "format_version", H5P_DEFAULT)));
    const hdf5::Handle attribute(id, H5Aclose);
    std::uint32_t version = 0;
    ATOLL_TRY(ATOLL_HDF5(where, H5Aread(id, H5T_NATIVE_UINT32, &version)));
    if (version > k_lineage_version) {
        return failure(ErrorCode::too_new,
                       "written in format " + std::to_string(version) + ", this program knows " +
                           std::to_string(k_lineage_version),
                       where, "use a newer Atoll");
    }
    return {};
}

Expected<Event> read_event(hid_t file, const EventRow& row, std::uint64_t index,
                           const std::string& where) {
    if (row.payload_length > k_max_payload_bytes || row.index != index) {
        return failure(ErrorCode::corrupt, "bad row for event " + std::to_string(index), where);
    }
    std::string payload(row.payload_length, '\0');
    ATOLL_TRY(read_elements(file, k_payload_path, H5T_NATIVE_UINT8, row.payload_offset,
                            row.payload_length, payload.data()));
    return decode_event(row.type, payload);
}

Expected<std::vector<Event>> read_events(hid_t file, const std::string& where) {
    ATOLL_TRY_ASSIGN(const std::vector<EventRow> rows, read_table<EventRow>(file));
    std::vector<Event> events;
    events.reserve(rows.size());
    for (const EventRow& row : rows) {
        ATOLL_TRY_ASSIGN(Event event, read_event(file, row, events.size(), where));
        events.push_back(std::move(event));
    }
    return events;
}

Expected<LineageData> read_hdf5(const std::filesystem::path& path) {
    const std::string where = path.string();
    auto opened = hdf5::open_file(path);
    if (!opened) {
        Error error = opened.error();
        if (error.code == ErrorCode::corrupt || error.code == ErrorCode::io) {
            error.hint =
                "if its writer was killed: atoll lineage RUN rebuild, with RUN the folder "
                "that holds the journal";
        }
        return tl::unexpected<Error>(std::move(error));
    }
    ATOLL_TRY(check_version(opened->get(), where));
    LineageData data;
    data.source = path;
    ATOLL_TRY_ASSIGN(data.events, read_events(opened->get(), where));
    ATOLL_TRY_ASSIGN(const std::vector<TextRow> texts, read_table<TextRow>(opened->get()));
    data.texts = std::make_unique<LineageTexts>(std::move(*opened), where, texts);
    return data;
}

Expected<LineageData> read_journal(const std::filesystem::path& path) {
    ATOLL_TRY_ASSIGN(std::unique_ptr<JournalReader> reader, JournalReader::open(path));
    LineageData data;
    data.source = path;
    ATOLL_TRY(reader->for_each(0, [&](const JournalReader::Entry& entry) -> Status {
        data.events.push_back(entry.event);
        return {};
    }));
    data.torn_bytes = reader->torn_bytes();
    data.end_position = reader->end_position();
    data.texts = std::move(reader);
    return data;
}

/// Gives the number of events written.
Expected<std::uint64_t> write_from_journal(const std::filesystem::path& journal,
                                           const std::filesystem::path& path) {
    ATOLL_TRY_ASSIGN(const auto reader, JournalReader::open(journal));
    ATOLL_TRY_ASSIGN(const auto writer, LineageWriter::create(path, LineageMode::batch));
    std::uint64_t events = 0;
    ATOLL_TRY(reader->for_each(0, [&](const JournalReader::Entry& entry) {
        ++events;
        return writer->add(entry.event, entry.index, *reader);
    }));
    ATOLL_TRY(writer->close());
    return events;
}

Status write_anew(const std::filesystem::path& journal, const std::filesystem::path& temporary,
                  const std::filesystem::path& output) {
    ATOLL_TRY_ASSIGN(const std::uint64_t events, write_from_journal(journal, temporary));
    const std::uint64_t before = count_lineage_events(output).value_or(0);
    if (before > events) {
        return failure(ErrorCode::corrupt,
                       "holds " + std::to_string(before) + " events, the journal only " +
                           std::to_string(events) + ": it is the only copy of the others",
                       output.string(),
                       "restore the journal from a copy, or write elsewhere with --output FILE.h5");
    }
    std::error_code error;
    std::filesystem::rename(temporary, output, error);
    if (error) {
        return tl::unexpected<Error>(errno_error("rename", output.string(), error.value()));
    }
    return {};
}

}  // namespace

Expected<LineageEnd> read_lineage_end(const std::filesystem::path& h5) {
    const std::string where = h5.string();
    ATOLL_TRY_ASSIGN(const hdf5::Handle file, hdf5::open_file(h5, hdf5::LeftOpen::refuse));
    ATOLL_TRY(check_version(file.get(), where));
    const TableSpec& spec = table_spec(TableId::events);
    LineageEnd end;
    ATOLL_TRY_ASSIGN(end.events, series_size(file.get(), spec.path));
    if (end.events > 0) {
        ATOLL_TRY_ASSIGN(const hdf5::Handle type, row_type(TableId::events, Layout::memory));
        EventRow row;
        ATOLL_TRY(read_elements(file.get(), spec.path, type.get(), end.events - 1, 1, &row));
        ATOLL_TRY_ASSIGN(end.last, read_event(file.get(), row, end.events - 1, where));
    }
    return end;
}

Expected<std::uint64_t> count_lineage_events(const std::filesystem::path& h5) {
    ATOLL_TRY_ASSIGN(const hdf5::Handle file, hdf5::open_file(h5));
    ATOLL_TRY(check_version(file.get(), h5.string()));
    return series_size(file.get(), table_spec(TableId::events).path);
}

Expected<LineageData> read_lineage(const std::filesystem::path& run_or_h5) {
    std::error_code ignored;
    std::error_code error;
    if (std::filesystem::is_directory(run_or_h5, ignored)) {
        if (std::filesystem::exists(run_or_h5 / k_journal_file, ignored)) {
            return read_journal(run_or_h5 / k_journal_file);
        }
        if (std::filesystem::exists(run_or_h5 / k_lineage_file, ignored)) {
            return read_hdf5(run_or_h5 / k_lineage_file);
        }
        std::filesystem::directory_iterator readable(run_or_h5, error);
        if (error) {
            return tl::unexpected(errno_error("open", run_or_h5.string(), error.value()));
        }
        return failure(ErrorCode::not_found, "no journal and no lineage.h5 in this folder",
                       run_or_h5.string(), "name a run folder, as written by `atoll run`");
    }
    if (!std::filesystem::exists(run_or_h5, ignored)) {
        return failure(ErrorCode::not_found, "no such file or folder", run_or_h5.string(),
                       "name a run folder or a lineage.h5");
    }
    return read_hdf5(run_or_h5);
}

Status rebuild_lineage(const std::filesystem::path& run, const std::filesystem::path& output) {
    std::error_code error;
    if (!std::filesystem::exists(run / k_journal_file, error)) {
        return failure(ErrorCode::not_found, "no journal in this folder", run.string(),
                       "rebuilding needs the run folder, not a lineage.h5 alone");
    }
    std::filesystem::path temporary = output;
    temporary += ".tmp";
    Status written = write_anew(run / k_journal_file, temporary, output);
    if (!written) {
        std::filesystem::remove(temporary, error);
    }
    return written;
}

}  // namespace atl
