find_package(Libtorch REQUIRED)

# The names of the operators that the SDK promises, for check-plugin: "aten::add.Tensor",
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/sdk/operators.txt")
file(STRINGS "${CMAKE_SOURCE_DIR}/sdk/operators.txt" operator_lines REGEX "^[a-z_]+::")
set(operator_names)
foreach(line IN LISTS operator_lines)
  string(REGEX REPLACE "\\(.*" "" line "${line}")
  string(APPEND operator_names "\"${line}\",\n")
endforeach()
file(CONFIGURE OUTPUT "${VISSL_GENERATED}/promised_operators.inc" CONTENT "${operator_names}" @ONLY)

vissl_sources(runtime_sources host/runtime)
add_library(vissl_runtime_objects OBJECT ${runtime_sources})
target_link_libraries(vissl_runtime_objects
  PUBLIC vissl_host_includes Libtorch::cpu nlohmann_json::nlohmann_json
  PRIVATE vissl_warnings)
add_dependencies(vissl_runtime_objects vissl_build_id)
target_precompile_headers(vissl_runtime_objects PRIVATE "${CMAKE_SOURCE_DIR}/host/runtime/pch.hpp")
target_compile_options(vissl_runtime_objects PRIVATE -fpch-preprocess)  # lets ccache see through the header

# The executable opens this library at run time; it exports one C function and takes the host's services there.
add_library(vissl_runtime SHARED $<TARGET_OBJECTS:vissl_runtime_objects> $<TARGET_OBJECTS:vissl_files>)
set_target_properties(vissl_runtime PROPERTIES LINKER_LANGUAGE CXX LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}"
  INSTALL_RPATH "$ORIGIN/torch/lib" LINK_DEPENDS "${CMAKE_SOURCE_DIR}/cmake/exports_runtime.map")
target_link_libraries(vissl_runtime PRIVATE Libtorch::cpu ZLIB::ZLIB "${DEFLATE_LIBRARY}" Threads::Threads ${CMAKE_DL_LIBS})
target_link_options(vissl_runtime PRIVATE "-Wl,--version-script=${CMAKE_SOURCE_DIR}/cmake/exports_runtime.map"
  -Wl,--no-undefined)
