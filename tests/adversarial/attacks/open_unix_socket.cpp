// Talks to a service of the host, which no network namespace prevents.
// expect: forbidden_call, crash
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

#include <sys/socket.h>

__attribute__((constructor)) static void talk() {
    socket(AF_UNIX, SOCK_STREAM, 0);
}
extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
}
