#include "reward/native_entry.hpp"

#include "reward/launch_contract.hpp"

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
    ATOLL_TRY_ASSIGN(NativeLibrary library, NativeLibrary::open(binary, name));
    return NativeEntry(std::move(library));
}

void NativeEntry::call(const Task& task, const std::map<std::string, std::int64_t>& bound_axes,
                       InputSet& inputs, const std::vector<std::span<std::byte>>& outputs) const {
    std::vector<AlignedCopy> copies;
    std::vector<double> scalars;
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
    std::vector<void*> tensors;
    for (AlignedCopy& copy : copies) {
        tensors.push_back(copy.data());
    }
    m_library.call(tensors, scalars, axis_arguments(task, bound_axes).value());
    for (AlignedCopy& copy : copies) {
        copy.write_back();
    }
}

}  // namespace atl
