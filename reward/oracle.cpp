#include "reward/oracle.hpp"

#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace atl {

namespace {

using EntryPoint = void (*)(void* const* tensors, const double* scalars, const long long* axes);

struct LibraryCloser {
    void operator()(void* library) const { dlclose(library); }
};
using Library = std::unique_ptr<void, LibraryCloser>;

class LoadedOracle final : public Oracle {
  public:
    LoadedOracle(TaskPtr task, FileHandle binary, Library library, EntryPoint entry)
        : m_task(std::move(task)),
          m_binary(std::move(binary)),
          m_library(std::move(library)),
          m_entry(entry) {}

    Expected<ExpectedOutputs> run(const std::map<std::string, std::int64_t>& bound_axes,
                                  const InputSet& inputs) const override {
        std::vector<void*> tensors;
        std::vector<double> scalars;
        ATOLL_TRY(take_inputs(bound_axes, inputs, tensors, scalars));
        ExpectedOutputs outputs;
        for (const TensorSpec& output : m_task->outputs) {
            ATOLL_TRY_ASSIGN(const std::int64_t count, element_count(output, bound_axes));
            outputs.emplace_back(static_cast<std::size_t>(count));
            tensors.push_back(outputs.back().data());
        }
        std::vector<long long> axes;
        for (const Axis& axis : m_task->axes) {
            if (axis.kind == Axis::Kind::variable) {
                const auto bound = bound_axes.find(axis.name);
                if (bound == bound_axes.end()) {
                    return failure(ErrorCode::invalid_argument, "axis is not bound", axis.name);
                }
                axes.push_back(bound->second);
            }
        }
        m_entry(tensors.data(), scalars.data(), axes.data());
        return outputs;
    }

  private:
    Status take_inputs(const std::map<std::string, std::int64_t>& bound_axes,
                       const InputSet& inputs, std::vector<void*>& tensors,
                       std::vector<double>& scalars) const {
        if (inputs.tensors.size() != m_task->inputs.size() ||
            inputs.scalars.size() != m_task->inputs.size()) {
            return failure(ErrorCode::invalid_argument, "one entry per input is needed",
                           m_task->name);
        }
        for (std::size_t i = 0; i < m_task->inputs.size(); ++i) {
            const TensorSpec& input = m_task->inputs[i];
            if (input.scalar) {
                scalars.push_back(inputs.scalars[i]);
                continue;
            }
            ATOLL_TRY_ASSIGN(const std::int64_t count, element_count(input, bound_axes));
            if (inputs.tensors[i].size() !=
                static_cast<std::size_t>(count) * size_of(input.dtype)) {
                return failure(ErrorCode::invalid_argument, "has the wrong size", input.name);
            }
            // The entry point casts to const again; the oracle is trusted not to write.
            tensors.push_back(const_cast<std::byte*>(inputs.tensors[i].data()));
        }
        return {};
    }

    TaskPtr m_task;
    FileHandle m_binary;  ///< stays open: the loader tells libraries apart by this path
    Library m_library;
    EntryPoint m_entry;
};

/// A file of its own with the same bytes. The loader gives two loads of one file the same library,
/// under the first one's path: with tasks that share a binary, that path could come to be another
/// oracle's while the library stayed.
Expected<FileHandle> own_copy(const FileHandle& binary, const std::string& name) {
    FileHandle copy(memfd_create("oracle", MFD_CLOEXEC));
    if (!copy) {
        return tl::unexpected(errno_error("memfd_create", name, errno));
    }
    std::array<char, 65536> buffer;
    off_t done = 0;
    for (;;) {
        const ssize_t size = pread(binary.get(), buffer.data(), buffer.size(), done);
        if (size == 0) {
            return copy;
        }
        if (size < 0 ||
            pwrite(copy.get(), buffer.data(), static_cast<std::size_t>(size), done) != size) {
            return tl::unexpected(errno_error("copying the oracle", name, errno));
        }
        done += size;
    }
}

}  // namespace

Expected<std::unique_ptr<Oracle>> load_oracle(TaskPtr task, const FileHandle& binary) {
    ATOLL_TRY_ASSIGN(FileHandle kept, own_copy(binary, task->name));
    const std::string path = "/proc/self/fd/" + std::to_string(kept.get());
    Library library(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL));
    if (!library) {
        const char* reason = dlerror();
        return failure(ErrorCode::invalid_argument,
                       std::string("the oracle cannot be loaded: ") +
                           (reason == nullptr ? "no reason given" : reason),
                       task->name + "/reference.cpp");
    }
    const auto entry = reinterpret_cast<EntryPoint>(dlsym(library.get(), "atoll_entry"));
    if (entry == nullptr) {
        return failure(ErrorCode::invalid_argument, "the oracle has no entry point",
                       task->name + "/reference.cpp");
    }
    return std::make_unique<LoadedOracle>(std::move(task), std::move(kept), std::move(library),
                                          entry);
}

}  // namespace atl
