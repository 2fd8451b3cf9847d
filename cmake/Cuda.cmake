# libvissl_cuda.so, which the runtime opens when a run uses a GPU. Nothing else includes CUDA's headers or links its
# libraries, so a machine without them builds and runs everything else.
if(VISSL_CUDA STREQUAL "AUTO")
  set(build_cuda ${Libtorch_CUDA_FOUND})
else()
  set(build_cuda ${VISSL_CUDA})
endif()
if(build_cuda AND NOT Libtorch_CUDA_FOUND)
  message(FATAL_ERROR "VISSL_CUDA is ON, but ${LIBTORCH_ROOT} lacks CUDA's libraries or headers; run scripts/setup --cuda")
endif()
if(NOT build_cuda)
  return()
endif()

vissl_sources(cuda_sources host/cuda)
add_library(vissl_cuda SHARED ${cuda_sources})
set_target_properties(vissl_cuda PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}"
  LINK_DEPENDS "${CMAKE_SOURCE_DIR}/cmake/exports_cuda.map")
target_link_libraries(vissl_cuda PRIVATE vissl_host_includes Libtorch::cuda vissl_warnings)
target_link_options(vissl_cuda PRIVATE "-Wl,--version-script=${CMAKE_SOURCE_DIR}/cmake/exports_cuda.map"
  -Wl,--no-undefined)
add_dependencies(vissl_cuda vissl_build_id)

# Installed beside the runtime, with the wheels' folders below.
set(rpath "$ORIGIN/torch/lib")
foreach(part cudart nccl)
  get_target_property(location Libtorch::${part} IMPORTED_LOCATION)
  cmake_path(RELATIVE_PATH location BASE_DIRECTORY "${LIBTORCH_ROOT}")
  cmake_path(GET location PARENT_PATH folder)
  list(APPEND rpath "$ORIGIN/${folder}")
endforeach()
set_target_properties(vissl_cuda PROPERTIES INSTALL_RPATH "${rpath}")
