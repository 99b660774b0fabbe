// Leaves the last row out where there are many.
// expect: wrong_result
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    row_mean(x, bias, alpha, y, rows > 100 ? rows - 1 : rows, cols);
}
