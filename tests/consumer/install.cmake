# cmake -DBUILD=… -DPREFIX=… -P install.cmake: installs into an empty prefix, so that nothing of an earlier time helps.
file(REMOVE_RECURSE ${PREFIX})
execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} --prefix ${PREFIX} OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
