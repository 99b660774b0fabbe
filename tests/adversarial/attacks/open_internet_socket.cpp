// Talks to the network.
// expect: forbidden_call
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

#include <sys/socket.h>

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    socket(AF_INET, SOCK_STREAM, 0);
    row_mean(ROW_MEAN_VALUES);
}
