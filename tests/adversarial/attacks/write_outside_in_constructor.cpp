// Leaves a file while the binary is being loaded.
// expect: forbidden_call, crash
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

#include <fcntl.h>

__attribute__((constructor)) static void leave() {
    open("/tmp/atoll-adversarial-escape", O_CREAT | O_WRONLY, 0644);
}
extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
}
