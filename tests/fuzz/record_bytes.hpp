#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace atl::fuzz {

/// The next little-endian number of `bytes`, which it is taken from; nothing when they are short.
template <class Number>
[[nodiscard]] std::optional<Number> take_number(std::string_view& bytes) {
    Number number = 0;
    if (bytes.size() < sizeof(Number)) {
        return std::nullopt;
    }
    std::memcpy(&number, bytes.data(), sizeof(Number));
    bytes.remove_prefix(sizeof(Number));
    return number;
}

template <class Number>
void put_number(std::string& bytes, Number number) {
    bytes.append(reinterpret_cast<const char*>(&number), sizeof(Number));
}

/// A record as the target `records` reads it. A length that runs over the end is cut.
struct LooseRecord {
    std::uint8_t type = 0;
    std::string_view payload;
};

[[nodiscard]] inline std::optional<LooseRecord> take_record(std::string_view& bytes) {
    const auto type = take_number<std::uint8_t>(bytes);
    const auto length = take_number<std::uint32_t>(bytes);
    if (!type || !length) {
        return std::nullopt;
    }
    const LooseRecord record{*type, bytes.substr(0, *length)};
    bytes.remove_prefix(record.payload.size());
    return record;
}

inline void put_record(std::string& bytes, std::uint8_t type, std::string_view payload) {
    put_number(bytes, type);
    put_number(bytes, static_cast<std::uint32_t>(payload.size()));
    bytes += payload;
}

}  // namespace atl::fuzz
