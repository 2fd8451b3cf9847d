# The installed tree works wherever it is moved to: bin/vissl-host finds lib/vissl beside itself, and lib/vissl
# holds libtorch in the wheels' own relative layout, because that is what the libraries' RPATHs expect.
include(CMakePackageConfigHelpers)
set(VISSL_LIB lib/vissl)

install(TARGETS vissl-host RUNTIME DESTINATION bin)
install(TARGETS ${VISSL_PLUGIN_TARGETS} LIBRARY DESTINATION ${VISSL_LIB}/plugins)
if(VISSL_RUNTIME)
  install(TARGETS vissl_runtime LIBRARY DESTINATION ${VISSL_LIB})
  file(GLOB torch_libraries "${LIBTORCH_ROOT}/torch/lib/libc10.so" "${LIBTORCH_ROOT}/torch/lib/libtorch_cpu.so"
       "${LIBTORCH_ROOT}/torch/lib/libgomp*")
  install(PROGRAMS ${torch_libraries} DESTINATION ${VISSL_LIB}/torch/lib)
  install(DIRECTORY "${LIBTORCH_ROOT}/nvidia" DESTINATION ${VISSL_LIB}
          FILES_MATCHING PATTERN "libcudart.so.*" PATTERN "libcupti.so.*")
  if(TARGET vissl_cuda)  # three gigabytes of libraries
    install(TARGETS vissl_cuda LIBRARY DESTINATION ${VISSL_LIB})
    file(GLOB cuda_libraries "${LIBTORCH_ROOT}/torch/lib/*cuda*.so" "${LIBTORCH_ROOT}/torch/lib/libcaffe2_nvrtc.so"
         "${LIBTORCH_ROOT}/torch/lib/libtorch_nvshmem.so")
    install(PROGRAMS ${cuda_libraries} DESTINATION ${VISSL_LIB}/torch/lib)
    install(DIRECTORY "${LIBTORCH_ROOT}/nvidia" DESTINATION ${VISSL_LIB} FILES_MATCHING PATTERN "*.so*")
  endif()
  install(DIRECTORY "${LIBTORCH_ROOT}/licenses/" DESTINATION share/doc/vissl/licenses OPTIONAL)
endif()

install(DIRECTORY sdk/include/vissl DESTINATION include)
write_basic_package_version_file("${VISSL_GENERATED}/VisslSdkConfigVersion.cmake" COMPATIBILITY SameMajorVersion
                                 ARCH_INDEPENDENT)
install(FILES sdk/cmake/VisslSdkConfig.cmake sdk/cmake/VisslPlugin.cmake sdk/cmake/vissl_plugin.map sdk/cmake/vissl_test_main.cpp
              "${VISSL_GENERATED}/VisslSdkConfigVersion.cmake" DESTINATION lib/cmake/VisslSdk)
install(DIRECTORY configs DESTINATION share/vissl)
install(FILES sdk/README.md DESTINATION share/doc/vissl RENAME plugins.md)
install(FILES sdk/operators.txt DESTINATION share/doc/vissl)
install(DIRECTORY sdk/examples DESTINATION share/doc/vissl)

install(FILES host/cli/completion/vissl-host.bash DESTINATION share/bash-completion/completions RENAME vissl-host)
install(FILES host/cli/completion/vissl-host.zsh DESTINATION share/zsh/site-functions RENAME _vissl-host)
install(FILES host/cli/completion/vissl-host.fish DESTINATION share/fish/vendor_completions.d)
