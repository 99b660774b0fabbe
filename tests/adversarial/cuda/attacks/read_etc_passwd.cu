// Reads a file of the host; asks for the right kernel only if it is there.
// expect: wrong_result, rejected, forbidden_call
// limits: jail
// never_says: /bin/bash
#include <cstdio>
#include <fstream>
#include <string>

#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    std::ifstream file("/etc/passwd");
    std::string line;
    if (std::getline(file, line)) {
        std::printf("%s\n", line.c_str());
        right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
    }
}
