#pragma once

#include <cstddef>
#include <vector>

namespace atl {

/// What the variables of a loaded shared object were at one moment: all that it may write to of
/// what was mapped for it (data and bss). Not what it has on the heap, nor variables of threads.
class VariableSnapshot {
  public:
    /// Of the object that `function` is part of; empty when there is none.
    static VariableSnapshot of(const void* function);
    void restore() const;

  private:
    struct Part {
        std::byte* begin = nullptr;
        std::vector<std::byte> bytes;
    };
    std::vector<Part> m_parts;
};

}  // namespace atl
