// Log: structured lines, one event each, as name=value fields. The seam is here so that core and net can
// speak; server/ writes them with spdlog as text or JSON. Tokens and message bodies never go into a field.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <type_traits>
#include <variant>

namespace hubbub {

enum class LogLevel : std::uint8_t { debug, info, warn, error };

struct LogField {
  std::string_view name;  // snake_case
  std::variant<std::string_view, std::int64_t, double, bool> value;

  LogField(std::string_view n, std::string_view v) : name(n), value(v) {}
  LogField(std::string_view n, const char* v) : name(n), value(std::string_view(v)) {}
  LogField(std::string_view n, bool v) : name(n), value(v) {}
  LogField(std::string_view n, double v) : name(n), value(v) {}
  template <class Integer>
    requires std::is_integral_v<Integer>
  LogField(std::string_view n, Integer v) : name(n), value(static_cast<std::int64_t>(v)) {}
};

class Log {
 public:
  virtual ~Log() = default;
  // Called from any thread; must not block on a slow sink for long. `event` is a short lower-case phrase.
  virtual void write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) = 0;
  [[nodiscard]] virtual bool enabled(LogLevel level) const = 0;

  void debug(std::string_view event, std::initializer_list<LogField> fields = {}) {
    if (enabled(LogLevel::debug)) write(LogLevel::debug, event, fields);
  }
  void info(std::string_view event, std::initializer_list<LogField> fields = {}) {
    if (enabled(LogLevel::info)) write(LogLevel::info, event, fields);
  }
  void warn(std::string_view event, std::initializer_list<LogField> fields = {}) {
    if (enabled(LogLevel::warn)) write(LogLevel::warn, event, fields);
  }
  void error(std::string_view event, std::initializer_list<LogField> fields = {}) {
    if (enabled(LogLevel::error)) write(LogLevel::error, event, fields);
  }
};

// Says nothing: for tests and for libraries that embed the hub silently.
class NullLog final : public Log {
 public:
  void write(LogLevel, std::string_view, std::initializer_list<LogField>) override {}
  [[nodiscard]] bool enabled(LogLevel) const override { return false; }
};

}  // namespace hubbub
