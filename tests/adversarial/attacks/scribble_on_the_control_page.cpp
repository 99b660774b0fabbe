// Random words all over the control page.
// expect: crash, timeout, wrong_result, inconsistent
// limits: launch
#include "tests/adversarial/control_page.hpp"
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

#include <string.h>
extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    if (ControlPage* page = find_control_page()) {
        memset(page, 0x5a, 4096);
        wake(page->reply);
    }
}
