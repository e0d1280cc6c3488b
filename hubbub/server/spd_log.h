// SpdLog: the program's log, one line an event, written with spdlog. Text lines are logfmt
//   2026-11-23T10:00:00.123Z INFO connection opened remote=127.0.0.1:5555 connection=7
// and JSON lines are one object each. What comes from a peer can end up in a value, so every control
// character, line separator, text-direction mark and byte that is not UTF-8 is escaped: a value never ends a
// line, forges one, or breaks an object.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <string>

#include "hubbub/base/log.h"

namespace hubbub {

enum class LogFormat : std::uint8_t { text, json };

// Thread-safe: lines of several threads come out whole. Each line is written and flushed before write()
// returns, so a crash loses none; a reader of stderr that stops reading therefore holds the writer up. What
// goes wrong while writing is dropped: a log must not take the server down.
class SpdLog final : public Log {
 public:
  // To stderr.
  SpdLog(LogLevel level, LogFormat format);
  // To a stream that outlives this log: for tests.
  SpdLog(LogLevel level, LogFormat format, std::ostream& out);
  ~SpdLog() override;
  SpdLog(const SpdLog&) = delete;
  SpdLog& operator=(const SpdLog&) = delete;

  void write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) override;
  [[nodiscard]] bool enabled(LogLevel level) const override { return level >= level_; }

 private:
  struct State;
  const LogLevel level_;
  const LogFormat format_;
  std::unique_ptr<State> state_;
};

// The part of a line after its time: "INFO event name=value", and `"level":"info","event":...` without the
// braces.
[[nodiscard]] std::string format_log_text(LogLevel level, std::string_view event,
                                          std::initializer_list<LogField> fields);
[[nodiscard]] std::string format_log_json(LogLevel level, std::string_view event,
                                          std::initializer_list<LogField> fields);

}  // namespace hubbub
