// Changes an input behind its answer.
// expect: inputs_modified
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
    const_cast<float*>(bias)[0] += 1;
}
