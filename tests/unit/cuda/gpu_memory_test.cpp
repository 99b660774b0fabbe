#include "reward/cuda/gpu_memory.hpp"

#include "tests/unit/cuda/simulated_gpu.hpp"

#include <gtest/gtest.h>

#include <string>

namespace atl {
namespace {

class GpuMemory : public ::testing::Test {
  protected:
    void write(cuda::Address to, const std::string& text) {
        check(m_gpu.call().copy_to_device(to, text.data(), text.size(), m_stream.handle()));
        check(m_gpu.call().stream_synchronize(m_stream.handle()));
    }
    std::string read(cuda::Address from, std::size_t bytes) {
        std::string text(bytes, '?');
        check(m_gpu.call().copy_from_device(text.data(), from, bytes, m_stream.handle()));
        check(m_gpu.call().stream_synchronize(m_stream.handle()));
        return text;
    }
    void check(cuda::Result result) {
        const Status status = m_gpu.driver().check(result, "test");
        ASSERT_TRUE(status) << status.error().message();
    }

    Gpu m_gpu = value_or_throw(Gpu::open(testing::simulated_driver(), 0));
    GpuStream m_stream = value_or_throw(GpuStream::create(m_gpu));
};

TEST_F(GpuMemory, WhatOneMappingWritesAnImportedOneReads) {
    const GpuAllocation made = value_or_throw(GpuAllocation::create(m_gpu, 3u << 20));
    EXPECT_EQ(made.bytes(), 4u << 20) << "rounded up to the granularity";
    const FileHandle exported = value_or_throw(made.export_handle());
    const GpuAllocation imported =
        value_or_throw(GpuAllocation::import(m_gpu, exported, made.bytes()));
    const GpuMapping here = value_or_throw(GpuMapping::map(m_gpu, made));
    const GpuMapping there = value_or_throw(GpuMapping::map(m_gpu, imported));
    ASSERT_NE(here.begin(), there.begin());
    write(here.begin() + 7, "shared");
    EXPECT_EQ(read(there.begin() + 7, 6), "shared");
}

TEST_F(GpuMemory, AMappingOutlivesItsAllocation) {
    GpuAllocation made = value_or_throw(GpuAllocation::create(m_gpu, 1));
    const GpuMapping mapping = value_or_throw(GpuMapping::map(m_gpu, made));
    write(mapping.begin(), "kept");
    { const GpuAllocation ended = std::move(made); }
    EXPECT_EQ(read(mapping.begin(), 4), "kept");
}

TEST_F(GpuMemory, APlaceFlushToTheEndIsAligned) {
    const GpuAllocation made = value_or_throw(GpuAllocation::create(m_gpu, 1));
    const GpuMapping mapping = value_or_throw(GpuMapping::map(m_gpu, made));
    const cuda::Address end = mapping.begin() + mapping.bytes();
    EXPECT_EQ(mapping.flush_to_end(256, 256), end - 256);
    EXPECT_EQ(mapping.flush_to_end(100, 256), end - 256);
    EXPECT_EQ(mapping.flush_to_end(100, 4), end - 100);
}

TEST_F(GpuMemory, AFalseSizeIsRefused) {
    const GpuAllocation made = value_or_throw(GpuAllocation::create(m_gpu, 1));
    const FileHandle exported = value_or_throw(made.export_handle());
    EXPECT_EQ(GpuAllocation::import(m_gpu, exported, 0).error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(GpuAllocation::import(m_gpu, exported, 4097).error().code,
              ErrorCode::invalid_argument);
    const Expected<GpuAllocation> larger = GpuAllocation::import(m_gpu, exported, 2 * made.bytes());
    EXPECT_FALSE(larger && GpuMapping::map(m_gpu, *larger));
}

TEST_F(GpuMemory, NeitherNothingNorTooMuchIsAllocated) {
    EXPECT_FALSE(GpuAllocation::create(m_gpu, 0));
    EXPECT_FALSE(GpuAllocation::create(m_gpu, ~std::size_t{0}));
    EXPECT_EQ(GpuBuffer::allocate(m_gpu, std::size_t{1} << 40).error().code, ErrorCode::no_space);
}

// The gaps are what finds an access past either end. A fault sticks, hence processes of their own.
TEST_F(GpuMemory, NothingLiesNextToAMapping) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    const auto touch = [this](bool after) {
        const GpuAllocation made = value_or_throw(GpuAllocation::create(m_gpu, 1));
        const GpuMapping mapping = value_or_throw(GpuMapping::map(m_gpu, made));
        const cuda::Address place = after ? mapping.begin() + mapping.bytes() : mapping.begin() - 1;
        m_gpu.call().memset_bytes(place, 1, 1, m_stream.handle());
        const cuda::Result result = m_gpu.call().stream_synchronize(m_stream.handle());
        std::_Exit(result == cuda::k_illegal_address ? 0 : 1);
    };
    EXPECT_EXIT(touch(true), ::testing::ExitedWithCode(0), "");
    EXPECT_EXIT(touch(false), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace atl
