option(VISSL_RUNTIME "Build libvissl_runtime.so (needs libtorch in .deps)" ON)
set(VISSL_CUDA AUTO CACHE STRING "Build libvissl_cuda.so: ON, OFF, or AUTO: if scripts/setup --cuda was run")
set_property(CACHE VISSL_CUDA PROPERTY STRINGS AUTO ON OFF)
option(VISSL_TESTS "Build the test executables" ON)
option(VISSL_FUZZ "Build only the fuzz targets, with clang (scripts/fuzz)" OFF)
set(VISSL_SANITIZE "" CACHE STRING "address (with undefined), thread, or empty")
set_property(CACHE VISSL_SANITIZE PROPERTY STRINGS "" address thread)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2")  # assertions stay on: they guard invariants, not hot loops
set(CMAKE_C_FLAGS_RELEASE "-O2")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# One switch decides for every binary, so that nothing mixes the two std::string layouts.
add_compile_definitions(_GLIBCXX_USE_CXX11_ABI=1)

# A product and a sum stay two roundings in every clone of a function, so that results do not depend on the CPU.
add_compile_options(-ffp-contract=off)

add_library(vissl_warnings INTERFACE)
target_compile_options(vissl_warnings INTERFACE -Wall -Wextra -Wconversion -Werror)

if(VISSL_SANITIZE STREQUAL "address")
  set(sanitize -fsanitize=address,undefined -fno-sanitize-recover=undefined)
elseif(VISSL_SANITIZE STREQUAL "thread")
  set(sanitize -fsanitize=thread)
elseif(VISSL_SANITIZE)
  message(FATAL_ERROR "VISSL_SANITIZE is '${VISSL_SANITIZE}'; use address, thread or nothing")
endif()
if(VISSL_SANITIZE)
  add_compile_options(${sanitize} -g1 -fno-omit-frame-pointer)
  add_link_options(${sanitize})
  # GCC's bug 105562: with a sanitizer it takes the inside of std::regex for uninitialized.
  target_compile_options(vissl_warnings INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
endif()

find_program(VISSL_CCACHE ccache)
if(VISSL_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # The base folder lets two checkouts share their objects; the sloppiness is what ccache asks for with
  # precompiled headers.
  set(launcher ${CMAKE_COMMAND} -E env "CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}" CCACHE_NOHASHDIR=1
      "CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime" ${VISSL_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
endif()

find_program(VISSL_MOLD mold)
if(VISSL_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
