// Host code with classes, vectors and a table of choices by shape.
// expect: passed
// level: measure
#include <algorithm>
#include <map>
#include <vector>

__global__ void row_mean(const float* x, const float* bias, float alpha, float* y, int cols) {
    const size_t row = static_cast<size_t>(blockIdx.x) * cols;
    __shared__ float total;
    if (threadIdx.x == 0) {
        total = 0;
    }
    __syncthreads();
    float sum = 0;
    for (int j = threadIdx.x; j < cols; j += blockDim.x) {
        sum += x[row + j];
    }
    atomicAdd(&total, sum);
    __syncthreads();
    for (int j = threadIdx.x; j < cols; j += blockDim.x) {
        y[row + j] = alpha * x[row + j] + bias[j] + total / cols;
    }
}

class Planner {
  public:
    explicit Planner(int cols) : m_cols(cols) {}
    int threads() const {
        const auto found = m_choices.lower_bound(m_cols);
        return found == m_choices.end() ? m_sizes.back() : found->second;
    }

  private:
    int m_cols;
    std::vector<int> m_sizes{32, 64, 256};
    std::map<int, int> m_choices{{32, 32}, {100, 64}, {600, 128}};
};

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    row_mean<<<rows, std::max(32, Planner(cols).threads()), 0, stream>>>(x, bias, alpha, y, cols);
}
