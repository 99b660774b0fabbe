// Writes over the frames of its callers.
// expect: crash, memory_fault
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

#include <string.h>

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
    char* frame = static_cast<char*>(__builtin_frame_address(0));
    asm volatile("" : "+r"(frame));
    memset(frame, 0x41, 2048);
}
