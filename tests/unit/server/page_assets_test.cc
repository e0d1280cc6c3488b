#include "hubbub/server/page_assets.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace hubbub {
namespace {

const PageAsset* find(std::string_view path) {
  const auto assets = page_assets();
  const auto found = std::ranges::find(assets, path, &PageAsset::path);
  return found == assets.end() ? nullptr : &*found;
}

TEST(PageAssets, each_path_stands_once_and_begins_with_a_slash) {
  std::set<std::string_view> paths;
  for (const PageAsset& asset : page_assets()) {
    EXPECT_TRUE(asset.path.starts_with('/'));
    EXPECT_TRUE(paths.insert(asset.path).second) << asset.path;
    EXPECT_FALSE(asset.bytes.empty()) << asset.path;
  }
}

TEST(PageAssets, content_types_fit_the_files) {
  for (const PageAsset& asset : page_assets()) {
    const std::string_view type = asset.path == "/"              ? "text/html; charset=utf-8"
                                  : asset.path.ends_with(".css") ? "text/css; charset=utf-8"
                                                                 : "text/javascript; charset=utf-8";
    EXPECT_EQ(asset.content_type, type) << asset.path;
  }
}

// The page's policy allows nothing from elsewhere, so what it names must be here.
TEST(PageAssets, every_file_the_page_and_its_modules_name_is_embedded) {
  ASSERT_NE(find("/"), nullptr);
  for (const PageAsset& asset : page_assets())
    for (const std::string_view before : {"src=\"", "href=\"", "from \"", "import \""})
      for (std::size_t at = asset.bytes.find(before); at != asset.bytes.npos;
           at = asset.bytes.find(before, at + 1)) {
        const std::size_t from = at + before.size();
        std::string path(asset.bytes.substr(from, asset.bytes.find('"', from) - from));
        if (path.starts_with('#') || path.starts_with("data:") || path.starts_with("http")) continue;
        if (path.starts_with("./")) path.erase(0, 1);
        if (!path.starts_with('/')) path.insert(0, 1, '/');
        EXPECT_TRUE(find(path) || path == "/metrics" || path == "/healthz" || path == "/readyz")
            << asset.path << " names " << path;
      }
}

TEST(PageAssets, the_page_has_no_inline_script_or_style) {
  const std::string_view page = find("/")->bytes;
  EXPECT_EQ(page.find("<style"), page.npos);
  EXPECT_EQ(page.find(" style="), page.npos);
  EXPECT_EQ(page.find(" onclick="), page.npos);
  for (std::size_t at = page.find("<script"); at != page.npos; at = page.find("<script", at + 1))
    EXPECT_NE(page.substr(at, page.find('>', at) - at).find("src="), page.npos);
}

}  // namespace
}  // namespace hubbub
