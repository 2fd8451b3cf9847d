# Text files that the executable carries: the templates of new-plugin and the scripts of completion. They stay files, so that
# they are compiled, linted and tested as what they are.
file(GLOB VISSL_EMBEDDED CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/sdk/templates/*" "${CMAKE_SOURCE_DIR}/host/cli/completion/*")
list(JOIN VISSL_EMBEDDED "\n" embedded_lines)
file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/embedded.txt" CONTENT "${embedded_lines}\n" @ONLY)
add_custom_command(
  OUTPUT "${VISSL_GENERATED}/embedded.cpp"
  COMMAND ${CMAKE_COMMAND} -D "LIST=${CMAKE_BINARY_DIR}/embedded.txt" -D "OUTPUT=${VISSL_GENERATED}/embedded.cpp"
          -P "${CMAKE_SOURCE_DIR}/cmake/WriteEmbedded.cmake"
  DEPENDS ${VISSL_EMBEDDED} "${CMAKE_BINARY_DIR}/embedded.txt" "${CMAKE_SOURCE_DIR}/cmake/WriteEmbedded.cmake"
  VERBATIM)
