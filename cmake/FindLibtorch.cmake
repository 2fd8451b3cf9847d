# Imported targets for the libtorch of the PyPI wheel that scripts/setup unpacks into .deps:
#   Libtorch::cpu   ATen, autograd and c10 for CPUs, with the wheel's own libgomp
# torch's own CMake package is not used because it demands a CUDA toolkit even for CPU code.
set(LIBTORCH_ROOT "${CMAKE_SOURCE_DIR}/.deps" CACHE PATH "Folder that holds torch/ and nvidia/ as in the wheels")
set(Libtorch_LIBRARY_DIR "${LIBTORCH_ROOT}/torch/lib")
find_path(Libtorch_INCLUDE_DIR ATen/ATen.h PATHS "${LIBTORCH_ROOT}/torch/include" NO_DEFAULT_PATH)
find_file(Libtorch_CPU_LIBRARY libtorch_cpu.so PATHS "${Libtorch_LIBRARY_DIR}" NO_DEFAULT_PATH)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Libtorch
  REQUIRED_VARS Libtorch_CPU_LIBRARY Libtorch_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "run scripts/setup, or configure with -DVISSL_RUNTIME=OFF")

if(Libtorch_FOUND AND NOT TARGET Libtorch::cpu)
  foreach(part c10 gomp)
    add_library(Libtorch::${part} SHARED IMPORTED)
  endforeach()
  set_target_properties(Libtorch::c10 PROPERTIES IMPORTED_LOCATION "${Libtorch_LIBRARY_DIR}/libc10.so")
  set_target_properties(Libtorch::gomp PROPERTIES IMPORTED_LOCATION "${Libtorch_LIBRARY_DIR}/libgomp.so.1")
  add_library(Libtorch::cpu SHARED IMPORTED)
  set_target_properties(Libtorch::cpu PROPERTIES IMPORTED_LOCATION "${Libtorch_CPU_LIBRARY}")
  # at::parallel_for is an inline template: without -fopenmp it would run on one thread in our code.
  target_compile_options(Libtorch::cpu INTERFACE -fopenmp)
  target_include_directories(Libtorch::cpu SYSTEM INTERFACE
    "${Libtorch_INCLUDE_DIR}" "${Libtorch_INCLUDE_DIR}/torch/csrc/api/include")
  target_link_libraries(Libtorch::cpu INTERFACE Libtorch::c10 Libtorch::gomp)
endif()
