// Configuration for people: the effective values as TOML, and the reference of all keys.
#include <fmt/format.h>

#include <algorithm>

#include "hubbub/server/config.h"
#include "hubbub/server/config_keys.h"

namespace hubbub {

using namespace conf;  // keys, values and the file: the parts of configuration

namespace {

constexpr std::size_t kTerminalColumns = 100;

std::string_view section_of(const ConfigKey& key) {
  return std::string_view(key.name).substr(0, key.name.find('.'));
}

std::string_view name_in_section(const ConfigKey& key) {
  return std::string_view(key.name).substr(key.name.find('.') + 1);
}

// A TOML basic string. No valid value holds a control character.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string toml_list(std::string_view text) {
  std::string out = "[";
  for (const std::string& item : split_list(text)) out += (out.size() > 1 ? ", " : "") + quoted(item);
  return out + "]";
}

std::string toml_value(const ConfigKey& key, const Config& config) {
  const std::string text = key.get(config);
  switch (key.type) {
    case ValueType::count:
    case ValueType::rate:
    case ValueType::flag:
      return text;
    case ValueType::list:
      return toml_list(text);
    default:
      return quoted(text);
  }
}

// The sections in the order of the table, each once, although the table's rows of one section may stand
// apart.
std::vector<std::string_view> sections() {
  std::vector<std::string_view> out;
  for (const ConfigKey& key : config_keys())
    if (std::ranges::find(out, section_of(key)) == out.end()) out.push_back(section_of(key));
  return out;
}

std::string markdown_row(const ConfigKey& key) {
  const std::string value = key.get(Config{});
  const std::string metric = key.metric.empty() ? "" : fmt::format("`{}`", key.metric);
  const std::string shown = value.empty() ? "empty" : fmt::format("`{}`", value);
  return fmt::format("| `{}` | {} | {} | {} | {} | {} |\n", key.name, type_name(key.type), shown, key.values,
                     key.help, metric);
}

constexpr std::string_view kMarkdownHead = R"(# Configuration

<!-- Made by `hubbub keys --markdown`; a test compares the two. -->

Configuration comes from four places. Later ones win:

1. the defaults below
2. a TOML file: `hubbub serve --config hubbub.toml`
3. environment variables: the key in upper case, dots as underscores, after `HUBBUB_`
4. flags: `--set KEY=VALUE`, any number of times, then `--listen`, `--log-level` and `--log-format`

The same setting three times:

```toml
[limits]
message_bytes = "1MiB"
```
```sh
HUBBUB_LIMITS_MESSAGE_BYTES=1MiB hubbub serve
hubbub serve --set limits.message_bytes=1MiB
```

`hubbub check-config FILE` reads all of it as `serve` does and reports every mistake at once, each with its place;
`--print` shows the configuration that results. Both exit with 78 when something is wrong. Everything is read once, at
start: to change a value, restart.

## Values

| type | in flags and environment | in TOML |
| --- | --- | --- |
| duration | `500ms`, `25s`, `2m`, `1h`; only `0` needs no unit | the same in quotes |
| size | `64KiB`, `16MiB`, `2GiB` (powers of 1024), `64KB`, `16MB` (powers of 1000), `1000` (bytes) | the same in quotes, or an integer |
| integer, number | `50`, `0.5` | the same without quotes |
| boolean | `true`, `false` | the same without quotes |
| list | `a,b`; nothing for an empty list | `["a", "b"]`, or `"a,b"` |
| text | as it is | in quotes |

An unknown key is a mistake, and so is an unknown variable that begins with `HUBBUB_`. Not looked at are variables that
others set: `HUBBUB_SERVICE_*`, `HUBBUB_PORT` and `HUBBUB_PORT_*` (orchestrators, for a service called hubbub), `HUBBUB_BIN`
and `HUBBUB_TEST_*` (scripts around the program).

## Protected mode

While `access.allow` is empty the hub is in protected mode: it listens on loopback addresses only, every method may be
called, and of web pages only those of this machine (and of `access.origins`) may connect. To listen elsewhere, say what
clients may do:

```toml
[server]
listen = "0.0.0.0:8080"

[access]
allow = ["session.*", "topic.*", "ping", "echo"]
origins = ["https://app.example.com"]
```

`hub.broadcast` and `hub.stats` are privileged: list them, or `hub.*`, or `*`, only where every client may use them. A
program that is no browser sends no `Origin` and is not held by `access.origins`.

## Heartbeat

The default is a ping every 25 s and 10 s for the pong. For a ping every 54 s against a pong wait of 60 s:
`heartbeat.ping=54s`, `heartbeat.pong=6s`.

## Replay

`replay.*` bounds what is kept of one session for its next resume: messages that were sent and are not acknowledged, and
while it is detached also those that wait for it. A session that is quiet and acknowledges keeps nothing. The most one
session can hold of others' messages is `replay.bytes` + `outbox.hard_bytes`.

## Keys

The last column is the label of the metric that counts how often the bound was hit:
`hubbub_limit_hits_total{limit="..."}`.
)";

// `text` broken at blanks, each line after the first behind `indent` blanks.
std::string wrapped(std::string_view text, std::size_t indent) {
  std::string out;
  std::size_t column = indent;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (column > indent && column + 1 + word.size() > kTerminalColumns) {
      out += '\n' + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
  }
  return out;
}

}  // namespace

std::string describe_config(const Config& config) {
  std::string out;
  for (const std::string_view section : sections()) {
    out += fmt::format("{}[{}]\n", out.empty() ? "" : "\n", section);
    for (const ConfigKey& key : config_keys())
      if (section_of(key) == section)
        out += fmt::format("{} = {}\n", name_in_section(key), toml_value(key, config));
  }
  return out;
}

std::string config_reference_markdown() {
  std::string out(kMarkdownHead);
  for (const std::string_view section : sections()) {
    out += fmt::format(
        "\n### {}\n\n| key | type | default | values | meaning | metric |\n| --- | --- | --- | --- | --- | "
        "--- |\n",
        section);
    for (const ConfigKey& key : config_keys())
      if (section_of(key) == section) out += markdown_row(key);
  }
  return out;
}

std::string config_reference_text() {
  std::string out =
      "Configuration keys, with their defaults. In a TOML file the first part is the section; the "
      "environment variable\n"
      "is HUBBUB_ and the key in upper case with underscores; the flag is --set KEY=VALUE.\n";
  for (const std::string_view section : sections()) {
    out += '\n';
    for (const ConfigKey& key : config_keys()) {
      if (section_of(key) != section) continue;
      out += fmt::format("{} = {}\n    {}\n", key.name, key.get(Config{}),
                         wrapped(fmt::format("{} ({}: {})", key.help, type_name(key.type), key.values), 4));
    }
  }
  return out;
}

}  // namespace hubbub
