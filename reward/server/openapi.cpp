#include "reward/server/openapi.hpp"

namespace atl {

std::string openapi_document() {
    return
#include "reward/server/openapi.inc"
        ;
}

}  // namespace atl
