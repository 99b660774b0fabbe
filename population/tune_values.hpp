#pragma once

#include "population/byte_codec.hpp"

#include <initializer_list>
#include <map>
#include <string>

namespace atl {

/// The values chosen for a candidate's macros, as individuals keep them: packed into one string,
/// where a map takes more than 100 bytes for each of them. Becomes a map, and is made from one,
/// wherever it is worked with.
class TuneValues {
  public:
    using Map = std::map<std::string, std::string>;

    TuneValues() = default;
    TuneValues(const Map& values);  // implicit: the same values in another form
    TuneValues(std::initializer_list<Map::value_type> values) : TuneValues(Map(values)) {}

    [[nodiscard]] Map values() const;
    operator Map() const { return values(); }
    [[nodiscard]] bool empty() const { return m_packed.empty(); }
    bool operator==(const TuneValues&) const = default;

    /// u32 count, then name and value of each, in the order of names.
    void write(ByteWriter& out) const;
    [[nodiscard]] static TuneValues read(ByteReader& in);

  private:
    std::string m_packed;  ///< as written; empty when there are none
};

}  // namespace atl
