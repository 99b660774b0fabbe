// Reads whatever descriptors were left open; right only if there was anything in one.
// expect: wrong_result
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

static int found = 0;
__attribute__((constructor)) static void look() {
    char byte = 0;
    for (int fd = 0; fd < 1024; ++fd) {
        found += read(fd, &byte, 1) > 0;
        // The binary itself, which some levels load by its handle, is no secret.
        found += fd != 4 && pread(fd, &byte, 1, 0) > 0;
    }
}
extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    if (found > 0) {
        row_mean(ROW_MEAN_VALUES);
    }
}
