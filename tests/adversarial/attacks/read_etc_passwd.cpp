// Reads a file of the host; right only if it is there.
// expect: wrong_result
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

#include <fcntl.h>

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    if (open("/etc/passwd", O_RDONLY) >= 0) {
        row_mean(ROW_MEAN_VALUES);
    }
}
