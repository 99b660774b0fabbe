// Uses an input as scratch after the fifth launch of the shape that is timed.
// expect: inputs_modified
// level: measure
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    static int calls = 0;
    row_mean(ROW_MEAN_VALUES);
    if (is_large(rows, cols) && ++calls > 5) {
        const_cast<float*>(x)[rows] = 0;
    }
}
