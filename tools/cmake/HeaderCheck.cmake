# Every header of ours must compile alone. A header that its own source includes first has been
# compiled so already (clang-format keeps it there); each other one gets a generated translation
# unit, for these checks were a tenth of the whole build.
function(atoll_check_headers)
    file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}
        ${PROJECT_SOURCE_DIR}/reward/*.hpp ${PROJECT_SOURCE_DIR}/population/*.hpp
        ${PROJECT_SOURCE_DIR}/mutators/*.hpp ${PROJECT_SOURCE_DIR}/search/*.hpp
        ${PROJECT_SOURCE_DIR}/tools/*.hpp)
    set(units)
    foreach(header IN LISTS headers)
        file(STRINGS ${PROJECT_SOURCE_DIR}/${header} guard REGEX "^#pragma once$" LIMIT_COUNT 1)
        if(NOT guard)
            message(FATAL_ERROR "${header} has no #pragma once")
        endif()
        string(REGEX REPLACE "\\.hpp$" ".cpp" source ${PROJECT_SOURCE_DIR}/${header})
        set(first)
        if(EXISTS ${source})
            file(STRINGS ${source} first REGEX "^#include" LIMIT_COUNT 1)
        endif()
        if(first STREQUAL "#include \"${header}\"")
            continue()
        endif()
        string(MAKE_C_IDENTIFIER ${header} id)
        set(unit ${PROJECT_BINARY_DIR}/header_check/${id}.cpp)
        file(CONFIGURE OUTPUT ${unit} CONTENT "#include \"${header}\"\n")
        list(APPEND units ${unit})
    endforeach()
    add_library(header_check OBJECT ${units})
    target_link_libraries(header_check PRIVATE atoll_search atoll_server CLI11::CLI11
        atoll_warnings)
    set_target_properties(header_check PROPERTIES COMPILE_OPTIONS "-O0")
endfunction()
