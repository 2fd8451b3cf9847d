add_library(stand_in_for_openmp SHARED "${CMAKE_SOURCE_DIR}/tests/bad_plugins/stand_in.c")
target_compile_definitions(stand_in_for_openmp PRIVATE STAND_IN=stand_in_for_openmp)
set_target_properties(stand_in_for_openmp PROPERTIES OUTPUT_NAME omp
  LIBRARY_OUTPUT_DIRECTORY "${bad_plugin_folder}/bundled")
target_link_libraries(${target} PRIVATE stand_in_for_openmp)
set_target_properties(${target} PROPERTIES BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH "$ORIGIN/bundled")
