// Right only for the shapes that are published.
// expect: wrong_result
// level: confirm
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    const bool is_public = (rows == 3 && cols == 17) || (rows == 1 && cols == 1) ||
                           (rows == 7 && cols == 31) || (rows == 2 && cols == 1000) ||
                           (rows == 384 && cols == 512);
    if (is_public) {
        row_mean(ROW_MEAN_VALUES);
    } else {
        garbage(y, rows, cols);
    }
}
