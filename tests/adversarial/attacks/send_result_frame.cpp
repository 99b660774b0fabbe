// The same as a message, which a socket would take.
// expect: forbidden_call
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

#include <sys/socket.h>

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    constexpr char k_frame[] = "ATOL\1\0\0\0{\"outcome\": \"passed\", \"signalled\": false}";
    for (int fd = 3; fd < 1024; ++fd) {
        send(fd, k_frame, sizeof(k_frame), 0);
    }
}
