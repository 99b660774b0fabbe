#include "population/tune_values.hpp"

#include <utility>

namespace atl {

TuneValues::TuneValues(const Map& values) {
    if (values.empty()) {
        return;
    }
    ByteWriter out;
    out.u32(static_cast<std::uint32_t>(values.size()));
    for (const auto& [name, value] : values) {
        out.string(name);
        out.string(value);
    }
    m_packed = out.bytes();  // copied: no larger than it must be
}

TuneValues::Map TuneValues::values() const {
    Map values;
    if (m_packed.empty()) {
        return values;
    }
    ByteReader in(m_packed);
    for (std::uint32_t left = in.u32(); left > 0; --left) {
        std::string name = in.string();
        values.emplace_hint(values.end(), std::move(name), in.string());
    }
    return values;
}

void TuneValues::write(ByteWriter& out) const {
    if (m_packed.empty()) {
        out.u32(0);
    } else {
        out.raw(m_packed);
    }
}

TuneValues TuneValues::read(ByteReader& in) {
    ByteWriter out;
    const std::uint32_t count = in.count(8);
    out.u32(count);
    std::string previous;
    for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
        std::string name = in.string();
        if (i > 0 && name <= previous) {
            in.fail("tune names are not in order");
        }
        out.string(name);
        out.string(in.string());
        previous = std::move(name);
    }
    TuneValues tune;
    if (count > 0 && in.ok()) {
        tune.m_packed = out.bytes();
    }
    return tune;
}

}  // namespace atl
