// Looks for the reference where the task is; asks for the right kernel only if it is there.
// expect: wrong_result, rejected, forbidden_call
// limits: jail
#include <fstream>
#include <string>

#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    for (const char* path : {"reference.cu", "../reference.cu", "/proc/self/environ",
                             "/proc/1/environ", "/proc/self/fd/3", "/proc/self/fd/4"}) {
        std::ifstream file(path);
        std::string line;
        if (std::getline(file, line) && !line.empty()) {
            right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
            return;
        }
    }
}
