# find_package(VisslSdk) gives VisslSdk::headers and vissl_add_plugin().
get_filename_component(vissl_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
if(NOT TARGET VisslSdk::headers)
  add_library(VisslSdk::headers INTERFACE IMPORTED)
  set_target_properties(VisslSdk::headers PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${vissl_prefix}/include")
endif()
include("${CMAKE_CURRENT_LIST_DIR}/VisslPlugin.cmake")
# Here and not in vissl_add_plugin_test(), because it holds for the folder that it is called in, and a function has its own scope.
enable_testing()
