#include "hubbub/server/config_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <expected>
#include <memory>
#include <sstream>
#include <tuple>

// Errors as values: a syntax error is expected.
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include "hubbub/server/config_keys.h"

namespace hubbub::conf {
namespace {

constexpr std::size_t kFileBytesMax = 1 << 20;

std::expected<std::string, std::string> read_text(const std::string& path) {
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "rbe"));
  if (!file) return std::unexpected(fmt::format("cannot be read: {}", std::strerror(errno)));
  std::string text(kFileBytesMax + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()))
    return std::unexpected(fmt::format("cannot be read: {}", std::strerror(errno)));
  if (text.size() > kFileBytesMax) return std::unexpected("is larger than 1MiB: this is no configuration");
  return text;
}

int line_of(const toml::node& node) { return static_cast<int>(node.source().begin.line); }

std::string place_of(const std::string& path, int line) { return fmt::format("{}:{}", path, line); }

std::string shown(const toml::node& node) {
  std::ostringstream out;
  node.visit([&out](const auto& value) { out << value; });
  return std::move(out).str();
}

RawValue raw_value(const toml::node& node) {
  using Shape = RawValue::Shape;
  if (const auto* text = node.as_string()) return {Shape::string, text->get(), {}};
  if (const auto* number = node.as_integer()) return {Shape::integer, fmt::format("{}", number->get()), {}};
  if (const auto* number = node.as_floating_point())
    return {Shape::real, fmt::format("{}", number->get()), {}};
  if (const auto* flag = node.as_boolean()) return {Shape::boolean, flag->get() ? "true" : "false", {}};
  RawValue value{Shape::other, shown(node), {}};
  const auto* array = node.as_array();
  // An array with anything but strings in it keeps the shape "other": no key takes one.
  if (!array || !std::ranges::all_of(*array, [](const toml::node& item) { return item.is_string(); }))
    return value;
  value.shape = Shape::array;
  for (const toml::node& item : *array) value.items.push_back(item.as_string()->get());
  return value;
}

bool known_section(std::string_view name) {
  return std::ranges::any_of(config_keys(), [name](const ConfigKey& key) {
    return key.name.size() > name.size() && key.name.starts_with(name) && key.name[name.size()] == '.';
  });
}

void flatten(const toml::table& table, const std::string& prefix, const std::string& path,
             FileContents& out) {
  for (const auto& [name, node] : table) {
    const std::string key = prefix + std::string(name.str());
    if (const auto* section = node.as_table(); section && !section->empty()) {
      flatten(*section, key + ".", path, out);
    } else if (section) {
      if (!known_section(key))
        out.mistakes.push_back({place_of(path, line_of(node)), key, "unknown section"});
    } else {
      out.settings.push_back({key, line_of(node), raw_value(node)});
    }
  }
}

}  // namespace

FileContents parse_config_text(std::string_view text, const std::string& path) {
  FileContents out;
  const toml::parse_result parsed = toml::parse(text, path);
  if (!parsed) {
    const auto& error = parsed.error();
    out.mistakes.push_back({place_of(path, static_cast<int>(error.source().begin.line)), "",
                            fmt::format("not valid TOML: {}", std::string_view(error.description()))});
    return out;
  }
  flatten(parsed.table(), "", path, out);
  // toml++ sorts tables by name; people read mistakes from top to bottom.
  std::ranges::sort(out.settings, {}, [](const FileSetting& s) { return std::tie(s.line, s.key); });
  return out;
}

FileContents read_config_file(const std::string& path) {
  const auto text = read_text(path);
  if (text) return parse_config_text(*text, path);
  FileContents out;
  out.mistakes.push_back({path, "", text.error()});
  return out;
}

}  // namespace hubbub::conf
