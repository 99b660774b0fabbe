// The same while the binary is being loaded, when opening is still permitted; right only if a
// file, a folder or a device of the host was there.
// expect: wrong_result
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

#include <fcntl.h>

#include <initializer_list>

static int found = 0;
__attribute__((constructor)) static void look() {
    for (const char* path :
         {"/etc/passwd", "/etc/hostname", "/proc/self/maps", "/proc/self/environ", "/proc/1/mem",
          "/tmp", "/home", "/root", "/usr/lib", "/dev/null", "/dev/shm", "/sys"}) {
        found += open(path, O_RDONLY) >= 0;
    }
}
extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    if (found > 0) {
        row_mean(ROW_MEAN_VALUES);
    }
}
