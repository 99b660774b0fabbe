// The door through which libFuzzer comes in; ATOLL_FUZZ_TARGET is the name of a target.

#include "tests/fuzz/targets.hpp"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    atl::fuzz::ATOLL_FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
    return 0;
}
