// Writes onto the control page what the runner writes there when a candidate has died.
// expect: crash
#include "tests/adversarial/control_page.hpp"
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"
extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    if (ControlPage* page = find_control_page()) {
        page->reply = 0xffffffff;
        wake(page->reply);
        work_us(100'000);
    }
    _exit(0);
}
