# Unit tests stand beside their source as x_test.cpp; each TEST_CASE becomes one ctest test.
find_package(doctest REQUIRED)
include(TestPlugins)  # build/test_plugins
include(BadPlugins)   # build/bad_plugins

# vissl_tests(NAME LABEL folders...): one executable NAME with the *_test.cpp below the folders.
function(vissl_tests name label)
  set(sources)
  foreach(folder IN LISTS ARGN)
    file(GLOB_RECURSE found CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/${folder}/*_test.cpp")
    list(APPEND sources ${found})
  endforeach()
  # Objects first: as position-independent code they can share the runtime's precompiled header.
  add_library(${name}_objects OBJECT ${sources})
  target_link_libraries(${name}_objects PUBLIC doctest::doctest Threads::Threads ${CMAKE_DL_LIBS}
                        PRIVATE vissl_warnings)
  target_include_directories(${name}_objects PRIVATE "${CMAKE_SOURCE_DIR}/sdk/include" "${CMAKE_SOURCE_DIR}/tests")
  target_compile_definitions(${name}_objects PRIVATE "VISSL_SOURCE_DIR=\"${CMAKE_SOURCE_DIR}\""
    "VISSL_PLUGIN_DIR=\"${CMAKE_BINARY_DIR}/plugins\""
    "VISSL_TEST_PLUGIN_DIR=\"${CMAKE_BINARY_DIR}/test_plugins\""
    "VISSL_BAD_PLUGIN_DIR=\"${CMAKE_BINARY_DIR}/bad_plugins\"")
  add_executable(${name} $<TARGET_OBJECTS:vissl_doctest_main>)
  target_link_libraries(${name} PRIVATE ${name}_objects)
  set(list_file "${CMAKE_BINARY_DIR}/${name}_list.cmake")
  add_custom_command(TARGET ${name} POST_BUILD BYPRODUCTS "${list_file}"
    COMMAND ${CMAKE_COMMAND} -D "NAME=${name}" -D "LABEL=${label}" -D "EXECUTABLE=$<TARGET_FILE:${name}>"
            -D "OUTPUT=${list_file}" -P "${CMAKE_SOURCE_DIR}/cmake/ListTests.cmake"
    VERBATIM)
  # An executable that did not build shows as one failed test.
  file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/${name}_include.cmake" @ONLY CONTENT
"if(EXISTS \"${list_file}\")
  include(\"${list_file}\")
else()
  add_test(${name}_not_built ${name}_not_built)
endif()
")
  set_property(DIRECTORY "${CMAKE_SOURCE_DIR}" APPEND PROPERTY TEST_INCLUDE_FILES
               "${CMAKE_BINARY_DIR}/${name}_include.cmake")
endfunction()

add_library(vissl_doctest_main OBJECT tests/doctest_main.cpp)
target_link_libraries(vissl_doctest_main PRIVATE doctest::doctest)

vissl_tests(core_tests unit host/cli host/config host/plugin host/data host/files host/weights)
target_link_libraries(core_tests_objects PUBLIC vissl_core)
add_dependencies(core_tests_objects vissl_build_id)
add_dependencies(core_tests test_plugins)

vissl_tests(sdk_tests unit sdk/tests)
# C sources beside the tests show that the ABI's headers are C11.
file(GLOB sdk_c_sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/sdk/tests/*.c")
target_sources(sdk_tests_objects PRIVATE ${sdk_c_sources})
add_dependencies(sdk_tests plugins)

# Plugins of the data path are tested on the host's own images and batches.
vissl_tests(plugin_tests plugin plugins)
target_sources(plugin_tests_objects PRIVATE tests/http_server.cpp tests/signature.cpp)
target_link_libraries(plugin_tests_objects PUBLIC vissl_core)
add_dependencies(plugin_tests_objects vissl_build_id)
add_dependencies(plugin_tests plugins)

# tests/fuzz/corpus through the targets of cmake/Fuzz.cmake, and what must come of its hostile files.
vissl_tests(fuzz_tests fuzz tests/fuzz)
target_sources(fuzz_tests_objects PRIVATE tests/fuzz/targets.cpp tests/fuzz/format_target.cpp)
target_link_libraries(fuzz_tests_objects PUBLIC vissl_host_includes ZLIB::ZLIB "${DEFLATE_LIBRARY}" nlohmann_json::nlohmann_json)
target_link_libraries(fuzz_tests PRIVATE vissl_files)
add_dependencies(fuzz_tests plugins)
add_dependencies(fuzz_tests_objects vissl_build_id)

if(VISSL_RUNTIME)
  vissl_tests(runtime_tests unit host/runtime)
  target_link_libraries(runtime_tests_objects PUBLIC vissl_host_includes Libtorch::cpu ZLIB::ZLIB "${DEFLATE_LIBRARY}"
                        nlohmann_json::nlohmann_json)
  target_link_libraries(runtime_tests PRIVATE vissl_runtime_objects vissl_files)
  target_precompile_headers(runtime_tests_objects REUSE_FROM vissl_runtime_objects)
  target_compile_options(runtime_tests_objects PRIVATE -fpch-preprocess)
  add_dependencies(runtime_tests_objects vissl_build_id)
  add_dependencies(runtime_tests plugins)

  # tests/integration/x_test.cpp run the executable in child processes; the other sources there are their helpers.
  vissl_tests(integration_tests integration tests/integration)
  file(GLOB helpers CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/integration/*.cpp")
  list(FILTER helpers EXCLUDE REGEX "_test\\.cpp$")
  target_sources(integration_tests_objects PRIVATE ${helpers} tests/http_server.cpp)
  target_link_libraries(integration_tests_objects PUBLIC vissl_core)
  # What a test loads before the C library, to do what cannot be timed.
  add_library(cut_mapped MODULE tests/preload/cut_mapped.c)
  target_compile_definitions(integration_tests_objects PRIVATE "VISSL_HOST=\"${CMAKE_BINARY_DIR}/vissl-host\""
    "VISSL_CUT_MAPPED=\"$<TARGET_FILE:cut_mapped>\"")
  add_dependencies(integration_tests vissl-host vissl_runtime plugins test_plugins bad_plugins cut_mapped)

  # tests/KIND/x.sh is one test, labelled KIND, that finds what it needs in its environment and exits with 77 when the
  # machine lacks it. Names after KIND are files that the scripts share.
  set(VISSL_PYTHON "${CMAKE_SOURCE_DIR}/.venv/bin/python" CACHE FILEPATH
      "Python with torch, for the tests that read our files back (scripts/setup --oracle)")
  set(environment "VISSL_HOST=${CMAKE_BINARY_DIR}/vissl-host" "VISSL_PLUGIN_DIR=${CMAKE_BINARY_DIR}/plugins"
      "VISSL_TEST_PLUGIN_DIR=${CMAKE_BINARY_DIR}/test_plugins" "VISSL_BUILD=${CMAKE_BINARY_DIR}"
      "VISSL_SOURCE_DIR=${CMAKE_SOURCE_DIR}" "VISSL_PYTHON=${VISSL_PYTHON}"
      "VISSL_TORCH_ROOT=${LIBTORCH_ROOT}/torch")
  function(vissl_shell_tests kind)
    file(GLOB scripts CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/${kind}/*.sh")
    foreach(script IN LISTS scripts)
      cmake_path(GET script STEM name)
      if(name IN_LIST ARGN)
        continue()
      endif()
      add_test(NAME "${kind}/${name}" COMMAND bash "${script}")
      set_tests_properties("${kind}/${name}" PROPERTIES LABELS ${kind} ENVIRONMENT "${environment}" SKIP_RETURN_CODE 77)
    endforeach()
  endfunction()
  vissl_shell_tests(integration)

  # x_test.cpp in tests/gpu call the runtime's own functions.
  vissl_shell_tests(gpu machine)
  if(TARGET vissl_cuda)
    vissl_tests(gpu_tests gpu tests/gpu)
    target_link_libraries(gpu_tests_objects PUBLIC vissl_host_includes Libtorch::cpu)
    target_link_libraries(gpu_tests PRIVATE vissl_runtime_objects vissl_files Libtorch::cpu ZLIB::ZLIB "${DEFLATE_LIBRARY}")
    target_precompile_headers(gpu_tests_objects REUSE_FROM vissl_runtime_objects)
    target_compile_options(gpu_tests_objects PRIVATE -fpch-preprocess)
    add_dependencies(gpu_tests vissl_cuda)
  endif()

  # tests/slurm run our job scripts on a SLURM of their own.
  add_executable(compare_runs tests/slurm/compare_runs.cpp tests/integration/run_files.cpp)
  target_include_directories(compare_runs PRIVATE "${CMAKE_SOURCE_DIR}/tests")
  target_link_libraries(compare_runs PRIVATE vissl_core vissl_warnings)
  add_dependencies(compare_runs vissl_build_id)
  vissl_shell_tests(slurm cluster)
endif()

# tests/bench/x.cpp is one program bench/x that times the torch-free core, tests/bench/runtime/x.cpp one that times the
# runtime; scripts/bench runs them beside Python.
function(vissl_bench source)
  cmake_path(GET source STEM name)
  add_executable(${name} "${source}" ${ARGN})
  target_link_libraries(${name} PRIVATE vissl_warnings)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bench")
  add_dependencies(${name} vissl_build_id)
endfunction()

file(GLOB bench_sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/bench/*.cpp")
foreach(source IN LISTS bench_sources)
  vissl_bench("${source}")
  cmake_path(GET source STEM name)
  target_link_libraries(${name} PRIVATE vissl_core)
endforeach()
if(VISSL_RUNTIME)
  file(GLOB bench_sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/bench/runtime/*.cpp")
  foreach(source IN LISTS bench_sources)
    vissl_bench("${source}")
    cmake_path(GET source STEM name)
    target_link_libraries(${name} PRIVATE vissl_runtime_objects vissl_files vissl_host_includes Libtorch::cpu ZLIB::ZLIB "${DEFLATE_LIBRARY}"
                          nlohmann_json::nlohmann_json Threads::Threads ${CMAKE_DL_LIBS})
  endforeach()
endif()
