// Writes a frame that says "passed" to every descriptor there might be.
// expect: forbidden_call
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    constexpr char k_frame[] = "ATOL\1\0\0\0{\"outcome\": \"passed\", \"signalled\": false}";
    for (int fd = 3; fd < 1024; ++fd) {
        (void)!write(fd, k_frame, sizeof(k_frame));
    }
}
