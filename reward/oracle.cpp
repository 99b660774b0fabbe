#include "reward/oracle.hpp"

#include "reward/native_library.hpp"

#include <utility>

namespace atl {

namespace {

class LoadedOracle final : public Oracle {
  public:
    LoadedOracle(TaskPtr task, NativeLibrary library)
        : m_task(std::move(task)), m_library(std::move(library)) {}

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
        ATOLL_TRY_ASSIGN(const auto axes, axis_arguments(*m_task, bound_axes));
        m_library.call(tensors, scalars, axes);
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
    NativeLibrary m_library;
};

}  // namespace

Expected<std::unique_ptr<Oracle>> load_oracle(TaskPtr task, const FileHandle& binary) {
    ATOLL_TRY_ASSIGN(NativeLibrary library,
                     NativeLibrary::open(binary, task->name + "/reference.cpp"));
    return std::make_unique<LoadedOracle>(std::move(task), std::move(library));
}

}  // namespace atl
