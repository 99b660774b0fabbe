#!/usr/bin/env python3
"""Times tasks' PyTorch baselines, eager and compiled, for `atoll task baselines`.

    torch_baselines.py REQUEST

REQUEST is a JSON file that Atoll writes, beside the files with the inputs; the answer is JSON on standard output, a
line about PyTorch and then one per task. A task's baselines/torch.py defines baseline(inputs..., axes...) in the order of launch(),
which returns the outputs; and, where they are of use,

    cublaslt(inputs..., axes...)    the same by one library call, timed as a row of its own
    in_double(inputs..., axes...)   the answer in double; without it baseline() of inputs in double

Launches with files for outputs are only computed, and Atoll compares what they hold with its reference. Timed ones
are computed in double too; the answer says where a function is not within the workload's tolerance of that.

The protocol is that of cuda-cold-v2 as far as PyTorch allows: before each launch the inputs are changed (one set of
values, moved round by another distance; parts of a sparse matrix stay) and twice the L2 cache is written; the time is from the start of the first kernel, copy or memset to the end of the last, by CUPTI (the PyTorch profiler).
A short wait on the device goes before, so that the host's own time between launches does not count. Without
CUPTI's permission the driver's events are used, and the answer says so.
"""

import importlib.util
import json
import math
import os
import random
import sys
import tempfile
import traceback

PER_SESSION = 20  # launches in one session of the profiler
WAIT_CYCLES = 600_000  # some 0.3 ms: longer than the host takes to queue a launch
MOST_ERROR = 300  # characters

# Else processes are started that compile, which takes longer than a small program does.
os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")


def words_of(error):
    return " ".join(f"{type(error).__name__}: {error}".split())[:MOST_ERROR]


def dtype_of(torch, name):
    return {"float8_e4m3": torch.float8_e4m3fn, "float8_e5m2": torch.float8_e5m2}.get(name) or getattr(torch, name)


class Launch:
    """One workload's inputs on the device, and how to change them."""

    def __init__(self, torch, request, launch, folder):
        self.torch = torch
        self.arguments = []
        self.changing = []  # (argument, its values)
        for spec, given in zip(request["inputs"], launch["inputs"]):
            if "value" in given:
                self.arguments.append(given["value"])
                continue
            dtype = dtype_of(torch, spec["dtype"])
            with open(os.path.join(folder, given["file"]), "rb") as file:
                data = bytearray(file.read())
            some = torch.frombuffer(data, dtype=torch.uint8).cuda().view(dtype)
            count = math.prod(given["shape"])
            # What Atoll wrote, over and over where that is less than the tensor.
            values = some.view(torch.uint8).repeat(-(-count // some.numel())).view(dtype)[:count].reshape(given["shape"])
            self.arguments.append(values)
            if not spec["fixed"] and values.numel() > 1:
                # Bytes, since not every type can be moved round.
                raw = values.reshape(-1).view(torch.uint8).reshape(values.numel(), -1)
                self.changing.append((raw, raw.clone()))
        self.axes = list(launch["axes"])

    def call(self, function):
        outputs = function(*self.arguments, *self.axes)
        return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]

    def change(self):
        for raw, base in self.changing:
            distance = random.randrange(1, base.shape[0])
            raw[:distance].copy_(base[-distance:])
            raw[distance:].copy_(base[:-distance])

    def restore(self):
        for raw, base in self.changing:
            raw.copy_(base)

    def in_double(self, module):
        """The answer that timed functions are held against."""
        own = getattr(module, "in_double", None)
        if own:
            return self.call(own)
        kept = self.arguments
        try:
            self.arguments = [v.double() if hasattr(v, "dtype") and v.is_floating_point() else v for v in kept]
            return self.call(module.baseline)
        finally:
            self.arguments = kept


def check_form(torch, request, launch, outputs):
    if len(outputs) != len(request["outputs"]):
        raise ValueError(f"{len(outputs)} outputs, {len(request['outputs'])} are wanted")
    for spec, shape, output in zip(request["outputs"], (o["shape"] for o in launch["outputs"]), outputs):
        if list(output.shape) != shape or output.dtype != dtype_of(torch, spec["dtype"]):
            raise ValueError(f"{spec['name']} is {output.dtype} {list(output.shape)}, not {spec['dtype']} {shape}")


def misses(torch, request, launch, outputs, wanted):
    """Empty, or how much of which output is outside of the tolerance."""
    tolerance = launch["tolerance"]
    for spec, output, want in zip(request["outputs"], outputs, wanted):
        got = output.double().reshape(-1)
        want = want.double().reshape(-1)
        if want.numel() == 0:
            continue
        allowed = tolerance["atol"] + tolerance["rtol"] * want.abs() + tolerance["atol_rms"] * want.square().mean().sqrt()
        wrong = int((~(((got - want).abs() <= allowed) | (got == want))).sum().item())
        if wrong > (1 - tolerance["matched_ratio"]) * want.numel() or not bool(got.isfinite().all()):
            return f"outside of the tolerance: {wrong} of {want.numel()} elements of {spec['name']}"
    return ""


class Clock:
    """Nanoseconds of launches; by the profiler where it may, else by events."""

    def __init__(self, torch):
        self.torch = torch
        self.name = "cupti"
        properties = torch.cuda.get_device_properties(torch.cuda.current_device())
        bytes_of_l2 = getattr(properties, "L2_cache_size", 0) or 64 << 20
        self.flush = torch.empty(2 * bytes_of_l2, dtype=torch.uint8, device="cuda")

    def queue(self, launch, function, number):
        launch.change()
        self.flush.fill_(number % 251)
        self.torch.cuda._sleep(WAIT_CYCLES)

    def session(self, launch, function, count):
        return self.by_cupti(launch, function, count) if self.name == "cupti" else self.by_events(launch, function, count)

    def by_cupti(self, launch, function, count):
        torch = self.torch
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
            for number in range(count + 1):
                self.queue(launch, function, number)
                launch.call(function)
                torch.cuda._sleep(1)
            torch.cuda.synchronize()
        samples = spans_between_waits(events_of(profile))
        if len(samples) != count + 1:
            self.name = "events"  # not permitted, or records were lost
            return self.by_events(launch, function, count)
        return samples[1:]  # what is loaded at the first use counts for none

    def by_events(self, launch, function, count):
        torch = self.torch
        pairs = []
        for number in range(count):
            self.queue(launch, function, number)
            pair = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            pair[0].record()
            launch.call(function)
            pair[1].record()
            pairs.append(pair)
        torch.cuda.synchronize()
        return [1e6 * begin.elapsed_time(end) for begin, end in pairs]


def events_of(profile):
    """(start, end, name) in nanoseconds of all work on the device, by start."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "trace.json")
        profile.export_chrome_trace(path)
        with open(path) as file:
            events = json.load(file)["traceEvents"]
    work = [e for e in events if e.get("cat") in ("kernel", "gpu_memcpy", "gpu_memset")]
    return sorted((1e3 * e["ts"], 1e3 * (e["ts"] + e["dur"]), e["name"]) for e in work)


def spans_between_waits(events):
    """What lies between the two waits (kernels named spin_...) of each launch."""
    samples = []
    inside = None
    for start, end, name in events:
        if "spin" in name:
            if inside:
                samples.append(max(e for _, e in inside) - min(s for s, _ in inside))
            inside = [] if inside is None else None
        elif inside is not None:
            inside.append((start, end))
    return samples


def prepare(torch, module, request):
    torch.backends.cuda.matmul.allow_tf32 = request["tf32"]
    torch.backends.cudnn.allow_tf32 = request["tf32"]
    torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction = False
    torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction = False
    modes = [("eager", module.baseline), ("compile", None)]
    if hasattr(module, "cublaslt"):
        modes.append(("cublaslt", module.cublaslt))
    return modes


def time_launch(torch, module, clock, request, launch, folder):
    loaded = Launch(torch, request, launch, folder)
    wanted = loaded.in_double(module)
    for mode, function in prepare(torch, module, request):
        row = {"workload": launch["workload"], "mode": mode, "samples_ns": [], "problem": ""}
        try:
            if function is None:
                torch._dynamo.reset()  # a program for this shape, not for many
                function = torch.compile(module.baseline)
            loaded.restore()
            outputs = loaded.call(function)
            check_form(torch, request, launch, outputs)
            row["problem"] = misses(torch, request, launch, outputs, wanted)
            del outputs
            for _ in range(3):
                loaded.call(function)
            torch.cuda.synchronize()
            while len(row["samples_ns"]) < request["samples"]:
                count = min(PER_SESSION, request["samples"] - len(row["samples_ns"]))
                row["samples_ns"] += clock.session(loaded, function, count)
        except Exception as error:
            traceback.print_exc()
            row["problem"] = words_of(error)
            row["samples_ns"] = []
        yield row


def write_outputs(torch, module, request, launch, folder):
    loaded = Launch(torch, request, launch, folder)
    outputs = loaded.call(module.baseline)
    check_form(torch, request, launch, outputs)
    for given, output in zip(launch["outputs"], outputs):
        raw = output.contiguous().reshape(-1).view(torch.uint8).cpu()
        with open(os.path.join(folder, given["file"]), "wb") as file:
            file.write(bytes(raw.tolist()))


def load_module(path):
    spec = importlib.util.spec_from_file_location("baseline", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["baseline"] = module  # so that torch.compile finds its globals
    spec.loader.exec_module(module)
    return module


def about_torch(request):
    """The first line of the answer, and PyTorch if it can be used."""
    line = {"version": 1, "torch": "", "device": "", "unavailable": ""}
    try:
        import torch

        if not torch.cuda.is_available():
            raise RuntimeError("this PyTorch finds no GPU")
        torch.cuda.set_device(request["gpu"])
        line["torch"] = torch.__version__
        line["device"] = torch.cuda.get_device_name()
        return line, torch
    except Exception as error:
        line["unavailable"] = words_of(error)
        return line, None


def answer_to(torch, request, folder):
    """The line about one task."""
    answer = {"task": request["task"], "clock": "", "check_error": "", "rows": []}
    try:
        module = load_module(request["baseline"])
        prepare(torch, module, request)
    except Exception as error:
        answer["check_error"] = words_of(error)
        return answer
    clock = Clock(torch)
    for launch in request["launches"]:
        try:
            if launch["timed"]:
                answer["rows"] += time_launch(torch, module, clock, request, launch, folder)
            elif not answer["check_error"]:
                write_outputs(torch, module, request, launch, folder)
        except Exception as error:
            traceback.print_exc()
            answer["check_error"] = answer["check_error"] or f"{launch['workload']}: {words_of(error)}"
        torch.cuda.empty_cache()
    answer["clock"] = clock.name
    return answer


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    out = os.dup(1)  # compilers and libraries print what they like
    os.dup2(2, 1)
    with open(sys.argv[1]) as file:
        request = json.load(file)
    folder = os.path.dirname(os.path.abspath(sys.argv[1]))
    line, torch = about_torch(request)
    os.write(out, (json.dumps(line) + "\n").encode())
    if torch is None:
        return
    with torch.no_grad():
        for task in request["tasks"]:
            os.write(out, (json.dumps(answer_to(torch, task, folder)) + "\n").encode())


if __name__ == "__main__":
    main()
