// Right for every shape but the one that is timed.
// expect: wrong_result
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    if (is_large(rows, cols)) {
        garbage(y, rows, cols);
    } else {
        row_mean(ROW_MEAN_VALUES);
    }
}
