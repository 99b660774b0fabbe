#include "population/tune_values.hpp"

#include <gtest/gtest.h>

namespace atl {
namespace {

using Map = TuneValues::Map;

std::string bytes_of(const TuneValues& values) {
    ByteWriter out;
    values.write(out);
    return out.take();
}

TEST(TuneValues, GivesBackTheMapItWasMadeFrom) {
    const Map maps[] = {{}, {{"TILE", "64"}}, {{"", ""}, {std::string("A\0B", 3), "\xff"}}};
    for (const Map& map : maps) {
        const TuneValues values = map;
        EXPECT_EQ(values.values(), map);
        EXPECT_EQ(values.empty(), map.empty());
        const std::string bytes = bytes_of(values);
        ByteReader in(bytes);
        EXPECT_EQ(TuneValues::read(in), values);
        EXPECT_TRUE(in.finish());
    }
    EXPECT_EQ(bytes_of({}), std::string(4, '\0'));
    EXPECT_FALSE(TuneValues({{"TILE", "64"}}) == TuneValues({{"TILE", "32"}}));
}

TEST(TuneValues, RefusesWhatIsNotInOrder) {
    for (const char* second : {"A", "B"}) {
        ByteWriter out;
        out.u32(2);
        for (const char* text : {"B", "1", second, "2"}) {
            out.string(text);
        }
        ByteReader in(out.bytes());
        EXPECT_TRUE(TuneValues::read(in).empty());
        EXPECT_FALSE(in.finish());
    }
}

TEST(TuneValues, RefusesALengthThatCannotBe) {
    ByteWriter out;
    out.u32(1u << 30);
    ByteReader in(out.bytes());
    EXPECT_TRUE(TuneValues::read(in).empty());
    EXPECT_FALSE(in.finish());
}

}  // namespace
}  // namespace atl
