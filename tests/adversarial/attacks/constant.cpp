// The same number everywhere.
// expect: wrong_result
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    garbage(y, rows, cols);
}
