#include "reward/verifier/shared_buffers.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

namespace atl {
namespace {

SharedBuffers make(const std::vector<std::uint64_t>& sizes, int slots) {
    auto buffers = SharedBuffers::create(sizes, slots);
    EXPECT_TRUE(buffers) << buffers.error().message();
    return std::move(*buffers);
}

TEST(SharedBuffers, PlacementsTouchTheEndsAndStayAligned) {
    const SharedBuffers buffers = make({10'000, 4}, 2);
    for (const std::uint64_t bytes : {std::uint64_t{4}, std::uint64_t{9'996}}) {
        const auto whole = buffers.memory(1, 0).bytes();
        const auto first = buffers.place(1, 0, bytes, Placement::start);
        EXPECT_EQ(first.data(), whole.data());
        const auto last = buffers.place(1, 0, bytes, Placement::end);
        const auto distance =
            whole.data() + whole.size() - (last.data() + static_cast<std::ptrdiff_t>(bytes));
        EXPECT_GE(distance, 0);
        EXPECT_LT(distance, 64);
        EXPECT_EQ(buffers.offset(1, 0, bytes, Placement::end) % 64, 0u);
    }
}

TEST(SharedBuffers, SlotsAreDifferentMemory) {
    const SharedBuffers buffers = make({64}, 3);
    EXPECT_NE(buffers.place(0, 0, 64, Placement::start).data(),
              buffers.place(1, 0, 64, Placement::start).data());
    EXPECT_NE(buffers.mapping_index(0, 0), buffers.mapping_index(2, 0));
}

TEST(SharedBuffers, CanariesNoticeOneByteOnEitherSide) {
    const SharedBuffers buffers = make({8192}, 1);
    for (const Placement placement : {Placement::start, Placement::end}) {
        const std::uint64_t bytes = 100;
        const auto canary = placement == Placement::end ? SharedBuffers::k_canary : std::byte{0xFF};
        buffers.arm_canaries(0, 0, bytes, placement, canary);
        const auto tensor = buffers.place(0, 0, bytes, placement);
        std::fill(tensor.begin(), tensor.end(), std::byte{0});
        EXPECT_TRUE(buffers.canaries_intact(0, 0, bytes, placement, canary));
        tensor.data()[bytes] = std::byte{1};
        EXPECT_FALSE(buffers.canaries_intact(0, 0, bytes, placement, canary));
        buffers.arm_canaries(0, 0, bytes, placement, canary);
        if (placement == Placement::end) {
            tensor.data()[-1] = std::byte{1};
            EXPECT_FALSE(buffers.canaries_intact(0, 0, bytes, placement, canary));
        }
    }
}

TEST(SharedBuffers, NobodyCanResizeThem) {
    const SharedBuffers buffers = make({4096}, 1);
    EXPECT_NE(ftruncate(buffers.memory(0, 0).file().get(), 0), 0);
    EXPECT_NE(ftruncate(buffers.memory(0, 0).file().get(), 1 << 20), 0);
}

TEST(SharedBuffers, MoreThanTheMachineHasIsAnErrorNotADeath) {
    const auto buffers = SharedBuffers::create({1ull << 45}, 2);
    ASSERT_FALSE(buffers);
    EXPECT_EQ(buffers.error().code, ErrorCode::no_space);
}

TEST(SharedBuffers, ScrubbingLeavesNothingForTheNextCandidate) {
    SharedBuffers buffers = make({5000}, 2);
    const char secret[] = "the answer";
    std::memcpy(buffers.memory(1, 0).bytes().data() + 2345, secret, sizeof(secret));
    buffers.scrub();
    const auto bytes = buffers.memory(1, 0).bytes();
    EXPECT_EQ(std::search(bytes.begin(), bytes.end(), reinterpret_cast<const std::byte*>(secret),
                          reinterpret_cast<const std::byte*>(secret) + sizeof(secret)),
              bytes.end());
}

TEST(Poison, IsNanForEveryFloatAndIsToldFromComputedNan) {
    std::vector<std::byte> values(8, poison_of(DType::f32));
    float value = 0;
    std::memcpy(&value, values.data(), sizeof(value));
    EXPECT_TRUE(std::isnan(value));
    EXPECT_TRUE(is_poison(DType::f32, values, 1));
    const float computed = std::nanf("");
    std::memcpy(values.data() + 4, &computed, sizeof(computed));
    EXPECT_FALSE(is_poison(DType::f32, values, 1));
    EXPECT_TRUE(is_poison(DType::f32, values, 0));
    EXPECT_FALSE(is_poison(DType::f32, values, 2));
    EXPECT_FALSE(is_poison(DType::f32, values, -1));
    EXPECT_NE(poison_of(DType::i32), std::byte{0});
    EXPECT_FALSE(is_poison(DType::i32, std::vector<std::byte>(4, poison_of(DType::i32)), 0));
}

}  // namespace
}  // namespace atl
