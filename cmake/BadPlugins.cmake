# Plugins with one fault each, for check-plugin and discovery: tests/bad_plugins/<level>/NAME.cpp becomes
# build/bad_plugins/NAME.so. NAME.cmake beside it may bend the target; undefined symbols are allowed.
set(bad_plugin_folder "${CMAKE_BINARY_DIR}/bad_plugins")
file(GLOB bad_plugin_files CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/bad_plugins/*/*.cpp")
add_custom_target(bad_plugins)
foreach(file IN LISTS bad_plugin_files)
  cmake_path(GET file STEM name)
  set(target bad_plugin_${name})
  vissl_add_plugin(${target} "${file}")
  set_target_properties(${target} PROPERTIES OUTPUT_NAME ${name} CXX_STANDARD 17
    LIBRARY_OUTPUT_DIRECTORY "${bad_plugin_folder}")
  target_include_directories(${target} PRIVATE "${CMAKE_SOURCE_DIR}/tests/bad_plugins")
  target_link_libraries(${target} PRIVATE vissl_warnings)
  cmake_path(REPLACE_EXTENSION file LAST_ONLY .cmake OUTPUT_VARIABLE bend)
  if(EXISTS "${bend}")
    include("${bend}")
  endif()
  add_dependencies(bad_plugins ${target})
endforeach()
