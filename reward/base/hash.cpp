#include "reward/base/hash.hpp"

#include <openssl/evp.h>
#include <xxhash.h>

#include <algorithm>
#include <cstring>

namespace atl {

namespace {

int hex_value(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return -1;
}

}  // namespace

std::string Digest::hex() const {
    static constexpr char k_digits[] = "0123456789abcdef";
    std::string text;
    text.reserve(64);
    for (const std::uint8_t byte : bytes) {
        text += k_digits[byte >> 4];
        text += k_digits[byte & 15];
    }
    return text;
}

std::optional<Digest> Digest::from_hex(std::string_view text) {
    Digest digest;
    if (text.size() != 2 * digest.bytes.size()) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < digest.bytes.size(); ++i) {
        const int high = hex_value(text[2 * i]);
        const int low = hex_value(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return std::nullopt;
        }
        digest.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
    return digest;
}

namespace {

/// Looked up once: EVP_sha256() would have OpenSSL look for its code, under locks, at every use.
const EVP_MD* sha256() {
    static const EVP_MD* const fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    return fetched;
}

}  // namespace

struct ContentHasher::State {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    State() { EVP_DigestInit_ex(context, sha256(), nullptr); }
    ~State() { EVP_MD_CTX_free(context); }
    State(const State&) = delete;
    State& operator=(const State&) = delete;
};

ContentHasher::ContentHasher() : m_state(std::make_unique<State>()) {}
ContentHasher::~ContentHasher() = default;
ContentHasher::ContentHasher(const ContentHasher& other) : ContentHasher() {
    EVP_MD_CTX_copy_ex(m_state->context, other.m_state->context);
}
ContentHasher::ContentHasher(ContentHasher&&) noexcept = default;
ContentHasher& ContentHasher::operator=(ContentHasher&&) noexcept = default;

ContentHasher& ContentHasher::field(std::string_view bytes) {
    const std::uint64_t size = bytes.size();
    // Most are small: each call of OpenSSL costs more than to hash so few bytes.
    std::array<char, 64> both;
    if (sizeof size + bytes.size() <= both.size()) {
        std::memcpy(both.data(), &size, sizeof size);
        std::copy(bytes.begin(), bytes.end(), both.begin() + sizeof size);
        EVP_DigestUpdate(m_state->context, both.data(), sizeof size + bytes.size());
    } else {
        EVP_DigestUpdate(m_state->context, &size, sizeof size);
        EVP_DigestUpdate(m_state->context, bytes.data(), bytes.size());
    }
    return *this;
}

ContentHasher& ContentHasher::field(std::uint64_t value) {
    return field(std::string_view(reinterpret_cast<const char*>(&value), sizeof(value)));
}

ContentHasher& ContentHasher::field(const Digest& digest) {
    return field(
        std::string_view(reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size()));
}

Digest ContentHasher::finish() {
    Digest digest;
    unsigned size = 0;
    EVP_DigestFinal_ex(m_state->context, digest.bytes.data(), &size);
    EVP_DigestInit_ex(m_state->context, sha256(), nullptr);
    return digest;
}

Digest content_id(std::string_view bytes) {
    Digest digest;
    unsigned size = 0;
    EVP_Digest(bytes.data(), bytes.size(), digest.bytes.data(), &size, sha256(), nullptr);
    return digest;
}

std::uint64_t checksum64(const void* data, std::size_t size, std::uint64_t seed) {
    return XXH3_64bits_withSeed(data, size, seed);
}

}  // namespace atl
