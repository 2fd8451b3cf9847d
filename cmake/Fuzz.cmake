# fuzz_NAME for every target of tests/fuzz/targets.cpp and every format of plugins/weights_formats: libFuzzer with the address and undefined sanitizers.
if(NOT CMAKE_CXX_COMPILER_ID MATCHES Clang)
  message(FATAL_ERROR "VISSL_FUZZ needs clang: scripts/fuzz configures it")
endif()
find_package(nlohmann_json REQUIRED)
find_package(ZLIB REQUIRED)
find_library(DEFLATE_LIBRARY deflate REQUIRED)  # checksums

set(fuzz_checks -fsanitize=address,undefined -fno-sanitize-recover=undefined)
file(GLOB fuzz_sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/host/files/*.cpp")
list(FILTER fuzz_sources EXCLUDE REGEX "_test\\.cpp$")
add_library(vissl_fuzz_files STATIC ${fuzz_sources} tests/fuzz/targets.cpp)
target_include_directories(vissl_fuzz_files PUBLIC "${CMAKE_SOURCE_DIR}" "${CMAKE_SOURCE_DIR}/tests")
target_link_libraries(vissl_fuzz_files PUBLIC nlohmann_json::nlohmann_json ZLIB::ZLIB "${DEFLATE_LIBRARY}")
target_compile_options(vissl_fuzz_files PUBLIC ${fuzz_checks} -g1 -O1 PRIVATE -fsanitize=fuzzer-no-link)

foreach(name IN ITEMS zip pickle legacy tar safetensors npy gzip)
  add_executable(fuzz_${name} tests/fuzz/libfuzzer_main.cpp)
  target_compile_definitions(fuzz_${name} PRIVATE "VISSL_FUZZ_TARGET=\"${name}\"")
  target_link_libraries(fuzz_${name} PRIVATE vissl_fuzz_files)
  target_link_options(fuzz_${name} PRIVATE ${fuzz_checks} -fsanitize=fuzzer)
endforeach()

foreach(name IN ITEMS flax_msgpack onnx)
  add_executable(fuzz_${name} tests/fuzz/format_main.cpp tests/fuzz/format_target.cpp
                 "plugins/weights_formats/${name}/${name}.cpp")
  target_include_directories(fuzz_${name} PRIVATE "${CMAKE_SOURCE_DIR}/sdk/include" "${CMAKE_SOURCE_DIR}/tests")
  target_compile_options(fuzz_${name} PRIVATE ${fuzz_checks} -fsanitize=fuzzer -std=c++17 -g1 -O1)
  target_link_options(fuzz_${name} PRIVATE ${fuzz_checks} -fsanitize=fuzzer)
endforeach()
