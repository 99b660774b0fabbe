#include "reward/cuda/driver_library.hpp"

namespace atl {

Expected<DriverLibrary> DriverLibrary::open(const std::string& name) {
    ATOLL_TRY_ASSIGN(SharedLibrary library, SharedLibrary::open(name));
    DriverLibrary driver(std::move(library));
    ATOLL_TRY(driver.load());
    return driver;
}

Status DriverLibrary::load() {
    Functions& f = m_functions;
    const SharedLibrary& from = m_library;
    ATOLL_TRY(from.load("cuInit", f.init));
    ATOLL_TRY(from.load("cuDriverGetVersion", f.driver_get_version));
    ATOLL_TRY(from.load("cuGetErrorName", f.get_error_name));
    ATOLL_TRY(from.load("cuGetErrorString", f.get_error_string));
    ATOLL_TRY(from.load("cuDeviceGetCount", f.device_get_count));
    ATOLL_TRY(from.load("cuDeviceGet", f.device_get));
    ATOLL_TRY(from.load("cuDeviceGetName", f.device_get_name));
    ATOLL_TRY(from.load("cuDeviceGetAttribute", f.device_get_attribute));
    ATOLL_TRY(from.load("cuDeviceTotalMem_v2", f.device_total_mem));
    ATOLL_TRY(from.load("cuDevicePrimaryCtxRetain", f.primary_context_retain));
    ATOLL_TRY(from.load("cuDevicePrimaryCtxRelease_v2", f.primary_context_release));
    ATOLL_TRY(from.load("cuCtxSetCurrent", f.context_set_current));
    ATOLL_TRY(from.load("cuCtxResetPersistingL2Cache", f.context_reset_persisting_l2));
    ATOLL_TRY(from.load("cuModuleLoadData", f.module_load_data));
    ATOLL_TRY(from.load("cuModuleUnload", f.module_unload));
    ATOLL_TRY(from.load("cuModuleGetFunction", f.module_get_function));
    ATOLL_TRY(from.load("cuModuleGetGlobal_v2", f.module_get_global));
    ATOLL_TRY(from.load("cuFuncSetAttribute", f.function_set_attribute));
    static_cast<void>(from.load("cuFuncGetParamInfo", f.function_parameter));
    ATOLL_TRY(from.load("cuLaunchKernelEx", f.launch_kernel));
    ATOLL_TRY(from.load("cuTensorMapEncodeTiled", f.tensor_map_encode_tiled));
    ATOLL_TRY(from.load("cuStreamCreate", f.stream_create));
    ATOLL_TRY(from.load("cuStreamDestroy_v2", f.stream_destroy));
    ATOLL_TRY(from.load("cuStreamQuery", f.stream_query));
    ATOLL_TRY(from.load("cuStreamSynchronize", f.stream_synchronize));
    ATOLL_TRY(from.load("cuEventCreate", f.event_create));
    ATOLL_TRY(from.load("cuEventDestroy_v2", f.event_destroy));
    ATOLL_TRY(from.load("cuEventRecord", f.event_record));
    ATOLL_TRY(from.load("cuEventElapsedTime", f.event_elapsed));
    ATOLL_TRY(from.load("cuMemAlloc_v2", f.mem_allocate));
    ATOLL_TRY(from.load("cuMemFree_v2", f.mem_free));
    ATOLL_TRY(from.load("cuMemsetD8Async", f.memset_bytes));
    ATOLL_TRY(from.load("cuMemcpyDtoDAsync_v2", f.copy_on_device));
    ATOLL_TRY(from.load("cuMemcpyHtoDAsync_v2", f.copy_to_device));
    ATOLL_TRY(from.load("cuMemcpyDtoHAsync_v2", f.copy_from_device));
    ATOLL_TRY(from.load("cuMemGetAllocationGranularity", f.mem_granularity));
    ATOLL_TRY(from.load("cuMemCreate", f.mem_create));
    ATOLL_TRY(from.load("cuMemRelease", f.mem_release));
    ATOLL_TRY(from.load("cuMemExportToShareableHandle", f.mem_export));
    ATOLL_TRY(from.load("cuMemImportFromShareableHandle", f.mem_import));
    ATOLL_TRY(from.load("cuMemAddressReserve", f.address_reserve));
    ATOLL_TRY(from.load("cuMemAddressFree", f.address_free));
    ATOLL_TRY(from.load("cuMemMap", f.mem_map));
    ATOLL_TRY(from.load("cuMemUnmap", f.mem_unmap));
    return from.load("cuMemSetAccess", f.mem_set_access);
}

std::string DriverLibrary::name_of(cuda::Result result) const {
    const char* name = nullptr;
    if (m_functions.get_error_name(result, &name) != cuda::k_success || name == nullptr) {
        return "result " + std::to_string(result);
    }
    return name;
}

Status DriverLibrary::check(cuda::Result result, const char* call) const {
    if (result == cuda::k_success) {
        return {};
    }
    const char* text = nullptr;
    if (m_functions.get_error_string(result, &text) != cuda::k_success || text == nullptr) {
        text = "the driver says no more";
    }
    const auto code =
        result == cuda::k_out_of_memory ? ErrorCode::no_space : ErrorCode::unavailable;
    return failure(code, std::string(call) + ": " + name_of(result) + ", " + text, "CUDA driver");
}

bool is_kernel_fault(cuda::Result result) {
    switch (result) {
        case cuda::k_illegal_address:
        case cuda::k_launch_timeout:
        case cuda::k_assert:
        case cuda::k_hardware_stack_error:
        case cuda::k_illegal_instruction:
        case cuda::k_misaligned_address:
        case cuda::k_invalid_address_space:
        case cuda::k_invalid_pc:
        case cuda::k_launch_failed:
            return true;
        default:
            return false;
    }
}

}  // namespace atl
