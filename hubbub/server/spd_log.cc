#include "hubbub/server/spd_log.h"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "hubbub/wire/utf8.h"

namespace hubbub {
namespace {

constexpr std::array<std::string_view, 4> kNames{"debug", "info", "warn", "error"};
constexpr std::array<std::string_view, 4> kUpperNames{"DEBUG", "INFO", "WARN", "ERROR"};

// A value from a peer (an Origin, a method's name) is cut to this: a log line is not a place to fill disks
// from.
constexpr std::size_t kValueBytesMax = 512;

std::size_t index_of(LogLevel level) { return static_cast<std::size_t>(level); }

spdlog::level::level_enum spd_level(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warn:
      return spdlog::level::warn;
    case LogLevel::error:
      break;
  }
  return spdlog::level::err;
}

// One character of a text: its code point and how many bytes it took; ok is false for a byte that is not
// UTF-8.
struct Character {
  char32_t code = 0;
  std::size_t size = 1;
  bool ok = false;
};

// RFC 3629, strict: no overlong forms, no surrogates, nothing above U+10FFFF.
Character next_character(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return {first, 1, true};
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return {first, 1, false};
  char32_t code = first & (0xffu >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xc0) != 0x80) return {first, 1, false};
    code = (code << 6) | (byte & 0x3fu);
  }
  const bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  if (overlong || surrogate || code > 0x10ffff) return {first, 1, false};
  return {code, size, true};
}

// Characters that move the cursor, end a line or turn text around: C0, DEL, C1, line separators, direction
// marks.
bool is_harmful(char32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x200e && code <= 0x200f) ||
         (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

// Appends `text` so that it can stand between double quotes, in a text line and in JSON alike. A byte that is
// not UTF-8 becomes U+FFFD in JSON, which has no way to write it, and \xNN in text.
void append_escaped(std::string& out, std::string_view text, LogFormat format) {
  const auto is_printable = [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; };
  if (std::ranges::all_of(text, is_printable)) {
    out += text;
    return;
  }
  while (!text.empty()) {
    const Character c = next_character(text);
    if (!c.ok) {
      out += format == LogFormat::json ? std::string("\\ufffd")
                                       : fmt::format("\\x{:02x}", static_cast<unsigned>(c.code));
    } else if (c.code == '"' || c.code == '\\') {
      out += '\\';
      out += text[0];
    } else if (c.code == '\n') {
      out += "\\n";
    } else if (c.code == '\r') {
      out += "\\r";
    } else if (c.code == '\t') {
      out += "\\t";
    } else if (is_harmful(c.code)) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c.code));
    } else {
      out += text.substr(0, c.size);
    }
    text.remove_prefix(c.size);
  }
}

// A logfmt value that is read as one word needs no quotes.
bool is_plain(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return c > ' ' && c <= '~' && c != '"' && c != '\\' && c != '=';
  });
}

// Names come from our own code; should one be built from data, it still cannot break a line.
void append_name(std::string& out, std::string_view name) {
  for (const char c : name) {
    const bool fine =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
    out += fine ? c : '_';
  }
}

void append_quoted(std::string& out, std::string_view text, LogFormat format) {
  out += '"';
  append_escaped(out, text, format);
  out += '"';
}

struct ValueWriter {
  std::string& out;
  LogFormat format;

  void operator()(std::string_view whole) const {
    std::string_view text = wire::utf8_prefix(whole, kValueBytesMax);
    std::string cut;
    if (text.size() < whole.size()) text = cut = std::string(text) + "...";
    if (format == LogFormat::text && is_plain(text)) {
      out += text;
    } else {
      append_quoted(out, text, format);
    }
  }
  void operator()(std::int64_t number) const { out += fmt::format_int(number).c_str(); }
  // JSON has no infinity and no NaN (RFC 8259 section 6).
  void operator()(double number) const { out += std::isfinite(number) ? fmt::format("{}", number) : "null"; }
  void operator()(bool flag) const { out += flag ? "true" : "false"; }
};

}  // namespace

struct SpdLog::State {
  State(spdlog::sink_ptr sink, LogFormat format) : logger("hubbub", std::move(sink)) {
    const char* const pattern =
        format == LogFormat::json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ",%v})" : "%Y-%m-%dT%H:%M:%S.%eZ %v";
    logger.set_formatter(std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc,
                                                                     std::string("\n")));
    logger.set_level(spdlog::level::trace);  // enabled() has already decided
    logger.flush_on(spdlog::level::trace);
    logger.set_error_handler([](const std::string&) {});
  }
  spdlog::logger logger;
};

SpdLog::SpdLog(LogLevel level, LogFormat format)
    : level_(level),
      format_(format),
      state_(std::make_unique<State>(std::make_shared<spdlog::sinks::stderr_sink_mt>(), format)) {}

SpdLog::SpdLog(LogLevel level, LogFormat format, std::ostream& out)
    : level_(level),
      format_(format),
      state_(std::make_unique<State>(std::make_shared<spdlog::sinks::ostream_sink_mt>(out), format)) {}

SpdLog::~SpdLog() = default;

void SpdLog::write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  if (!enabled(level)) return;
  const std::string line = format_ == LogFormat::json ? format_log_json(level, event, fields)
                                                      : format_log_text(level, event, fields);
  state_->logger.log(spd_level(level), spdlog::string_view_t(line.data(), line.size()));
}

std::string format_log_text(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  std::string out(kUpperNames[index_of(level)]);
  out += ' ';
  append_escaped(out, event, LogFormat::text);
  for (const LogField& field : fields) {
    out += ' ';
    append_name(out, field.name);
    out += '=';
    std::visit(ValueWriter{out, LogFormat::text}, field.value);
  }
  return out;
}

std::string format_log_json(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  std::string out = fmt::format(R"("level":"{}","event":)", kNames[index_of(level)]);
  append_quoted(out, event, LogFormat::json);
  for (const LogField& field : fields) {
    out += ",\"";
    append_name(out, field.name);
    out += "\":";
    std::visit(ValueWriter{out, LogFormat::json}, field.value);
  }
  return out;
}

}  // namespace hubbub
