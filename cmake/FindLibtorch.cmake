# Imported targets for the libtorch of the PyPI wheel that scripts/setup unpacks into .deps:
#   Libtorch::cpu    ATen, autograd and c10 for CPUs, with the wheel's own libgomp
#   Libtorch::cuda   the same for GPUs, with CUDA's runtime and NCCL; made only where the wheels of
#                    `scripts/setup --cuda` are (Libtorch_CUDA_FOUND). Host code alone: there is no nvcc.
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

# Looked for anew at every configuration, because `scripts/setup --cuda` may have run since the last one.
set(cuda_files)
foreach(file torch/lib/libtorch_cuda.so torch/lib/libc10_cuda.so "nvidia/cu*/lib/libcudart.so.*"
        "nvidia/cu*/include/cuda_runtime_api.h" "nvidia/nccl/lib/libnccl.so.*" nvidia/nccl/include/nccl.h)
  file(GLOB found "${LIBTORCH_ROOT}/${file}")
  list(APPEND cuda_files ${found})
endforeach()
list(LENGTH cuda_files found)
set(Libtorch_CUDA_FOUND FALSE)
if(Libtorch_FOUND AND found EQUAL 6)
  set(Libtorch_CUDA_FOUND TRUE)
endif()

if(Libtorch_CUDA_FOUND AND NOT TARGET Libtorch::cuda)
  list(GET cuda_files 0 torch_cuda)
  foreach(part c10_cuda cudart nccl)
    add_library(Libtorch::${part} SHARED IMPORTED)
  endforeach()
  list(GET cuda_files 1 location)
  set_target_properties(Libtorch::c10_cuda PROPERTIES IMPORTED_LOCATION "${location}")
  foreach(part "2;3;cudart" "4;5;nccl")
    list(GET part 0 library)
    list(GET part 1 header)
    list(GET part 2 name)
    list(GET cuda_files ${library} location)
    list(GET cuda_files ${header} header)
    cmake_path(GET header PARENT_PATH include)
    set_target_properties(Libtorch::${name} PROPERTIES IMPORTED_LOCATION "${location}")
    target_include_directories(Libtorch::${name} SYSTEM INTERFACE "${include}")
  endforeach()
  add_library(Libtorch::cuda SHARED IMPORTED)
  set_target_properties(Libtorch::cuda PROPERTIES IMPORTED_LOCATION "${torch_cuda}")
  # libtorch_cuda.so names all its own libraries with an RPATH that the linker need not follow.
  target_link_libraries(Libtorch::cuda INTERFACE Libtorch::cpu Libtorch::c10_cuda Libtorch::cudart Libtorch::nccl)
endif()
