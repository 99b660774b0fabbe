// Three kernels, a memset and a copy between scratch and scratch.
// expect: passed
// level: measure

// plan: {"scratch": {"sums": "8 * rows", "means": "8 * rows"},
//        "steps": [{"memset": "sums", "bytes": "8 * rows"},
//                  {"launch": "add", "grid": ["rows"], "block": [64], "arguments": ["x", "sums", "cols"]},
//                  {"launch": "divide", "grid": ["ceil_div(rows, 64)"], "block": 64,
//                   "arguments": ["sums", "rows", {"f64": "1 / cols"}]},
//                  {"copy": "sums", "to": "means", "bytes": "8 * rows"},
//                  {"launch": "finish", "grid": ["rows"], "block": [128],
//                   "arguments": ["x", "bias", "means", "alpha", "y", "cols"]}]}
extern "C" __global__ void add(const float* x, double* sums, int cols) {
    double sum = 0;
    for (int j = threadIdx.x; j < cols; j += 64) {
        sum += x[(size_t)blockIdx.x * cols + j];
    }
    atomicAdd(sums + blockIdx.x, sum);
}
extern "C" __global__ void divide(double* sums, int rows, double scale) {
    const int row = blockIdx.x * 64 + threadIdx.x;
    if (row < rows) {
        sums[row] *= scale;
    }
}
extern "C" __global__ void finish(const float* x, const float* bias, const double* means,
                                  float alpha, float* y, int cols) {
    const size_t row = (size_t)blockIdx.x * cols;
    for (int j = threadIdx.x; j < cols; j += 128) {
        y[row + j] = alpha * x[row + j] + bias[j] + (float)means[blockIdx.x];
    }
}
