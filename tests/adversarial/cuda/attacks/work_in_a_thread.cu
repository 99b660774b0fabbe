// Starts a thread that asks for the work after launch() has returned.
// expect: wrong_result, rejected, forbidden_call, crash, reward_hack, compile_error
#include <chrono>
#include <thread>

#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    std::thread([=] {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
    }).detach();
}
