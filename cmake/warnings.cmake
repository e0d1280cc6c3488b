# Warnings and sanitizers for our own targets only; consumers of the library never see them.
add_library(hubbub_options INTERFACE)
target_compile_options(hubbub_options INTERFACE -Wall -Wextra -Wconversion -Wshadow -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # At -O3 GCC 12 sees ghosts: restrict in std::string's operator+ (GCC bug 105651), maybe-uninitialized in the unused
  # half of std::expected. Clang and the sanitizers watch for the real ones.
  target_compile_options(hubbub_options INTERFACE -Wno-restrict -Wno-maybe-uninitialized)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # libFuzzer's link step and old libstdc++ headers: nothing of ours.
  target_compile_options(hubbub_options INTERFACE -Wno-unused-command-line-argument)
endif()
if(HUBBUB_SANITIZE)
  target_compile_options(hubbub_options INTERFACE -fsanitize=${HUBBUB_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(hubbub_options INTERFACE -fsanitize=${HUBBUB_SANITIZE})
  if(HUBBUB_SANITIZE MATCHES "undefined")
    # vptr: its run-time opens a pipe to look at memory, and so cries wolf when a test uses up the descriptors.
    target_compile_options(hubbub_options INTERFACE -fno-sanitize-recover=undefined -fno-sanitize=vptr)
  endif()
endif()
