# The torch-free part of the host. A new file under host/ needs no edit here.
find_package(Boost 1.74 REQUIRED COMPONENTS program_options)
find_package(spdlog REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(JPEG REQUIRED)
find_package(PNG REQUIRED)
find_package(TIFF REQUIRED)
find_package(ZLIB REQUIRED)
find_library(DEFLATE_LIBRARY deflate REQUIRED)  # checksums
find_library(WEBP_LIBRARY webp REQUIRED)
find_package(Threads REQUIRED)

# Sets `out` to the .cpp files below the given folders, without tests.
function(vissl_sources out)
  set(sources)
  foreach(folder IN LISTS ARGN)
    file(GLOB_RECURSE found CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/${folder}/*.cpp")
    list(APPEND sources ${found})
  endforeach()
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
  set(${out} ${sources} PARENT_SCOPE)
endfunction()

# What every file of the host may include: "host/files/error.hpp" style paths, the SDK, the build id.
add_library(vissl_host_includes INTERFACE)
target_include_directories(vissl_host_includes INTERFACE
  "${CMAKE_SOURCE_DIR}" "${CMAKE_SOURCE_DIR}/host" "${CMAKE_SOURCE_DIR}/sdk/include" "${VISSL_GENERATED}")
add_dependencies(vissl_host_includes vissl_build_id)

# host/files and host/weights are compiled once and are part of both the executable and the runtime.
vissl_sources(files_sources host/files host/weights)
add_library(vissl_files OBJECT ${files_sources})
target_link_libraries(vissl_files
  PUBLIC vissl_host_includes Boost::headers nlohmann_json::nlohmann_json ZLIB::ZLIB "${DEFLATE_LIBRARY}" Threads::Threads
  PRIVATE vissl_warnings)
add_dependencies(vissl_files vissl_build_id)

include(Embedded)  # the templates of new-plugin, the scripts of completion
vissl_sources(core_sources host/cli host/config host/plugin host/data)
add_library(vissl_core STATIC ${core_sources} "${VISSL_GENERATED}/embedded.cpp" $<TARGET_OBJECTS:vissl_files>)
# Boost.DLL would pull in Boost.Filesystem; the standard one serves it as well.
target_compile_definitions(vissl_core PUBLIC BOOST_DLL_USE_STD_FS)
target_link_libraries(vissl_core
  PUBLIC vissl_host_includes Boost::headers Boost::program_options tomlplusplus::tomlplusplus spdlog::spdlog
         nlohmann_json::nlohmann_json JPEG::JPEG PNG::PNG TIFF::TIFF "${WEBP_LIBRARY}" ZLIB::ZLIB "${DEFLATE_LIBRARY}" Threads::Threads ${CMAKE_DL_LIBS}
  PRIVATE vissl_warnings)
add_dependencies(vissl_core vissl_build_id)

add_executable(vissl-host host/main.cpp)
target_link_libraries(vissl-host PRIVATE vissl_core vissl_warnings)
# -fPIC leaves the data of shared libraries where it is; with -fPIE the executable would hold and export copies.
target_compile_options(vissl-host PRIVATE -fPIC)
# A plugin must not bind to a symbol of the executable by accident.
target_link_options(vissl-host PRIVATE "-Wl,--version-script=${CMAKE_SOURCE_DIR}/cmake/exports_none.map")
set_target_properties(vissl-host PROPERTIES
  RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}" LINK_DEPENDS "${CMAKE_SOURCE_DIR}/cmake/exports_none.map")
