#pragma once

#include "population/journal/text_codec.hpp"
#include "population/position_table.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// A text that refers to another, that refers to another...: at most this many steps.
inline constexpr std::uint8_t k_max_text_depth = 8;

/// Where the texts of a journal lie. In memory: about 64 bytes for each text. Not thread-safe.
class TextIndex {
  public:
    struct Location {
        std::uint64_t position = 0;   ///< of the record's payload
        std::uint32_t bytes = 0;      ///< of the record's payload
        std::uint32_t size = 0;       ///< of the text
        std::uint32_t reference = 0;  ///< index of the text referred to, if depth > 0
        std::uint8_t depth = 0;
        Digest id;
    };

    /// Reads the head of a text record. A second record of one text is ignored. Errors of code
    /// corrupt: bad form, a reference to what is not an earlier text, a chain that is too deep.
    [[nodiscard]] Status add(std::uint64_t payload_position, std::string_view payload);
    [[nodiscard]] const Location* find(const Digest& id) const;
    [[nodiscard]] std::size_t size() const { return m_locations.size(); }

    /// The records to unpack for a text, the standing-alone one first. Empty when it is unknown.
    [[nodiscard]] std::vector<Location> chain(const Digest& id) const;

  private:
    std::vector<Location> m_locations;  ///< by position
    PositionTable m_by_id;
};

using FetchPayload = std::function<Expected<std::string>(const TextIndex::Location&)>;

/// Unpacks a chain and compares the result with the id. `text`: what the first link refers to,
/// where the chain does not begin with one that stands alone.
[[nodiscard]] Expected<std::string> unpack_chain(const std::vector<TextIndex::Location>& chain,
                                                 const FetchPayload& fetch, std::string text = {});

}  // namespace atl
