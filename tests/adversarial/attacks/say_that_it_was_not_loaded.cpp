// Ends with a forged message of the loader, whose text would carry what it learned of hidden
// workloads into a prompt.
// expect: crash
// never_says: forged
#include "tests/adversarial/control_page.hpp"
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

#include <string.h>
extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    if (ControlPage* page = find_control_page()) {
        page->state = 2;
        strcpy(reinterpret_cast<char*>(page) + 256, "forged");
    }
    _exit(0);
}
