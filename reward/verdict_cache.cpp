#include "reward/verdict_cache.hpp"

#include "reward/base/files.hpp"

#include <unistd.h>

#include <system_error>
#include <utility>

namespace atl {

namespace {

constexpr std::uint64_t k_max_file_bytes = 64u << 20;

/// The verdict in `json` if it is well-formed and the one asked for.
std::optional<Verdict> verdict_of(const std::string& json, const Digest& key) {
    Expected<Verdict> verdict = parse_verdict(json);
    if (!verdict || verdict->key != key) {
        return std::nullopt;
    }
    verdict->from_cache = true;
    return std::move(*verdict);
}

}  // namespace

VerdictCache::VerdictCache(std::filesystem::path folder, std::size_t memory_bytes)
    : m_folder(std::move(folder)), m_memory_bytes(memory_bytes) {}

std::filesystem::path VerdictCache::file_of(const Digest& key) const {
    const std::string hex = key.hex();
    return m_folder / hex.substr(0, 2) / (hex + ".json");
}

std::optional<std::string> VerdictCache::find_in_memory(const Digest& key) {
    const std::lock_guard lock(m_mutex);
    const auto found = m_index.find(key);
    if (found == m_index.end()) {
        return std::nullopt;
    }
    m_entries.splice(m_entries.begin(), m_entries, found->second);
    return found->second->json;
}

void VerdictCache::insert(const Digest& key, std::string json) {
    const std::lock_guard lock(m_mutex);
    if (json.size() > m_memory_bytes) {
        return;
    }
    if (const auto found = m_index.find(key); found != m_index.end()) {
        m_bytes -= found->second->json.size();
        m_entries.erase(found->second);
        m_index.erase(found);
    }
    m_bytes += json.size();
    m_entries.push_front({key, std::move(json)});
    m_index[key] = m_entries.begin();
    while (m_bytes > m_memory_bytes) {
        m_bytes -= m_entries.back().json.size();
        m_index.erase(m_entries.back().key);
        m_entries.pop_back();
    }
}

std::optional<Verdict> VerdictCache::find(const Digest& key) {
    if (const std::optional<std::string> json = find_in_memory(key)) {
        return verdict_of(*json, key);
    }
    if (m_folder.empty()) {
        return std::nullopt;
    }
    Expected<std::string> json = read_file(file_of(key), k_max_file_bytes);
    if (!json) {
        return std::nullopt;
    }
    std::optional<Verdict> verdict = verdict_of(*json, key);
    if (verdict) {
        insert(key, std::move(*json));
    }
    return verdict;
}

Status VerdictCache::try_folder() const {
    const auto try_to_write = [this]() -> Status {
        std::error_code error;
        std::filesystem::create_directories(m_folder, error);
        if (error) {
            return tl::unexpected(
                errno_error("create_directories", m_folder.string(), error.value()));
        }
        const std::filesystem::path probe =
            m_folder / ("probe-" + std::to_string(::getpid()) + ".tmp");
        const Status written = write_file_durably(probe, "");
        std::filesystem::remove(probe, error);
        return written;
    };
    if (m_folder.empty()) {
        return {};
    }
    if (const Status tried = try_to_write(); !tried) {
        Error error = tried.error();
        error.what = "verdicts cannot be kept in the cache folder: " + error.what;
        error.hint = "name another folder, or none";
        return tl::unexpected(error);
    }
    return {};
}

void VerdictCache::remember(const Verdict& verdict) {
    insert(verdict.key, to_json(verdict));
}

Status VerdictCache::save(const Verdict& verdict) const {
    if (m_folder.empty()) {
        return {};
    }
    const std::filesystem::path file = file_of(verdict.key);
    std::error_code error;
    std::filesystem::create_directories(file.parent_path(), error);
    if (error) {
        return tl::unexpected(
            errno_error("create_directories", file.parent_path().string(), error.value()));
    }
    return write_file_durably(file, to_json(verdict));
}

}  // namespace atl
