#pragma once

#include "reward/base/error.hpp"
#include "reward/cuda/driver_types.hpp"
#include "reward/cuda/shared_library.hpp"

#include <cstddef>
#include <string>

namespace atl {

/// CUDA's driver, loaded at run time: a table of the functions used. Copies are cheap; thread-safe
/// as far as the driver is. Loading starts nothing: cuInit is the caller's.
///
/// A fault of a kernel is "sticky": from then on every call of the process fails with the same
/// code, and no call mends it (seen on an H200: neither reset nor a new context). Such processes
/// must end.
class DriverLibrary {
  public:
    /// `name`: a path, or what the dynamic linker finds ("libcuda.so.1").
    [[nodiscard]] static Expected<DriverLibrary> open(const std::string& name);

    /// The functions, by their names without "cu" and version. REQUIRES what the driver requires.
    struct Functions {
        cuda::Result (*init)(unsigned flags) = nullptr;
        cuda::Result (*driver_get_version)(int* version) = nullptr;
        cuda::Result (*get_error_name)(cuda::Result result, const char** name) = nullptr;
        cuda::Result (*get_error_string)(cuda::Result result, const char** text) = nullptr;

        cuda::Result (*device_get_count)(int* count) = nullptr;
        cuda::Result (*device_get)(cuda::Device* device, int ordinal) = nullptr;
        cuda::Result (*device_get_name)(char* name, int bytes, cuda::Device device) = nullptr;
        cuda::Result (*device_get_attribute)(int* value, int attribute,
                                             cuda::Device device) = nullptr;
        cuda::Result (*device_total_mem)(std::size_t* bytes, cuda::Device device) = nullptr;
        cuda::Result (*primary_context_retain)(cuda::Context* context,
                                               cuda::Device device) = nullptr;
        cuda::Result (*primary_context_release)(cuda::Device device) = nullptr;
        cuda::Result (*context_set_current)(cuda::Context context) = nullptr;
        cuda::Result (*context_reset_persisting_l2)() = nullptr;

        cuda::Result (*module_load_data)(cuda::Module* module, const void* image) = nullptr;
        cuda::Result (*module_unload)(cuda::Module module) = nullptr;
        cuda::Result (*module_get_function)(cuda::Function* function, cuda::Module module,
                                            const char* name) = nullptr;
        cuda::Result (*module_get_global)(cuda::Address* address, std::size_t* bytes,
                                          cuda::Module module, const char* name) = nullptr;
        cuda::Result (*function_set_attribute)(cuda::Function function, int attribute,
                                               int value) = nullptr;
        /// nullptr where the driver is older than 12.4.
        cuda::Result (*function_parameter)(cuda::Function function, std::size_t index,
                                           std::size_t* offset, std::size_t* bytes) = nullptr;
        cuda::Result (*launch_kernel)(const cuda::LaunchConfig* config, cuda::Function function,
                                      void** parameters, void** extra) = nullptr;

        cuda::Result (*tensor_map_encode_tiled)(void* map, int data_type, std::uint32_t rank,
                                                void* address, const std::uint64_t* dims,
                                                const std::uint64_t* strides,
                                                const std::uint32_t* box,
                                                const std::uint32_t* element_strides,
                                                int interleave, int swizzle, int l2_promotion,
                                                int oob_fill) = nullptr;

        cuda::Result (*stream_create)(cuda::Stream* stream, unsigned flags) = nullptr;
        cuda::Result (*stream_destroy)(cuda::Stream stream) = nullptr;
        cuda::Result (*stream_query)(cuda::Stream stream) = nullptr;
        cuda::Result (*stream_synchronize)(cuda::Stream stream) = nullptr;

        cuda::Result (*event_create)(cuda::Event* event, unsigned flags) = nullptr;
        cuda::Result (*event_destroy)(cuda::Event event) = nullptr;
        cuda::Result (*event_record)(cuda::Event event, cuda::Stream stream) = nullptr;
        /// Milliseconds.
        cuda::Result (*event_elapsed)(float* time, cuda::Event begin, cuda::Event end) = nullptr;

        cuda::Result (*mem_allocate)(cuda::Address* address, std::size_t bytes) = nullptr;
        cuda::Result (*mem_free)(cuda::Address address) = nullptr;
        cuda::Result (*memset_bytes)(cuda::Address to, unsigned char value, std::size_t bytes,
                                     cuda::Stream stream) = nullptr;
        cuda::Result (*copy_on_device)(cuda::Address to, cuda::Address from, std::size_t bytes,
                                       cuda::Stream stream) = nullptr;
        cuda::Result (*copy_to_device)(cuda::Address to, const void* from, std::size_t bytes,
                                       cuda::Stream stream) = nullptr;
        cuda::Result (*copy_from_device)(void* to, cuda::Address from, std::size_t bytes,
                                         cuda::Stream stream) = nullptr;

        cuda::Result (*mem_granularity)(std::size_t* bytes, const cuda::AllocationProperties*,
                                        int option) = nullptr;
        cuda::Result (*mem_create)(cuda::AllocationHandle* handle, std::size_t bytes,
                                   const cuda::AllocationProperties*,
                                   unsigned long long flags) = nullptr;
        cuda::Result (*mem_release)(cuda::AllocationHandle handle) = nullptr;
        cuda::Result (*mem_export)(void* shareable, cuda::AllocationHandle handle, int type,
                                   unsigned long long flags) = nullptr;
        cuda::Result (*mem_import)(cuda::AllocationHandle* handle, void* shareable,
                                   int type) = nullptr;
        cuda::Result (*address_reserve)(cuda::Address* address, std::size_t bytes,
                                        std::size_t alignment, cuda::Address wish,
                                        unsigned long long flags) = nullptr;
        cuda::Result (*address_free)(cuda::Address address, std::size_t bytes) = nullptr;
        cuda::Result (*mem_map)(cuda::Address address, std::size_t bytes, std::size_t offset,
                                cuda::AllocationHandle handle, unsigned long long flags) = nullptr;
        cuda::Result (*mem_unmap)(cuda::Address address, std::size_t bytes) = nullptr;
        cuda::Result (*mem_set_access)(cuda::Address address, std::size_t bytes,
                                       const cuda::AccessDescription*, std::size_t count) = nullptr;
    };

    [[nodiscard]] const Functions& call() const { return m_functions; }
    [[nodiscard]] const std::string& path() const { return m_library.path(); }

    /// Nothing for success; else an error of code unavailable (no_space without memory) that names
    /// the call, the driver's name of the result and its text.
    [[nodiscard]] Status check(cuda::Result result, const char* call) const;
    /// "CUDA_ERROR_ILLEGAL_ADDRESS"; "result 12345" where the driver does not know it.
    [[nodiscard]] std::string name_of(cuda::Result result) const;

  private:
    explicit DriverLibrary(SharedLibrary library) : m_library(std::move(library)) {}
    [[nodiscard]] Status load();

    SharedLibrary m_library;
    Functions m_functions;
};

/// Whether a result is a fault of the kernels in flight (and not, say, a lack of memory): then the
/// process can do nothing more on the device.
[[nodiscard]] bool is_kernel_fault(cuda::Result result);

}  // namespace atl
