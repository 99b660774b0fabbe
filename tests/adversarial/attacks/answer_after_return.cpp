// Returns at once; a thread does the work when the clock has stopped.
// expect: wrong_result, inconsistent
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

#include <thread>

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    std::thread([=] { costly_row_mean(ROW_MEAN_VALUES, 2000); }).detach();
}
