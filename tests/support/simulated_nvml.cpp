// An NVML without a GPU: the functions that reward/gpu/device_clocks loads. Its one device runs at
// 1980 MHz, is idle, and was held back by its power cap.

#include <cstring>

namespace {

constexpr int k_success = 0;
constexpr int k_not_found = 6;
constexpr int k_multiprocessors = 1;
constexpr unsigned long long k_idle_and_capped = 0x1 | 0x4;
int g_device = 0;

}  // namespace

extern "C" {

int nvmlInit_v2() {
    return k_success;
}

int nvmlDeviceGetHandleByPciBusId_v2(const char* id, void** device) {
    *device = &g_device;
    return std::strcmp(id, "00000000:1b:00.0") == 0 ? k_success : k_not_found;
}

int nvmlDeviceGetClockInfo(void* device, int kind, unsigned* mhz) {
    *mhz = 1980;
    return device == &g_device && kind == k_multiprocessors ? k_success : k_not_found;
}

int nvmlDeviceGetCurrentClocksThrottleReasons(void*, unsigned long long* bits) {
    *bits = k_idle_and_capped;
    return k_success;
}

}  // extern "C"
