# <vissl_build.hpp> holds VISSL_VERSION and VISSL_BUILD_ID. The id is a hash over every header that the
# executable and the runtime share: equal ids mean that both were compiled against the same interface.
file(GLOB_RECURSE VISSL_SHARED_HEADERS CONFIGURE_DEPENDS
     "${CMAKE_SOURCE_DIR}/host/*.hpp" "${CMAKE_SOURCE_DIR}/sdk/include/*.h" "${CMAKE_SOURCE_DIR}/sdk/include/*.hpp")
set(VISSL_GENERATED "${CMAKE_BINARY_DIR}/generated")
list(JOIN VISSL_SHARED_HEADERS "\n" header_lines)
file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/shared_headers.txt" CONTENT "${header_lines}\n" @ONLY)
add_custom_command(
  OUTPUT "${VISSL_GENERATED}/vissl_build.hpp"
  COMMAND ${CMAKE_COMMAND} -D "LIST=${CMAKE_BINARY_DIR}/shared_headers.txt" -D "VERSION=${PROJECT_VERSION}"
          -D "FLAGS=${CMAKE_CXX_COMPILER_VERSION} ${VISSL_SANITIZE}" -D "OUTPUT=${VISSL_GENERATED}/vissl_build.hpp"
          -P "${CMAKE_SOURCE_DIR}/cmake/WriteBuildId.cmake"
  DEPENDS ${VISSL_SHARED_HEADERS} "${CMAKE_BINARY_DIR}/shared_headers.txt" "${CMAKE_SOURCE_DIR}/cmake/WriteBuildId.cmake"
  VERBATIM)
add_custom_target(vissl_build_id DEPENDS "${VISSL_GENERATED}/vissl_build.hpp")
