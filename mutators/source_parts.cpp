#include "mutators/source_parts.hpp"

namespace atl {

SourceParts read_parts(const Task& task, std::string_view source) {
    return {knobs_of(task, source), region_digests(source)};
}

}  // namespace atl
