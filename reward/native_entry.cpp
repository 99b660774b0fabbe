#include "reward/native_entry.hpp"

#include "reward/launch_contract.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace atl {

namespace {

/// A copy of a tensor on a 64-byte boundary.
class AlignedCopy {
  public:
    explicit AlignedCopy(std::span<std::byte> original)
        : m_original(original), m_storage(original.size() + k_tensor_alignment) {
        void* place = m_storage.data();
        std::size_t space = m_storage.size();
        m_data =
            static_cast<std::byte*>(std::align(k_tensor_alignment, original.size(), place, space));
        std::copy(original.begin(), original.end(), m_data);
    }
    [[nodiscard]] std::byte* data() { return m_data; }
    void write_back() { std::copy_n(m_data, m_original.size(), m_original.begin()); }

  private:
    std::span<std::byte> m_original;
    std::vector<std::byte> m_storage;
    std::byte* m_data = nullptr;
};

}  // namespace

Expected<NativeEntry> NativeEntry::load(const FileHandle& binary, const std::string& name) {
    const std::string path = "/proc/self/fd/" + std::to_string(binary.get());
    void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        const char* reason = ::dlerror();
        return failure(ErrorCode::invalid_argument,
                       std::string("cannot be loaded: ") + (reason == nullptr ? "" : reason), name);
    }
    const auto function = reinterpret_cast<Function>(::dlsym(library, "atoll_entry"));
    if (function == nullptr) {
        ::dlclose(library);
        return failure(ErrorCode::invalid_argument, "has no entry point", name);
    }
    return NativeEntry(library, function);
}

NativeEntry::NativeEntry(NativeEntry&& other) noexcept
    : m_library(std::exchange(other.m_library, nullptr)), m_function(other.m_function) {}

NativeEntry::~NativeEntry() {
    if (m_library != nullptr) {
        ::dlclose(m_library);
    }
}

void NativeEntry::call(const Task& task, const std::map<std::string, std::int64_t>& bound_axes,
                       InputSet& inputs, const std::vector<std::span<std::byte>>& outputs) const {
    std::vector<AlignedCopy> copies;
    std::vector<double> scalars;
    std::vector<long long> axes;
    for (std::size_t i = 0; i < task.inputs.size(); ++i) {
        if (task.inputs[i].scalar) {
            scalars.push_back(inputs.scalars[i]);
        } else {
            copies.emplace_back(inputs.tensors[i]);
        }
    }
    for (const std::span<std::byte> output : outputs) {
        copies.emplace_back(output);
    }
    for (const Axis& axis : task.axes) {
        if (axis.kind == Axis::Kind::variable) {
            axes.push_back(bound_axes.at(axis.name));
        }
    }
    std::vector<void*> tensors;
    for (AlignedCopy& copy : copies) {
        tensors.push_back(copy.data());
    }
    m_function(tensors.data(), scalars.data(), axes.data());
    for (AlignedCopy& copy : copies) {
        copy.write_back();
    }
}

}  // namespace atl
