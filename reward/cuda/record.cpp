#include "reward/cuda/record.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace atl {

namespace {

constexpr std::size_t k_word = 8;
constexpr std::size_t k_text_at = 64;
constexpr std::size_t k_map_numbers = 26;
/// An order of the slots in which no sum, difference or bitwise combination of two addresses is
/// what it is in the plain one. The shim has the same numbers.
constexpr std::uint32_t k_shuffle = 389;
constexpr std::uint32_t k_unshuffle = 845;
constexpr std::uint32_t k_turn = 101;
static_assert(k_shuffle * k_unshuffle % RecordAddresses::k_slots == 1);
using Kind = RecordStep::Kind;

tl::unexpected<Error> corrupt(const char* what) {
    return failure(ErrorCode::corrupt, what, "record");
}

std::string printable_text(std::span<const std::byte> bytes) {
    std::string text;
    for (const std::byte byte : bytes) {
        const char c = static_cast<char>(byte);
        if (c == '\0') {
            break;
        }
        text += c >= ' ' && c <= '~' ? c : '?';
    }
    return text;
}

/// Reads one payload from its beginning to its end; after an error everything read is zero.
class Payload {
  public:
    explicit Payload(std::span<const std::byte> bytes) : m_bytes(bytes) {}

    std::uint64_t word() {
        std::uint64_t value = 0;
        if (m_bytes.size() - m_at < k_word) {
            m_bad = true;
            return 0;
        }
        std::memcpy(&value, m_bytes.data() + m_at, k_word);
        m_at += k_word;
        return value;
    }
    /// `bytes` of them, and what fills the last word up.
    std::span<const std::byte> block(std::uint64_t bytes) {
        const std::uint64_t left = m_bytes.size() - m_at;
        if (bytes > left || (bytes + k_word - 1) / k_word * k_word > left) {
            m_bad = true;
            return {};
        }
        const auto found = m_bytes.subspan(m_at, bytes);
        m_at += (bytes + k_word - 1) / k_word * k_word;
        return found;
    }
    [[nodiscard]] bool whole() const { return !m_bad && m_at == m_bytes.size(); }
    [[nodiscard]] bool bad() const { return m_bad; }

  private:
    std::span<const std::byte> m_bytes;
    std::size_t m_at = 0;
    bool m_bad = false;
};

std::string name_of(std::span<const std::byte> bytes) {
    std::string name(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return name;
}

bool is_name(const std::string& name) {
    return !name.empty() && name.size() <= k_max_plan_name &&
           std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c <= '~'; });
}

std::vector<std::uint8_t> bytes_of(std::span<const std::byte> bytes) {
    std::vector<std::uint8_t> values(bytes.size());
    std::transform(bytes.begin(), bytes.end(), values.begin(),
                   [](std::byte byte) { return std::to_integer<std::uint8_t>(byte); });
    return values;
}

/// The numbers are grid, block and cluster (x, y, z each), flags, shared bytes.
void read_launch(Payload& payload, RecordStep& step) {
    for (int i = 0; i < 5; ++i) {
        const std::uint64_t two = payload.word();
        step.numbers.push_back(two & 0xffffffff);
        step.numbers.push_back(two >> 32);
    }
    step.numbers.push_back(payload.word());
    const std::uint64_t counts = payload.word();
    step.name = name_of(payload.block(counts & 0xffffffff));
    const std::uint64_t arguments = std::min<std::uint64_t>(counts >> 32, k_max_plan_arguments);
    for (std::uint64_t i = 0; i < arguments && !payload.bad(); ++i) {
        step.blobs.push_back(bytes_of(payload.block(payload.word())));
    }
}

bool read_step(Payload& payload, RecordStep& step) {
    switch (step.kind) {
        case Kind::launch:
            read_launch(payload, step);
            return is_name(step.name);
        case Kind::memset:
            step.addresses = {payload.word()};
            step.numbers.push_back(payload.word());
            step.numbers.push_back(payload.word());
            return step.numbers[0] <= 255;
        case Kind::copy:
            step.addresses.push_back(payload.word());
            step.addresses.push_back(payload.word());
            step.numbers = {payload.word()};
            return true;
        case Kind::write:
            step.addresses = {payload.word()};
            step.blobs.push_back(bytes_of(payload.block(payload.word())));
            return true;
        case Kind::scratch:
            step.numbers = {payload.word()};
            return true;
        case Kind::symbol:
            step.numbers = {payload.word()};
            step.name = name_of(payload.block(payload.word()));
            return is_name(step.name);
        case Kind::setting:
            step.numbers.push_back(payload.word());
            step.numbers.push_back(payload.word());
            step.name = name_of(payload.block(payload.word()));
            return is_name(step.name);
        case Kind::tensor_map:
            step.addresses = {payload.word()};
            for (std::size_t i = 0; i < k_map_numbers; ++i) {
                step.numbers.push_back(payload.word());
            }
            return true;
    }
    return false;
}

}  // namespace

std::uint64_t RecordAddresses::address_of(std::uint32_t slot) const {
    const std::uint64_t place = shuffled ? (slot * k_shuffle + k_turn) % k_slots : slot;
    const std::uint64_t shift = slot < k_first_scratch ? tensor_shift : other_shift;
    return base + place * k_slot_bytes + k_start + shift;
}

std::optional<RecordAddresses::Place> RecordAddresses::find(std::uint64_t address) const {
    if (address - base >= k_slots * k_slot_bytes) {
        return std::nullopt;
    }
    const auto place = static_cast<std::uint32_t>((address - base) / k_slot_bytes);
    const std::uint32_t slot =
        shuffled ? (place + k_slots - k_turn) * k_unshuffle % k_slots : place;
    return Place{slot, static_cast<std::int64_t>(address - address_of(slot))};
}

Expected<Record> parse_record(std::span<const std::byte> bytes) {
    Payload header(bytes);
    const std::uint64_t magic = header.word();
    const std::uint64_t used = header.word();
    const std::uint64_t status = header.word();
    Record record;
    record.refused_line = static_cast<std::uint32_t>(header.word());
    record.last_line = static_cast<std::uint32_t>(header.word());
    if (bytes.size() < k_record_header_bytes || magic != k_record_magic || status > 2 ||
        used < k_record_header_bytes || used > bytes.size() || used % k_word != 0) {
        return corrupt("its header was overwritten");
    }
    record.status = static_cast<Record::Status>(status);
    record.reason = printable_text(bytes.subspan(k_text_at, k_record_header_bytes - k_text_at));
    for (std::size_t at = k_record_header_bytes; at < used;) {
        Payload head(bytes.subspan(at, used - at));
        const std::uint64_t kind = head.word();
        const std::uint64_t size = head.word();
        if (head.bad() || size > used - at - 2 * k_word || size % k_word != 0 ||
            (kind & 0xffffffff) < 1 || (kind & 0xffffffff) > 8) {
            return corrupt("an entry does not fit");
        }
        if (record.steps.size() >= k_max_record_entries) {
            return corrupt("it has too many entries");
        }
        RecordStep& step = record.steps.emplace_back();
        step.kind = static_cast<Kind>(kind & 0xffffffff);
        step.line = static_cast<std::uint32_t>(kind >> 32);
        Payload payload(bytes.subspan(at + 2 * k_word, size));
        if (!read_step(payload, step) || !payload.whole()) {
            return corrupt("an entry is not what it says");
        }
        at += 2 * k_word + size;
    }
    return record;
}

}  // namespace atl
