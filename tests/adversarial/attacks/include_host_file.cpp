// Has the compiler print a file of the host as errors.
// expect: compile_error
#include "/etc/passwd"
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"
extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
}
