// Counts its calls, to ask for less in later ones. Harmless: each recording has a process of its own.
// expect: passed
#include "tests/adversarial/cuda/row_mean.cuh"

static int calls = 0;

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    if (calls++ == 0) {
        right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
    }
}
