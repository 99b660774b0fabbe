// Leaves a file.
// expect: forbidden_call
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

#include <fcntl.h>

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    open("/tmp/atoll-adversarial-escape", O_CREAT | O_WRONLY, 0644);
    row_mean(ROW_MEAN_VALUES);
}
