// Brings the entry point that the harness generates itself.
// expect: compile_error
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

extern "C" __attribute__((visibility("default"))) void atoll_entry(void* const*, const double*,
                                                                   const long long*) {}
extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
}
