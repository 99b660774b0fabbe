#include "reward/base/hash.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

namespace atl {
namespace {

TEST(Hash, IsThatOfSha256) {
    EXPECT_EQ(content_id("abc").hex(),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(Digest::from_hex(content_id("abc").hex()), content_id("abc"));
}

/// Small fields and large ones take two ways to the same number.
TEST(Hash, OfAFieldIsThatOfItsLengthAndBytes) {
    for (const std::size_t size : {0, 1, 55, 56, 57, 64, 130}) {
        const std::string bytes(size, 'x');
        const std::uint64_t length = size;
        std::string both(sizeof length, '\0');
        std::memcpy(both.data(), &length, sizeof length);
        EXPECT_EQ(ContentHasher().field(bytes).finish(), content_id(both + bytes)) << size;
    }
    EXPECT_NE(ContentHasher().field("ab").field("c").finish(),
              ContentHasher().field("a").field("bc").finish());
}

}  // namespace
}  // namespace atl
