// Templates that never end, in device code.
// expect: compile_error, compile_limit
// ends: compile
// limits: compile
#include "tests/adversarial/cuda/row_mean.cuh"

__device__ float deep();
#ifdef __CUDACC_RTC__
template <int N, class T>
struct Twice {
    typedef Twice<N - 1, Twice<N, T[1]>> A;
    typedef Twice<N - 1, Twice<N, T[2]>> B;
    enum { value = A::value + B::value };
};
template <class T>
struct Twice<0, T> {
    enum { value = 1 };
};
__device__ float deep() {
    return Twice<64, int>::value;
}
#endif

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    y[0] = deep();
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
