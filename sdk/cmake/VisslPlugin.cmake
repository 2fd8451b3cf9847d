# vissl_add_plugin(NAME sources...) makes NAME.so, a plugin for vissl-host, from C++17 sources that include only
# <vissl/...> headers. Link further libraries with target_link_libraries(NAME PRIVATE ...).
set(VISSL_PLUGIN_EXPORTS "${CMAKE_CURRENT_LIST_DIR}/vissl_plugin.map")

function(vissl_add_plugin name)
  add_library(${name} MODULE ${ARGN})
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
