// PageAssets: the files of the page at `/`, embedded in the program. The definition is generated from
// hubbub/server/page/ by cmake/embed.cmake; what the files are served with (security headers, caching) is
// decided by who serves them.
#pragma once

#include <span>
#include <string_view>

namespace hubbub {

// One file. All views are of static storage and live as long as the program.
struct PageAsset {
  std::string_view path;          // of the URL: "/" for index.html, else "/NAME"
  std::string_view content_type;  // value of the Content-Type header, with charset
  std::string_view bytes;         // the file as it is
};

// Every file of the page, ordered as the build names them, each path once. Any thread; never empty.
[[nodiscard]] std::span<const PageAsset> page_assets();

}  // namespace hubbub
