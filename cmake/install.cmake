# `cmake --install` puts the program, the libraries with their headers, and the package that find_package(hubbub) finds.
# Consumers link hubbub::hubbub, or one layer: hubbub::core.
include(CMakePackageConfigHelpers)

set(layers hubbub_base hubbub_wire hubbub_core hubbub_net hubbub_load hubbub_server)
add_library(hubbub_all INTERFACE)
add_library(hubbub::hubbub ALIAS hubbub_all)
set_target_properties(hubbub_all PROPERTIES EXPORT_NAME hubbub)
target_link_libraries(hubbub_all INTERFACE hubbub_server)

install(TARGETS hubbub_bin RUNTIME)
install(TARGETS ${layers} hubbub_all EXPORT hubbub ARCHIVE FILE_SET HEADERS)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/hubbub)
install(EXPORT hubbub NAMESPACE hubbub:: FILE hubbubTargets.cmake DESTINATION ${package_dir})

# What the build finds, consumers need to find: one list, in dependencies.cmake.
file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/dependencies.cmake found REGEX "^find_package")
list(TRANSFORM found REPLACE "^find_package\\((.*) REQUIRED\\)$" "find_dependency(\\1)")
list(JOIN found "\n" hubbub_dependencies)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/hubbubConfig.cmake.in ${PROJECT_BINARY_DIR}/hubbubConfig.cmake
                              INSTALL_DESTINATION ${package_dir})
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/hubbubConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/hubbubConfig.cmake ${PROJECT_BINARY_DIR}/hubbubConfigVersion.cmake
        DESTINATION ${package_dir})
install(FILES README.md LICENSE CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR} OPTIONAL)
