#include "reward/gpu/device_probe.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace atl {
namespace {

using ::testing::HasSubstr;

constexpr const char* k_worker = ATOLL_BIN_DIR "/atoll-worker";

TEST(DeviceProbe, TellsWhatTheDriverSays) {
    const auto limits = probe_gpu(ATOLL_SIMULATED_DRIVER, 0, k_worker);
    ASSERT_TRUE(limits) << limits.error().message();
    EXPECT_THAT(limits->name, HasSubstr("simulated"));
    EXPECT_EQ(limits->arch, "sm_90a");
    EXPECT_GT(limits->multiprocessors, 0u);
    EXPECT_GT(limits->memory_bytes, 0u);
}

TEST(DeviceProbe, SaysWhichDeviceOrDriverIsMissing) {
    const auto device = probe_gpu(ATOLL_SIMULATED_DRIVER, 99, k_worker);
    ASSERT_FALSE(device);
    EXPECT_EQ(device.error().code, ErrorCode::not_found);
    EXPECT_THAT(device.error().message(), HasSubstr("99"));
    const auto driver = probe_gpu("/nowhere/libcuda.so.1", 0, k_worker);
    ASSERT_FALSE(driver);
    EXPECT_THAT(driver.error().message(), HasSubstr("/nowhere/libcuda.so.1"));
}

TEST(DeviceProbe, LimitsArriveAsTheyWereSent) {
    DeviceLimits limits = *device_limits_of("sm_90a");
    limits.name = "NVIDIA \"H200\"";
    limits.block[2] = 63;
    limits.memory_bytes = 150'123'456'789;
    const auto back = parse_device_limits(to_json(limits));
    ASSERT_TRUE(back) << back.error().message();
    EXPECT_EQ(to_json(*back), to_json(limits));
    EXPECT_EQ(back->block[2], 63u);
    EXPECT_EQ(back->memory_bytes, limits.memory_bytes);
}

TEST(DeviceProbe, LimitsWithAKeyTooFewOrANegativeNumberAreRefused) {
    const auto good = nlohmann::json::parse(to_json(*device_limits_of("sm_80")));
    for (const auto& [key, value] : good.items()) {
        nlohmann::json bad = good;
        bad.erase(key);
        EXPECT_FALSE(parse_device_limits(bad.dump())) << key;
        if (value.is_number()) {
            bad[key] = -1;
            EXPECT_FALSE(parse_device_limits(bad.dump())) << key;
        }
    }
    EXPECT_FALSE(parse_device_limits("[]"));
}

}  // namespace
}  // namespace atl
