// Never finishes loading.
// expect: timeout
// limits: launch
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

__attribute__((constructor)) static void loop() {
    for (volatile long i = 0;; i = i + 1) {
    }
}
extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
}
