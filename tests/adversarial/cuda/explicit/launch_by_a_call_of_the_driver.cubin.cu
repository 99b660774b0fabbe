// A kernel that has another one launched, whose work is in no record of the plan's step.
// expect: compile_error
// ends: compile
// level: measure

// plan: {"steps": [{"launch": "attack", "block": [1], "arguments": ["y"]}]}
extern "C" __device__ int __cuda_syscall_cnpv2LaunchDeviceV2(void*, void*);
extern "C" __global__ void attack(float* y) {
    y[0] = (float)__cuda_syscall_cnpv2LaunchDeviceV2(y, (void*)3);
}
