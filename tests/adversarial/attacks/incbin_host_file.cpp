// Has the assembler copy a file of the host into the binary.
// expect: compile_error
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

asm(".pushsection .rodata\nstolen: .incbin \"/etc/passwd\"\n.popsection");
extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
}
