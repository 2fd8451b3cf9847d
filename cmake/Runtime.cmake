find_package(Libtorch REQUIRED)

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
target_link_libraries(vissl_runtime PRIVATE Libtorch::cpu ZLIB::ZLIB Threads::Threads ${CMAKE_DL_LIBS})
target_link_options(vissl_runtime PRIVATE "-Wl,--version-script=${CMAKE_SOURCE_DIR}/cmake/exports_runtime.map"
  -Wl,--no-undefined)
