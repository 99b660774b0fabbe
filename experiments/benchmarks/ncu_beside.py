#!/usr/bin/env python3
"""Our medians beside Nsight Compute's gpu__time_duration for the same kernels, in one run.

Needs a GPU, nvcc, and ncu with the permission to read counters (`ERR_NVGPUCTRPERM` is said so otherwise):

    experiments/benchmarks/ncu_beside.py --atoll build/release/bin/atoll
    experiments/benchmarks/ncu_beside.py --launches 30 --tasks experiments/tasks softmax:2_row_in_registers

Each TASK:STARTER is measured by `atoll eval` (cold L2, other inputs each time), and, compiled with nvcc into a small
program that fills the inputs with random bits of the same kind and launches as often as is asked for, by ncu with
--clock-control none, twice: with --cache-control all, which empties all caches before each launch, and with
--cache-control none behind a kernel that writes twice the L2 cache, as Atoll does (the kernel then finds the cache full
of lines that must be written back). Both ways the clock is the device's own. Starters of one kernel only: ncu times
kernels, Atoll from the first one's start to the last one's end. The order is Atoll, ncu, Atoll, so that what drifts
shows.

Tasks that --tasks does not have are looked for in the folder instrument beside this file: `nothing`, a kernel that does
next to nothing, and `arithmetic`, whose kernels take some 5 to 200 us and hardly touch memory. What ncu adds there it
adds to every kernel, if it is the same at every length.

Clocks are not held, and between ncu's launches the device would be idle: a kernel of 10 ms that is not profiled keeps
it at work. The clocks of the multiprocessors (ours by NVML between launches, ncu's of the launch itself) are printed.
"""

import argparse
import csv
import io
import json
import os
import pathlib
import shlex
import shutil
import statistics
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
STARTERS = ["softmax:2_row_in_registers", "rmsnorm_residual:2_row_in_registers", "matmul:2_register_tiles",
            "layer_norm:2_row_in_registers", "nothing:1_copy", "arithmetic:1_chain"]
INSTRUMENT = pathlib.Path(__file__).resolve().parent / "instrument"
DTYPES = {"float32": "float", "float16": "__half", "bfloat16": "__nv_bfloat16", "int8": "signed char", "int32": "int"}

PROGRAM = """
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_profiler_api.h>
#include <cuda_runtime.h>
#include "starter.cu"
__global__ void keep_busy(float* to, int rounds) {
    float z = threadIdx.x;
    for (int i = 0; i < rounds; ++i) z = 0.5f * z + 1.0f;
    if (z < 0) *to = z;
}
template <class T> __global__ void fill(T* to, size_t n) {  // float and what is made of it
    for (size_t i = blockIdx.x * (size_t)blockDim.x + threadIdx.x; i < n; i += gridDim.x * (size_t)blockDim.x) {
        unsigned x = (unsigned)i * 2654435761u + 12345u;
        x ^= x >> 15; x *= 2246822519u; x ^= x >> 13;
        to[i] = T((float)(x >> 8) / 8388608.0f - 1.0f);
    }
}
__global__ void fill(signed char* to, size_t n) {
    for (size_t i = blockIdx.x * (size_t)blockDim.x + threadIdx.x; i < n; i += gridDim.x * (size_t)blockDim.x)
        to[i] = (signed char)((unsigned)i * 2654435761u >> 24);
}
__global__ void fill(int* to, size_t n) {
    for (size_t i = blockIdx.x * (size_t)blockDim.x + threadIdx.x; i < n; i += gridDim.x * (size_t)blockDim.x) to[i] = 0;
}
template <class T> T* make(size_t n) {
    T* p = nullptr;
    if (cudaMalloc(&p, n * sizeof(T)) != cudaSuccess) exit(1);
    fill<<<1024, 256>>>(p, n);
    return p;
}
int main(int argc, char**) {
%(arguments)s
    int cache = 0;
    cudaDeviceGetAttribute(&cache, cudaDevAttrL2CacheSize, 0);
    const size_t words = 2 * size_t(cache) / sizeof(int);
    int* other = make<int>(words);
    for (int i = 0; i < %(launches)d; ++i) {
        keep_busy<<<1024, 256>>>((float*)other, 1200000);
        if (argc > 1) fill<<<1024, 256>>>(other, words);  // the caches hold nothing of the kernel's
        cudaDeviceSynchronize();
        cudaProfilerStart();
        launch(%(call)s, cudaStream_t(0));
        cudaProfilerStop();
    }
    const cudaError_t error = cudaDeviceSynchronize();
    if (error != cudaSuccess) fprintf(stderr, "%%s\\n", cudaGetErrorString(error));
    return error != cudaSuccess;
}
"""


def bound(definition, axes):
    axes = dict(axes)
    names = {"ceil_div": lambda a, b: -(-a // b), "min": min, "max": max}
    for name, axis in definition["axes"].items():
        if axis["type"] != "var":
            axes[name] = axis["value"] if axis["type"] == "const" else eval(axis["expression"], names, axes)
    return axes


def count(shape, axes):
    total = 1
    for extent in shape:
        total *= int(eval(str(extent), {}, dict(axes)))
    return total


def program(definition, workload, launches):
    axes = bound(definition, workload["axes"])
    lines = []
    call = []
    for name, tensor in list(definition["inputs"].items()) + list(definition["outputs"].items()):
        if tensor["shape"] is None:
            call.append(f"(float){workload['inputs'][name]['value']}")
            continue
        lines.append(f"    auto* t_{name} = make<{DTYPES[tensor['dtype']]}>({count(tensor['shape'], axes)}ull);")
        call.append("t_" + name)
    call += [str(axes[name]) for name, axis in definition["axes"].items() if axis["type"] == "var"]
    return PROGRAM % {"arguments": "\n".join(lines), "launches": launches, "call": ", ".join(call)}


def build(arguments, source, definition, workload, folder):
    (folder / "starter.cu").write_text(source)
    (folder / "main.cu").write_text(program(definition, workload, arguments.launches))
    subprocess.run([arguments.nvcc, "-O3", "-std=c++17", f"-arch={arguments.arch}", "-o", folder / "main",
                    folder / "main.cu"], check=True)


CLOCK = "gpc__cycles_elapsed.avg.per_second"


def by_ncu(arguments, folder, written):
    """Nanoseconds of each launch, and the median clock in MHz; `written`: behind a kernel that writes over the cache."""
    done = subprocess.run(
        [arguments.ncu, "--clock-control", "none", "--cache-control", "none" if written else "all", "--profile-from-start", "off",
         "--metrics", "gpu__time_duration.sum," + CLOCK, "--print-units", "base", "--csv", folder / "main"] +
        (["written"] if written else []), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if "ERR_NVGPUCTRPERM" in done.stdout:
        raise SystemExit("ncu has no permission to read counters here (ERR_NVGPUCTRPERM)")
    table = done.stdout[done.stdout.find('"ID"'):]
    rows = list(csv.DictReader(io.StringIO(table)))
    values = {name: [float(r["Metric Value"].replace(",", "")) for r in rows if r["Metric Name"] == name]
              for name in ("gpu__time_duration.sum", CLOCK)}
    times = values["gpu__time_duration.sum"]
    if done.returncode != 0 or len(times) != arguments.launches:
        raise SystemExit(f"ncu gave {len(times)} times for {arguments.launches} launches:\n{done.stdout[-2000:]}")
    return times, statistics.median(values[CLOCK]) / 1e6


def by_atoll(arguments, home, file):
    """Median nanoseconds and median clock in MHz, by public workload."""
    done = subprocess.run(shlex.split(arguments.atoll) + ["eval", str(home), str(file), "--json", "--sandbox", arguments.sandbox],
                          stdout=subprocess.PIPE, text=True)
    answer = json.loads(done.stdout or "[]")
    if done.returncode != 0 or not answer or answer[0]["status"] != "passed":
        raise SystemExit(f"atoll eval {home} {file}: {done.stdout[:1000]}")
    return {w["workload"]: (w["median_ns"], statistics.median(w["gpu"]["clocks_mhz"] or [0]))
            for w in answer[0]["verdict"]["measure"]["workloads"] if not w["hidden"]}


def compare(arguments, task, starter, folder):
    home = pathlib.Path(arguments.tasks).resolve() / task
    home = home if home.exists() else INSTRUMENT / task
    definition = json.loads((home / "definition.json").read_text())
    # tasks that run on GPUs alone have no other sizes for the host
    sizes = home / "workload_cuda.jsonl"
    sizes = sizes if sizes.exists() else home / "workload.jsonl"
    lines = [json.loads(line) for line in sizes.read_text().splitlines()]
    timed = [w["workload"] for w in lines if w["atoll"].get("use") == "measure" and not w["atoll"].get("hidden")]
    file = home / "starters" / f"{starter}.cu"
    before = by_atoll(arguments, home, file)
    ncu = {}
    for workload in timed:
        build(arguments, file.read_text(), definition, workload, folder)
        ncu[workload["uuid"]] = [by_ncu(arguments, folder, written) for written in (False, True)]
    after = by_atoll(arguments, home, file)
    for workload, ways in ncu.items():
        (first, clock), (second, _) = before[workload], after[workload]
        ours = (first + second) / 2
        print(f"| {task} | {starter} | {workload} | {first / 1e3:.2f} | {second / 1e3:.2f} | {clock:.0f} | " + " | ".join(
            f"{statistics.median(times) / 1e3:.2f} | {min(times) / 1e3:.2f} to {max(times) / 1e3:.2f} | {at:.0f} | "
            f"{ours - statistics.median(times):+.0f} ns, {100 * (ours / statistics.median(times) - 1):+.2f} %"
            for times, at in ways) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("starters", nargs="*", metavar="TASK:STARTER", help="default: " + " ".join(STARTERS))
    parser.add_argument("--atoll", default="build/release/bin/atoll", help="the program, with arguments if need be")
    parser.add_argument("--tasks", default=os.environ.get("ATOLL_TASKS", ROOT / "experiments/tasks"))
    parser.add_argument("--sandbox", default="full", help="handed to atoll eval")
    parser.add_argument("--launches", type=int, default=40, help="of each kernel under ncu")
    parser.add_argument("--ncu", default="ncu")
    parser.add_argument("--nvcc", default="nvcc")
    parser.add_argument("--arch", default="sm_90a", help="handed to nvcc")
    arguments = parser.parse_args()
    for tool in (arguments.ncu, arguments.nvcc):
        if not shutil.which(tool):
            raise SystemExit(f"there is no program '{tool}': nothing to compare with")
    print("| task | starter | workload | ours before, us | ours after, us | MHz | ncu with empty caches, median, us | its range, us | "
          "MHz | ours over it | ncu behind writes, median, us | its range, us | MHz | ours over it |\n" + "|---" * 14 + "|")
    for word in arguments.starters or STARTERS:
        task, starter = word.split(":", 1)
        with tempfile.TemporaryDirectory() as folder:
            compare(arguments, task, starter, pathlib.Path(folder))


if __name__ == "__main__":
    main()
