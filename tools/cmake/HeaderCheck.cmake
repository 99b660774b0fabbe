# Every header of ours must compile alone: one generated translation unit per header.
function(atoll_check_headers)
    file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}
        ${PROJECT_SOURCE_DIR}/reward/*.hpp ${PROJECT_SOURCE_DIR}/population/*.hpp
        ${PROJECT_SOURCE_DIR}/mutators/*.hpp ${PROJECT_SOURCE_DIR}/search/*.hpp
        ${PROJECT_SOURCE_DIR}/tools/*.hpp)
    set(units)
    foreach(header IN LISTS headers)
        string(MAKE_C_IDENTIFIER ${header} id)
        set(unit ${PROJECT_BINARY_DIR}/header_check/${id}.cpp)
        file(CONFIGURE OUTPUT ${unit} CONTENT "#include \"${header}\"\n#include \"${header}\"\n")
        list(APPEND units ${unit})
    endforeach()
    add_library(header_check OBJECT ${units})
    target_link_libraries(header_check PRIVATE atoll_search CLI11::CLI11 atoll_warnings)
    set_target_properties(header_check PROPERTIES COMPILE_OPTIONS "-O0")
endfunction()
