#include "reward/cuda/device_cache.hpp"

#include "reward/base/files.hpp"
#include "reward/base/unfinished_files.hpp"

#include <array>
#include <cstring>
#include <fstream>
#include <string_view>
#include <system_error>
#include <thread>

namespace atl {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view k_magic = "ATOLDEV2";
constexpr std::uint64_t k_max_file_bytes = 1u << 30;
constexpr std::size_t k_parts = 3;

Digest checksum_of(const Digest& key, std::string_view rest) {
    return ContentHasher().field(key).field(rest).finish();
}

/// The sizes and the parts, as they follow the checksum.
std::string body_of(const DeviceArtifact& artifact) {
    std::string body;
    for (const std::string* part : {&artifact.log, &artifact.names, &artifact.cubin}) {
        for (std::uint64_t size = part->size(), i = 0; i < sizeof(size); ++i) {
            body += static_cast<char>(size >> 8 * i & 0xff);
        }
    }
    return body.append(artifact.log).append(artifact.names).append(artifact.cubin);
}

std::optional<DeviceArtifact> artifact_in(std::string_view file, const Digest& key) {
    const std::size_t head = k_magic.size() + key.bytes.size();
    if (file.size() < head + k_parts * sizeof(std::uint64_t) || !file.starts_with(k_magic)) {
        return std::nullopt;
    }
    std::string_view body = file.substr(head);
    const Digest checksum = checksum_of(key, body);
    if (std::memcmp(checksum.bytes.data(), file.data() + k_magic.size(), key.bytes.size()) != 0) {
        return std::nullopt;
    }
    std::array<std::uint64_t, k_parts> sizes{};
    for (std::size_t i = 0; i < sizeof(sizes); ++i) {
        sizes[i / 8] |= std::uint64_t{static_cast<unsigned char>(body[i])} << 8 * (i % 8);
    }
    body.remove_prefix(sizeof(sizes));
    DeviceArtifact artifact;
    std::size_t i = 0;
    for (std::string* part : {&artifact.log, &artifact.names, &artifact.cubin}) {
        const std::uint64_t size = sizes[i++];
        if (size > body.size()) {
            return std::nullopt;
        }
        part->assign(body.substr(0, size));
        body.remove_prefix(size);
    }
    return body.empty() ? std::optional(std::move(artifact)) : std::nullopt;
}

void write_and_rename(const fs::path& path, std::string_view head, std::string_view body) {
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    // Threads of one process may write the same key at once.
    fs::path unfinished = unfinished_path(path);
    const std::size_t thread = std::hash<std::thread::id>()(std::this_thread::get_id());
    unfinished.replace_extension("." + std::to_string(thread) + ".tmp");
    std::ofstream file(unfinished, std::ios::binary);
    file.write(head.data(), static_cast<std::streamsize>(head.size()));
    file.write(body.data(), static_cast<std::streamsize>(body.size()));
    file.close();
    if (file) {
        fs::rename(unfinished, path, error);
    }
    if (!file || error) {
        fs::remove(unfinished, error);
    }
}

}  // namespace

DeviceCache::DeviceCache(fs::path folder, std::size_t max_binaries)
    : m_folder(std::move(folder)), m_max_binaries(max_binaries) {}

fs::path DeviceCache::file_of(const Digest& key) const {
    const std::string hex = key.hex();
    return m_folder / hex.substr(0, 2) / (hex + ".device");
}

std::optional<DeviceBinary> DeviceCache::find(const Digest& key) {
    {
        const std::lock_guard lock(m_mutex);
        if (const auto found = m_index.find(key); found != m_index.end()) {
            m_entries.splice(m_entries.begin(), m_entries, found->second);
            return found->second->binary;
        }
    }
    if (m_folder.empty()) {
        return std::nullopt;
    }
    const Expected<std::string> file = read_regular_file(file_of(key), k_max_file_bytes);
    const auto artifact = file ? artifact_in(*file, key) : std::nullopt;
    auto binary = artifact ? binary_from(*artifact) : Expected<DeviceBinary>();
    if (!binary || binary->status != DeviceBinary::Status::ok) {
        return std::nullopt;
    }
    insert(key, *binary);
    binary->cached = true;
    return std::move(*binary);
}

void DeviceCache::insert(const Digest& key, const DeviceBinary& binary) {
    const std::lock_guard lock(m_mutex);
    if (m_index.contains(key)) {
        return;
    }
    m_entries.push_front({key, binary});
    m_entries.front().binary.cached = true;
    m_entries.front().binary.seconds = 0;
    m_entries.front().binary.cpu_seconds = 0;
    m_index[key] = m_entries.begin();
    while (m_entries.size() > m_max_binaries) {
        m_index.erase(m_entries.back().key);
        m_entries.pop_back();
    }
}

void DeviceCache::remember(const Digest& key, const DeviceBinary& binary,
                           const DeviceArtifact& artifact) {
    insert(key, binary);
    if (!m_folder.empty()) {
        const std::string body = body_of(artifact);
        const Digest checksum = checksum_of(key, body);
        std::string head(k_magic);
        head.append(reinterpret_cast<const char*>(checksum.bytes.data()), checksum.bytes.size());
        write_and_rename(file_of(key), head, body);
    }
}

}  // namespace atl
