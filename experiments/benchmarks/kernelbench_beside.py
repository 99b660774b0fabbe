#!/usr/bin/env python3
"""Seconds per 1,024 unique candidates: KernelBench's own evaluator and Atoll on the same kernels.

Needs a GPU, PyTorch, nvcc, ninja, and a checkout of KernelBench (github.com/ScalingIntelligence/KernelBench)
with its Python dependencies; nothing of it is part of Atoll.

    experiments/benchmarks/kernelbench_beside.py --kernelbench ../KernelBench --atoll build/release/bin/atoll
    experiments/benchmarks/kernelbench_beside.py --kernelbench KernelBench --one-by-one 4 --at-once 16

Candidates are row softmaxes and tiled transposes by turns, each unique by a constant in it. For Atoll they are
.cu files with launch(), for KernelBench the same kernel text in a ModelNew that compiles it with load_inline.
KernelBench runs as its script does by default (5 correctness and 100 timing trials, CUDA events):

- one by one: eval_kernel_against_ref with an empty build folder each, which compiles first;
- built at once: build_compile_cache of as many candidates in as many processes (its --build_cache), then
- cached: eval_kernel_against_ref on what was built, in a new process.

Atoll evaluates the same kernels (more verification inputs and two timed shapes each) in batches of two sizes;
their difference is the time of a candidate, the rest its start. Each number is a median with its range, or
a difference of two batches; those per 1,024 are extrapolated from it. Importing PyTorch and starting the
device are left out of KernelBench's numbers, and are in Atoll's.
"""

import argparse
import json
import os
import pathlib
import shlex
import statistics
import subprocess
import sys
import tempfile
import time

SOFTMAX = r"""
__device__ float reduce_%(n)d(float v, bool is_max) {
    __shared__ float parts[32];
    for (int o = 16; o > 0; o /= 2) {
        float other = __shfl_xor_sync(~0u, v, o);
        v = is_max ? fmaxf(v, other) : v + other;
    }
    __syncthreads();
    if (threadIdx.x %% 32 == 0) parts[threadIdx.x / 32] = v;
    __syncthreads();
    v = parts[0];
    for (int i = 1; i < %(block)d / 32; ++i) v = is_max ? fmaxf(v, parts[i]) : v + parts[i];
    return v;
}
__global__ void softmax_%(n)d(const float* x, float* y, int cols) {
    x += (size_t)blockIdx.x * cols;
    y += (size_t)blockIdx.x * cols;
    float top = -3.4e38f;
    for (int i = threadIdx.x; i < cols; i += %(block)d) top = fmaxf(top, x[i]);
    top = reduce_%(n)d(top, true);
    float sum = 0;
    for (int i = threadIdx.x; i < cols; i += %(block)d) sum += __expf(x[i] - top);
    sum = reduce_%(n)d(sum, false);
    for (int i = threadIdx.x; i < cols; i += %(block)d) y[i] = __expf(x[i] - top) / sum;
}
"""
SOFTMAX_LAUNCH = r"""
void launch(const float* x, float* y, int rows, int cols, cudaStream_t stream) {
    softmax_%(n)d<<<rows, %(block)d, 0, stream>>>(x, y, cols);
}
"""
SOFTMAX_TORCH = r"""
torch::Tensor forward(torch::Tensor x) {
    auto y = torch::empty_like(x);
    softmax_%(n)d<<<x.size(0), %(block)d>>>(x.data_ptr<float>(), y.data_ptr<float>(), x.size(1));
    return y;
}
"""
TRANSPOSE = r"""
__global__ void transpose_%(n)d(const float* x, float* y, int rows, int cols) {
    __shared__ float tile[32][33];
    x += (size_t)blockIdx.z * rows * cols;
    y += (size_t)blockIdx.z * rows * cols;
    int col = blockIdx.x * 32 + threadIdx.x, row = blockIdx.y * 32 + threadIdx.y;
    for (int i = 0; i < 32; i += %(rows)d)
        if (col < cols && row + i < rows) tile[threadIdx.y + i][threadIdx.x] = x[(size_t)(row + i) * cols + col];
    __syncthreads();
    col = blockIdx.y * 32 + threadIdx.x, row = blockIdx.x * 32 + threadIdx.y;
    for (int i = 0; i < 32; i += %(rows)d)
        if (col < rows && row + i < cols) y[(size_t)(row + i) * rows + col] = tile[threadIdx.x][threadIdx.y + i];
}
"""
TRANSPOSE_LAUNCH = r"""
void launch(const float* x, float* y, int batch, int rows, int cols, cudaStream_t stream) {
    dim3 grid((cols + 31) / 32, (rows + 31) / 32, batch);
    transpose_%(n)d<<<grid, dim3(32, %(rows)d), 0, stream>>>(x, y, rows, cols);
}
"""
TRANSPOSE_TORCH = r"""
torch::Tensor forward(torch::Tensor x) {
    auto y = torch::empty({x.size(1), x.size(0)}, x.options());
    dim3 grid((x.size(1) + 31) / 32, (x.size(0) + 31) / 32, 1);
    transpose_%(n)d<<<grid, dim3(32, %(rows)d)>>>(x.data_ptr<float>(), y.data_ptr<float>(), x.size(0), x.size(1));
    return y;
}
"""
MODEL = """
import torch
import torch.nn as nn

class Model(nn.Module):
    def forward(self, x):
        return %s

def get_inputs():
    return [torch.rand(4096, 4096)]

def get_init_inputs():
    return []
"""
MODEL_NEW = '''
import torch
import torch.nn as nn
from torch.utils.cpp_extension import load_inline

extension = load_inline(name="%(name)s", cpp_sources="torch::Tensor forward(torch::Tensor x);",
                        cuda_sources=r"""#include <torch/extension.h>
%(cuda)s""", functions=["forward"], verbose=False)

class ModelNew(nn.Module):
    def forward(self, x):
        return extension.forward(x)
'''


class Kernel:
    """Candidate `number` of this call; `salt` makes it unlike those of earlier calls."""

    def __init__(self, number, salt):
        self.task = ("softmax", "transpose")[number % 2]
        values = {"n": salt * 10000 + number, "block": 128 << number // 2 % 3, "rows": 4 << number // 2 % 3}
        texts = {"softmax": (SOFTMAX, SOFTMAX_LAUNCH, SOFTMAX_TORCH, "torch.softmax(x, dim=1)"),
                 "transpose": (TRANSPOSE, TRANSPOSE_LAUNCH, TRANSPOSE_TORCH, "x.T.contiguous()")}
        kernel, launch, forward, expression = texts[self.task]
        self.name = f"{self.task}_{values['n']}"
        self.cu = (kernel + launch) % values
        self.model = MODEL % expression
        self.model_new = MODEL_NEW % {"name": self.name, "cuda": (kernel + forward) % values}


def work(order):
    """What a process with KernelBench in it does: builds or evaluates, and prints the seconds of each."""
    sys.path.insert(0, str(pathlib.Path(order["kernelbench"]) / "src"))
    answer = os.dup(1)  # the evaluator prints much
    os.dup2(2, 1)
    import torch
    from kernelbench import eval as kernelbench
    from kernelbench.utils import set_gpu_arch

    set_gpu_arch([order["arch"]])
    evaluating = order["what"] == "evaluate"
    if evaluating:
        torch.zeros(1, device="cuda")
    times = []
    for number in order["numbers"]:
        kernel = Kernel(number, order["salt"])
        folder = os.path.join(order["folder"], kernel.name)
        os.makedirs(folder, exist_ok=True)
        began = time.monotonic()
        if evaluating:
            result = kernelbench.eval_kernel_against_ref(
                kernel.model, kernel.model_new, num_correct_trials=5, num_perf_trials=100,
                measure_performance=True, build_dir=folder, device=torch.device("cuda:0"))
            good = result is not None and result.correctness and result.runtime > 0
        else:
            good = kernelbench.build_compile_cache(kernel.model_new, build_dir=folder)[0]
        times.append(time.monotonic() - began)
        if not good:
            raise SystemExit(f"{kernel.name}: KernelBench did not {order['what']} it: {result if evaluating else ''}")
    os.write(answer, (json.dumps(times) + "\n").encode())


def start(arguments, what, numbers, salt, folder):
    order = {"kernelbench": arguments.kernelbench, "what": what, "numbers": numbers, "salt": salt,
             "folder": folder, "arch": arguments.arch}
    return subprocess.Popen([sys.executable, __file__, "--work", json.dumps(order)],
                            stdout=subprocess.PIPE, text=True)


def times_of(process):
    out, _ = process.communicate()
    if process.returncode != 0:
        raise SystemExit(f"a process with KernelBench ended with status {process.returncode}")
    return json.loads(out.splitlines()[-1])


def row(what, per_candidate, spread, n):
    print(f"| {what} | {n} | {per_candidate:.3f} | {spread} | {1024 * per_candidate:.0f} |", flush=True)


def spread(values):
    return f"{min(values):.2f} to {max(values):.2f}"


def kernelbench(arguments, salt, folder):
    if arguments.one_by_one:
        numbers = list(range(arguments.one_by_one))
        times = times_of(start(arguments, "evaluate", numbers, salt, folder))
        row("KernelBench, one by one, cold", statistics.median(times), spread(times), len(times))
    if arguments.at_once:
        numbers = [1000 + i for i in range(arguments.at_once)]
        began = time.monotonic()
        workers = [start(arguments, "build", [number], salt, folder) for number in numbers]
        builds = [times_of(worker)[0] for worker in workers]
        wall = (time.monotonic() - began) / len(numbers)
        row(f"KernelBench, built in {len(numbers)} processes at once: the building alone", wall,
            f"{spread(builds)} each", len(numbers))
        cached = times_of(start(arguments, "evaluate", numbers, salt, folder))
        row("KernelBench, cached", statistics.median(cached), spread(cached), len(cached))
        row("KernelBench, built at once, then evaluated", wall + statistics.median(cached), "-", len(cached))


def atoll_batch(arguments, numbers, salt, folder):
    """Seconds of `atoll eval` for these candidates, one call per task."""
    seconds = 0
    for task in ("softmax", "transpose"):
        files = []
        for kernel in (Kernel(number, salt) for number in numbers):
            if kernel.task == task:
                files.append(os.path.join(folder, kernel.name + ".cu"))
                pathlib.Path(files[-1]).write_text(kernel.cu)
        began = time.monotonic()
        done = subprocess.run(shlex.split(arguments.atoll) + ["eval", task, *files, "--json", "--sandbox", arguments.sandbox],
                              stdout=subprocess.PIPE, text=True)
        seconds += time.monotonic() - began
        failed = [v for v in json.loads(done.stdout or "[]") if v.get("status") != "passed"]
        if done.returncode != 0 or failed:
            raise SystemExit(f"atoll eval {task}: {json.dumps(failed)[:1500] or done.returncode}")
    return seconds


def atoll(arguments, salt, folder):
    """Seconds of its start."""
    few, many = arguments.batches
    rates = []
    starts = []
    for turn in range(arguments.turns):
        small = atoll_batch(arguments, [2000 + 100 * turn + i for i in range(few)], salt, folder)
        large = atoll_batch(arguments, [4000 + 1000 * turn + i for i in range(many)], salt, folder)
        rates.append((large - small) / (many - few))
        starts.append(small - few * rates[-1])
    row("Atoll, all distinct, nothing cached", statistics.median(rates), f"{min(rates):.3f} to {max(rates):.3f}",
        arguments.turns * (many - few))
    return statistics.median(starts)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kernelbench", help="checkout of KernelBench")
    parser.add_argument("--atoll", default="build/release/bin/atoll", help="the program, with arguments if need be")
    parser.add_argument("--one-by-one", type=int, default=4, help="candidates of KernelBench's cold pass; 0: none")
    parser.add_argument("--at-once", type=int, default=8, help="candidates that are built at once; 0: none")
    parser.add_argument("--batches", type=int, nargs=2, default=[16, 144], help="sizes of Atoll's two batches")
    parser.add_argument("--turns", type=int, default=3, help="how often Atoll's two batches are run")
    parser.add_argument("--sandbox", default="full", help="handed to atoll eval")
    parser.add_argument("--arch", default="Hopper", help="the device's architecture, as KernelBench names it")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        work(json.loads(arguments.work))
        return
    if not arguments.kernelbench or not (pathlib.Path(arguments.kernelbench) / "src/kernelbench/eval.py").is_file():
        raise SystemExit("--kernelbench must name a checkout of KernelBench: no src/kernelbench/eval.py there")
    if arguments.batches[1] <= arguments.batches[0]:
        raise SystemExit("--batches: the second must be larger")
    salt = int(time.time()) % 100000
    print("| what | candidates | s per candidate | range | s per 1,024 |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # atoll may be run as another user
        # The shorter part first, so that a run that is cut short has all of it.
        start_s = atoll(arguments, salt, folder) if arguments.turns else None
        kernelbench(arguments, salt, folder)
    if start_s is not None:
        print(f"\nAtoll's start (two calls, not in the numbers above): {start_s:.1f} s")


if __name__ == "__main__":
    main()
