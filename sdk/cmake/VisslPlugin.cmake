# vissl_add_plugin(NAME sources...) makes NAME.so, a plugin for vissl-host, from C++17 or C11 sources that include only
# <vissl/...> headers. Link further libraries with target_link_libraries(NAME PRIVATE ...).
# vissl_add_plugin_test(NAME sources...) makes the test NAME_test of it where doctest is installed, with a main(); sources
# include <vissl/test.hpp> and find the plugin's file as PLUGIN.
# vissl_use_libtorch(NAME STABLE|NATIVE) for a plugin that uses libtorch itself: its stable ABI (torch/stable.hpp) or its C++
# interface (torch/native.hpp). Headers come from TORCH_ROOT, the folder torch of libtorch's wheel.
set(VISSL_PLUGIN_EXPORTS "${CMAKE_CURRENT_LIST_DIR}/vissl_plugin.map")
set(VISSL_TEST_MAIN "${CMAKE_CURRENT_LIST_DIR}/vissl_test_main.cpp")

function(vissl_add_plugin name)
  add_library(${name} MODULE ${ARGN})
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  if("C" IN_LIST languages)
    target_compile_features(${name} PRIVATE c_std_11)
  endif()
  target_compile_features(${name} PRIVATE cxx_std_17)
  set_target_properties(${name} PROPERTIES PREFIX "" SUFFIX ".so"
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    LINK_DEPENDS "${VISSL_PLUGIN_EXPORTS}")
  target_link_libraries(${name} PRIVATE VisslSdk::headers)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Unique symbols would be merged across plugins, and would pin them in memory.
    target_compile_options(${name} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fno-gnu-unique>)
  endif()
  # One name is exported, so that two plugins never bind to each other's functions.
  target_link_options(${name} PRIVATE "LINKER:--version-script=${VISSL_PLUGIN_EXPORTS}")
endfunction()

function(vissl_add_plugin_test name)
  if(DEFINED BUILD_TESTING AND NOT BUILD_TESTING)
    return()
  endif()
  find_package(doctest QUIET)
  if(NOT doctest_FOUND)
    message(STATUS "${name}: no doctest found, its test is left out")
    return()
  endif()
  if(NOT TARGET vissl_test_main)
    add_library(vissl_test_main OBJECT "${VISSL_TEST_MAIN}")
    target_compile_features(vissl_test_main PRIVATE cxx_std_17)
    target_compile_options(vissl_test_main PRIVATE -O0)  # compiles in half the time, and runs in milliseconds
    target_link_libraries(vissl_test_main PRIVATE VisslSdk::headers doctest::doctest)
  endif()
  add_executable(${name}_test ${ARGN} $<TARGET_OBJECTS:vissl_test_main>)
  target_compile_features(${name}_test PRIVATE cxx_std_17)
  target_compile_definitions(${name}_test PRIVATE "PLUGIN=\"$<TARGET_FILE:${name}>\"")
  target_link_libraries(${name}_test PRIVATE VisslSdk::headers doctest::doctest ${CMAKE_DL_LIBS})
  add_dependencies(${name}_test ${name})
  add_test(NAME ${name}_test COMMAND ${name}_test)
endfunction()

function(vissl_use_libtorch name interface)
  set(TORCH_ROOT "" CACHE PATH "Folder torch of libtorch's wheel: its headers and libraries")
  if(NOT EXISTS "${TORCH_ROOT}/include/torch/headeronly/version.h")
    message(FATAL_ERROR "${name} needs libtorch's headers: configure with -DTORCH_ROOT=<the folder torch of its wheel>")
  endif()
  target_include_directories(${name} SYSTEM PRIVATE "${TORCH_ROOT}/include")
  target_link_libraries(${name} PRIVATE "${TORCH_ROOT}/lib/libtorch_cpu.so")
  if(interface STREQUAL "NATIVE")
    target_link_libraries(${name} PRIVATE "${TORCH_ROOT}/lib/libc10.so")
    target_compile_features(${name} PRIVATE cxx_std_20)
  endif()
  # The host has opened its libtorch by then: a path of this machine would only mislead.
  set_target_properties(${name} PROPERTIES BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH "")
endfunction()
