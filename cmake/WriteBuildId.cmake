# Script: hashes the headers named in LIST and writes OUTPUT if its text changes.
file(STRINGS "${LIST}" headers)
set(all "${FLAGS}")
foreach(header IN LISTS headers)
  file(SHA256 "${header}" hash)
  string(APPEND all " ${hash}")
endforeach()
string(SHA256 id "${all}")
string(SUBSTRING "${id}" 0 16 id)
file(CONFIGURE OUTPUT "${OUTPUT}" CONTENT "#pragma once
#define VISSL_VERSION \"${VERSION}\"
#define VISSL_BUILD_ID \"${id}\"
" @ONLY)
