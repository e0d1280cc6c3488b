#include "hubbub/server/spd_log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <sstream>
#include <thread>
#include <vector>

namespace hubbub {
namespace {

std::string text(std::string_view event, std::initializer_list<LogField> fields) {
  return format_log_text(LogLevel::info, event, fields);
}

std::string json(std::string_view event, std::initializer_list<LogField> fields) {
  return format_log_json(LogLevel::info, event, fields);
}

TEST(LogText, writes_plain_values_bare_and_others_in_quotes) {
  EXPECT_EQ(text("connection opened", {{"remote", "127.0.0.1:5555"}, {"connection", 7}}),
            "INFO connection opened remote=127.0.0.1:5555 connection=7");
  EXPECT_EQ(
      text("x", {{"a", "two words"}, {"b", ""}, {"c", "k=v"}, {"d", "say \"hi\""}, {"e", "back\\slash"}}),
      R"(INFO x a="two words" b="" c="k=v" d="say \"hi\"" e="back\\slash")");
  EXPECT_EQ(text("x", {{"yes", true}, {"no", false}, {"rate", 0.5}, {"n", -3}}),
            "INFO x yes=true no=false rate=0.5 n=-3");
}

TEST(LogJson, writes_types_as_json_has_them) {
  EXPECT_EQ(
      json("connection opened",
           {{"remote", "127.0.0.1:5555"}, {"connection", 7}, {"tls", false}, {"s", 1.5}}),
      R"("level":"info","event":"connection opened","remote":"127.0.0.1:5555","connection":7,"tls":false,"s":1.5)");
  EXPECT_EQ(json("x", {{"a", std::numeric_limits<double>::infinity()}}),
            R"("level":"info","event":"x","a":null)");
}

TEST(Log, names_its_levels) {
  EXPECT_EQ(format_log_text(LogLevel::debug, "e", {}), "DEBUG e");
  EXPECT_EQ(format_log_text(LogLevel::warn, "e", {}), "WARN e");
  EXPECT_EQ(format_log_text(LogLevel::error, "e", {}), "ERROR e");
  EXPECT_EQ(format_log_json(LogLevel::warn, "e", {}), R"("level":"warn","event":"e")");
}

TEST(Log, lets_no_value_forge_a_line_or_break_an_object) {
  const std::string hostile = "a\r\n2026-01-01T00:00:00.000Z ERROR forged\t\"},{\x1b[2J";
  EXPECT_EQ(text("x", {{"path", hostile}}),
            R"(INFO x path="a\r\n2026-01-01T00:00:00.000Z ERROR forged\t\"},{\u001b[2J")");
  EXPECT_EQ(
      json("x", {{"path", hostile}}),
      R"("level":"info","event":"x","path":"a\r\n2026-01-01T00:00:00.000Z ERROR forged\t\"},{\u001b[2J")");
}

TEST(Log, escapes_separators_direction_marks_and_second_control_characters) {
  // U+2028, U+202E, U+0085, DEL, U+FEFF
  const std::string_view marks = "\xe2\x80\xa8\xe2\x80\xae\xc2\x85\x7f\xef\xbb\xbf";
  EXPECT_EQ(text("x", {{"v", marks}}), R"(INFO x v="\u2028\u202e\u0085\u007f\ufeff")");
  EXPECT_EQ(json("x", {{"v", marks}}), R"("level":"info","event":"x","v":"\u2028\u202e\u0085\u007f\ufeff")");
  EXPECT_EQ(text("x", {{"v", std::string_view("\0", 1)}}), R"(INFO x v="\u0000")");
}

TEST(Log, keeps_letters_of_every_script) {
  const std::string_view name = "Zo\xc3\xab \xe7\x86\x8a\xe7\x8c\xab \xf0\x9f\x90\xbc";
  EXPECT_EQ(json("x", {{"v", name}}), R"("level":"info","event":"x","v":")" + std::string(name) + '"');
}

TEST(Log, replaces_bytes_that_are_not_utf8) {
  for (const std::string_view bad :
       {"\xff", "\x80", "\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
    const std::string out = json("x", {{"v", bad}});
    EXPECT_TRUE(std::ranges::all_of(out, [](char c) { return c > 0; })) << out;
    EXPECT_NE(out.find("\\ufffd"), std::string::npos) << out;
  }
  EXPECT_EQ(text("x", {{"v", "a\xff"}}), R"(INFO x v="a\xff")");
}

TEST(Log, keeps_events_and_names_in_one_line_too) {
  EXPECT_EQ(text("two\nlines", {{"na me\n", 1}}), R"(INFO two\nlines na_me_=1)");
  EXPECT_EQ(json("two\n\"lines", {{"na\"me", 1}}), R"("level":"info","event":"two\n\"lines","na_me":1)");
}

TEST(Log, cuts_long_values_and_never_inside_a_character) {
  const std::string fits(512, 'x');
  EXPECT_EQ(text("x", {{"v", fits}, {"w", 1}}), "INFO x v=" + fits + " w=1");
  EXPECT_EQ(text("x", {{"v", fits + 'y'}, {"w", 1}}), "INFO x v=" + fits + "... w=1");
  EXPECT_EQ(json("x", {{"v", fits + 'y'}}), R"("level":"info","event":"x","v":")" + fits + R"(...")");
  const std::string panda = "\xf0\x9f\x90\xbc";
  for (std::size_t over = 1; over < panda.size(); ++over) {
    const std::string ahead(512 - panda.size() + over, 'x');  // the character ends behind the bound
    EXPECT_EQ(json("x", {{"v", ahead + panda + panda}}),
              R"("level":"info","event":"x","v":")" + ahead + R"(...")");
    EXPECT_EQ(text("x", {{"v", ahead + panda + panda}}), "INFO x v=" + ahead + "...");
  }
  EXPECT_LT(json("x", {{"v", std::string(1'000'000, '\x80')}}).size(), 4096u) << "not even what is not UTF-8";
}

// `lines` with every digit of a time stamp as '0'; what else stands there stays.
std::string with_zero_times(std::string lines) {
  constexpr std::string_view kZero = "0000-00-00T00:00:00.000Z";
  for (std::size_t at = 0; at + kZero.size() <= lines.size(); ++at) {
    std::string part = lines.substr(at, kZero.size());
    std::ranges::replace_if(part, [](char c) { return c >= '0' && c <= '9'; }, '0');
    if (part == kZero) lines.replace(at, kZero.size(), kZero);
  }
  return lines;
}

TEST(SpdLog, begins_each_line_with_utc_time_to_the_millisecond) {
  std::ostringstream out;
  SpdLog(LogLevel::info, LogFormat::text, out).info("started", {{"port", 1}});
  EXPECT_EQ(with_zero_times(out.str()), "0000-00-00T00:00:00.000Z INFO started port=1\n");
}

TEST(SpdLog, writes_one_json_object_a_line) {
  std::ostringstream out;
  SpdLog log(LogLevel::info, LogFormat::json, out);
  log.info("started", {{"port", 1}});
  log.error("percent %v {} signs", {{"v", "%n{0}"}});
  EXPECT_EQ(with_zero_times(out.str()),
            R"({"time":"0000-00-00T00:00:00.000Z","level":"info","event":"started","port":1})"
            "\n"
            R"({"time":"0000-00-00T00:00:00.000Z","level":"error","event":"percent %v {} signs","v":"%n{0}"})"
            "\n");
}

TEST(SpdLog, leaves_out_what_is_below_its_level) {
  std::ostringstream out;
  SpdLog log(LogLevel::warn, LogFormat::text, out);
  EXPECT_FALSE(log.enabled(LogLevel::info));
  EXPECT_TRUE(log.enabled(LogLevel::warn));
  log.write(LogLevel::info, "quiet", {});
  log.debug("quiet");
  EXPECT_EQ(out.str(), "");
  log.warn("loud");
  EXPECT_TRUE(out.str().ends_with(" WARN loud\n"));
}

TEST(SpdLog, keeps_lines_of_several_threads_whole) {
  constexpr int kLines = 200;
  std::ostringstream out;
  SpdLog log(LogLevel::info, LogFormat::text, out);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&log] {
        for (int n = 0; n < kLines; ++n) log.info("line", {{"value", "with some words"}});
      });
  }
  std::istringstream lines(out.str());
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count)
    ASSERT_TRUE(line.ends_with(" INFO line value=\"with some words\"")) << line;
  EXPECT_EQ(count, 4 * kLines);
}

}  // namespace
}  // namespace hubbub
