#pragma once

#include "reward/base/error.hpp"
#include "reward/base/hash.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace atl {

/// Little-endian binary fields, as journals and snapshots hold them. Strings are u32 length and
/// bytes. A writer never fails; a reader checks every bound.
class ByteWriter {
  public:
    void u8(std::uint8_t value) { m_bytes.push_back(static_cast<char>(value)); }
    void u32(std::uint32_t value) { little_endian(value); }
    void u64(std::uint64_t value) { little_endian(value); }
    void i64(std::int64_t value) { little_endian(static_cast<std::uint64_t>(value)); }
    void boolean(bool value) { u8(value ? 1 : 0); }
    void f64(double value);
    void string(std::string_view value);
    void digest(const Digest& value);
    void raw(std::string_view bytes) { m_bytes += bytes; }

    [[nodiscard]] const std::string& bytes() const { return m_bytes; }
    [[nodiscard]] std::string take() { return std::move(m_bytes); }

  private:
    template <class T>
    void little_endian(T value) {
        for (std::size_t i = 0; i < sizeof(T); ++i) {
            m_bytes.push_back(static_cast<char>(value >> (8 * i) & 0xff));
        }
    }
    std::string m_bytes;
};

/// Reads what ByteWriter wrote. After the first violation every read gives a zero value and
/// status() tells what was wrong; callers check once, at the end, and before they loop.
class ByteReader {
  public:
    static constexpr std::uint32_t k_max_string = 1u << 20;
    static constexpr std::uint32_t k_max_list = 4096;

    explicit ByteReader(std::string_view bytes) : m_rest(bytes), m_size(bytes.size()) {}

    std::uint8_t u8();
    std::uint32_t u32() { return static_cast<std::uint32_t>(little_endian(4)); }
    std::uint64_t u64() { return little_endian(8); }
    std::int64_t i64() { return static_cast<std::int64_t>(little_endian(8)); }
    /// Only 0 and 1 are booleans, so that one value has one encoding.
    bool boolean();
    /// Finite numbers only: nothing that is stored may be NaN or infinite.
    double f64();
    std::string string();
    Digest digest();
    /// A list's length. `element_bytes` is the least that one element takes, so that a hostile
    /// length cannot cause an allocation larger than the input.
    std::uint32_t count(std::size_t element_bytes, std::uint32_t limit = k_max_list);
    /// Everything that is left, at least `least` bytes.
    std::string_view rest(std::size_t least = 0);

    void fail(std::string what);
    [[nodiscard]] bool ok() const { return m_error.empty(); }
    /// An error of code corrupt when anything was wrong, or when bytes are left over.
    [[nodiscard]] Status finish();

  private:
    std::string_view take(std::size_t size);
    std::uint64_t little_endian(std::size_t size);

    std::string_view m_rest;
    std::size_t m_size;
    std::string m_error;
};

}  // namespace atl
