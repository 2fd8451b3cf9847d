# Plugins that only tests use: tests/test_plugins/<folder>/NAME.cpp becomes build/test_plugins/<folder>/NAME.so. Each folder is a
# plugin folder of its own; undefined symbols are allowed, because one of the bad plugins consists of one.
# tests/abi_spikes/NAME.cpp becomes build/test_plugins/abi_spikes/NAME.so in the same way.
file(GLOB test_plugin_files CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/test_plugins/*/*.cpp"
     "${CMAKE_SOURCE_DIR}/tests/abi_spikes/*.cpp")
add_custom_target(test_plugins)
foreach(file IN LISTS test_plugin_files)
  cmake_path(GET file STEM name)
  cmake_path(GET file PARENT_PATH folder)
  cmake_path(GET folder FILENAME folder)
  set(target test_plugin_${folder}_${name})
  vissl_add_plugin(${target} "${file}")
  set_target_properties(${target} PROPERTIES OUTPUT_NAME ${name} CXX_STANDARD 17
    LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/test_plugins/${folder}")
  target_include_directories(${target} PRIVATE "${CMAKE_SOURCE_DIR}/tests/test_plugins")
  target_link_libraries(${target} PRIVATE vissl_warnings)
  add_dependencies(test_plugins ${target})
endforeach()
