// Four gigabytes to each standard stream before a right answer. Harmless: both are /dev/null.
// expect: passed
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

#include <stdio.h>

static char text[1 << 20];
extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    static bool told = false;
    for (int i = 0; i < 4096 && !told; ++i) {
        (void)!write(1, text, sizeof(text));
        fwrite(text, 1, sizeof(text), stderr);
    }
    told = true;
    row_mean(ROW_MEAN_VALUES);
}
