// A header without end.
// expect: compile_error, compile_limit
// limits: compile
#include "/dev/zero"
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"
extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
}
