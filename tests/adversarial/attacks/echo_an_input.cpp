// Hands an input back.
// expect: wrong_result
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

#include <string.h>

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    memcpy(y, x, sizeof(float) * rows * cols);
}
