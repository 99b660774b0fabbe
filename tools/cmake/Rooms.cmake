# atoll_room(<name> DEPENDS <libraries...> [EXCLUDE <regex>])
# A room is one static library of all .cpp files below its folder. Sources are globbed so that a
# new strategy touches only the folder it lives in.
function(atoll_room name)
    cmake_parse_arguments(ROOM "" "EXCLUDE" "DEPENDS" ${ARGN})
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
    if(ROOM_EXCLUDE)
        list(FILTER sources EXCLUDE REGEX "${ROOM_EXCLUDE}")
    endif()
    add_library(atoll_${name} STATIC ${sources})
    target_include_directories(atoll_${name} PUBLIC ${PROJECT_SOURCE_DIR})
    target_link_libraries(atoll_${name} PUBLIC ${ROOM_DEPENDS} PRIVATE atoll_warnings)
endfunction()
