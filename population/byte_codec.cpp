#include "population/byte_codec.hpp"

#include <bit>
#include <cmath>
#include <utility>

namespace atl {

void ByteWriter::f64(double value) {
    u64(std::bit_cast<std::uint64_t>(value));
}

void ByteWriter::string(std::string_view value) {
    u32(static_cast<std::uint32_t>(value.size()));
    raw(value);
}

void ByteWriter::digest(const Digest& value) {
    for (const std::uint8_t byte : value.bytes) {
        u8(byte);
    }
}

std::string_view ByteReader::take(std::size_t size) {
    if (size > m_rest.size()) {
        fail("ends inside a field");
    }
    if (!ok()) {
        return {};
    }
    const std::string_view taken = m_rest.substr(0, size);
    m_rest.remove_prefix(size);
    return taken;
}

std::uint64_t ByteReader::little_endian(std::size_t size) {
    const std::string_view bytes = take(size);
    std::uint64_t value = 0;
    for (std::size_t i = bytes.size(); i-- > 0;) {
        value = value << 8 | static_cast<std::uint8_t>(bytes[i]);
    }
    return value;
}

std::uint8_t ByteReader::u8() {
    return static_cast<std::uint8_t>(little_endian(1));
}

bool ByteReader::boolean() {
    const std::uint8_t value = u8();
    if (value > 1) {
        fail("a truth value is neither 0 nor 1");
    }
    return value == 1;
}

double ByteReader::f64() {
    const double value = std::bit_cast<double>(u64());
    if (!std::isfinite(value)) {
        fail("a number is not finite");
        return 0;
    }
    return value;
}

std::string ByteReader::string() {
    const std::uint32_t size = u32();
    if (size > k_max_string) {
        fail("a string is longer than " + std::to_string(k_max_string) + " bytes");
    }
    return std::string(take(ok() ? size : 0));
}

Digest ByteReader::digest() {
    Digest value;
    const std::string_view bytes = take(value.bytes.size());
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        value.bytes[i] = static_cast<std::uint8_t>(bytes[i]);
    }
    return value;
}

std::uint32_t ByteReader::count(std::size_t element_bytes, std::uint32_t limit) {
    const std::uint32_t value = u32();
    if (value > limit) {
        fail("a list has " + std::to_string(value) + " elements; the limit is " +
             std::to_string(limit));
    } else if (value * std::uint64_t{element_bytes} > m_rest.size()) {
        fail("a list is longer than its record");
    }
    return ok() ? value : 0;
}

std::string_view ByteReader::rest(std::size_t least) {
    if (m_rest.size() < least) {
        fail("ends inside a field");
    }
    return take(ok() ? m_rest.size() : 0);
}

void ByteReader::fail(std::string what) {
    if (ok()) {
        m_error = std::move(what) + " (at byte " + std::to_string(m_size - m_rest.size()) + " of " +
                  std::to_string(m_size) + ")";
    }
}

Status ByteReader::finish() {
    if (ok() && !m_rest.empty()) {
        fail("has " + std::to_string(m_rest.size()) + " bytes too many");
    }
    if (!ok()) {
        return failure(ErrorCode::corrupt, m_error);
    }
    return {};
}

}  // namespace atl
