#include "hubbub/server/bench_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <utility>

#include "hubbub/load/text_argument.h"
#include "hubbub/server/config_value.h"

namespace hubbub {
namespace {

constexpr const char* kFooter =
    "Modes:\n"
    "  echo          every connection sends, every message is answered\n"
    "  fan-out       publishers publish, every subscriber gets everything\n"
    "  idle          connections that do nothing: memory and CPU\n"
    "  connect       how fast connections (and sessions) open\n"
    "  slow-readers  fan-out without and then with subscribers that stop reading\n"
    "  resume        all sessions lose their connections at once and come back\n\n"
    "In texts: {n} number, 8 digits, must come back · {t} time in us · {i} connection, 6 digits · {pad} "
    "filler up "
    "to --bytes\n· @FILE reads the text from FILE.\n\n"
    "Examples:\n"
    "  hubbub bench echo --in-flight 16 --pid $(pidof hubbub)\n"
    "  hubbub bench fan-out --connections 1000 --rate 200 --duration 30s\n"
    "  hubbub bench echo --dialect raw --url ws://127.0.0.1:9001/ --payload '{n} hello {pad}' --bytes 200\n"
    "  hubbub bench fan-out --dialect raw --subscribe '{\"sub\":\"x\"}' --publish "
    "'{\"pub\":\"x\",\"data\":{n}}'\n\n"
    "Exit code: 0 if everything came and was right, 1 if not.   Manual: docs/bench.md";

void add_target_options(CLI::App& bench, BenchArguments& arguments) {
  load::Options& options = arguments.options;
  bench.add_option("--url", options.url_text, "The server [ws://127.0.0.1:8080/ws]")->type_name("URL");
  bench.add_option("--publish-url", options.publish_url_text, "fan-out: publishers connect here instead")
      ->type_name("URL");
  bench.add_option("--header", options.upgrade.headers, "Sent with every upgrade; may be repeated")
      ->type_name("'K: V'")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  bench
      .add_option("--subprotocol", options.upgrade.subprotocol,
                  "WebSocket subprotocol; hubbub.v1 opens sessions")
      ->type_name("NAME");
  bench.add_flag("--deflate", options.upgrade.deflate, "Ask for permessage-deflate, without context");
  bench
      .add_option_function<std::string>(
          "--dialect",
          [&options](const std::string& name) {
            options.dialect = name == "raw" ? load::Dialect::raw : load::Dialect::hubbub;
          },
          "hubbub: sessions, echo, topics; raw: any server [hubbub]")
      ->check(CLI::IsMember({"hubbub", "raw"}));
}

void add_text_options(CLI::App& bench, BenchArguments& arguments) {
  load::Options& options = arguments.options;
  bench.add_option("--hello", options.hello, "Every connection says this after the upgrade; may be repeated")
      ->type_name("TEXT")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  bench
      .add_option("--hello-reply", options.hello_reply,
                  "Nothing else is said before a message with TEXT has come")
      ->type_name("TEXT");
  bench
      .add_option("--subscribe-reply", options.subscribe_reply,
                  "Subscribers are ready once a message with TEXT has come")
      ->type_name("TEXT");
  bench.add_option("--subscribe", arguments.subscribe, "Subscribers say this")->type_name("TEXT");
  bench.add_option("--publish", arguments.publish, "The publishers' message")->type_name("TEXT");
  bench.add_option("--payload", arguments.payload, "echo's message")->type_name("TEXT");
  bench.add_option("--expect", options.expect, "Only messages that contain this count")->type_name("TEXT");
  bench.add_flag("--escapes", arguments.escapes, "\\r \\n \\t \\0 \\\\ \\xHH in texts stand for the byte");
  bench.add_flag("--binary", options.binary, "Send binary messages");
  bench.add_flag("--stream", options.stream, "A received message may hold several, or a part of one");
  bench.add_option("--bytes", arguments.bytes, "Size of the payload: 100, 1KiB")->type_name("SIZE");
  bench.add_option("--ack-every", options.ack_every, "hubbub: session.ack after so many messages [0: never]")
      ->type_name("N");
}

void add_amount_options(CLI::App& bench, BenchArguments& arguments) {
  load::Options& options = arguments.options;
  bench.add_option("--connections", options.connections, "Callers, subscribers, sessions [1000; echo: 100]")
      ->check(CLI::Range(1, 1'000'000))
      ->type_name("N");
  bench.add_option("--publishers", options.publishers, "fan-out, slow-readers [1]")
      ->check(CLI::Range(1, 1000))
      ->type_name("N");
  bench
      .add_option("--in-flight", options.in_flight,
                  "Unanswered at a time: of each connection or publisher [1]; handshakes [64]")
      ->check(CLI::Range(1, 65'536))
      ->type_name("K");
  bench.add_option("--rate", options.rate, "Open loop: so many a second, latency from the scheduled time")
      ->check(CLI::Range(0.001, 1e8))
      ->type_name("R");
  bench.add_option("--duration", arguments.duration, "What is measured [10s]")->type_name("TIME");
  bench.add_option("--warmup", arguments.warmup, "Load before that [1s]")->type_name("TIME");
  bench.add_option("--timeout", arguments.timeout, "Nothing coming for so long is a failure [10s]")
      ->type_name("TIME");
  bench
      .add_option("--messages", options.messages,
                  "End after so many, too; resume: missed by each session [1]")
      ->type_name("N");
  bench.add_option("--stalled", options.stalled, "slow-readers: how many stop reading [100]")
      ->check(CLI::Range(1, 1'000'000))
      ->type_name("M");
  bench.add_flag("--close", options.close, "connect: close each connection once it is open");
  bench.add_flag("--call", options.call, "idle: one call on each connection before");
}

// "--duration 10": the option, its value and the rest of the sentence.
load::Outcome<void> bad(std::string_view option, std::string_view value, std::string_view why) {
  return load::Failure(fmt::format("{} {}: {}", option, value, why));
}

load::Outcome<void> read_times(const BenchArguments& arguments, load::Options& options) {
  for (const auto& [name, text, seconds] :
       {std::tuple("--duration", &arguments.duration, &options.duration_s),
        {"--warmup", &arguments.warmup, &options.warmup_s},
        {"--timeout", &arguments.timeout, &options.timeout_s}}) {
    if (text->empty()) continue;
    const auto ms = conf::parse_duration(*text);
    if (!ms) return bad(name, *text, ms.error());
    *seconds = static_cast<double>(*ms) / 1000;
  }
  if (options.duration_s <= 0) return bad("--duration", arguments.duration, "must be above 0");
  if (options.timeout_s <= 0) return bad("--timeout", arguments.timeout, "must be above 0");
  return {};
}

load::Outcome<void> read_texts(const CLI::App& app, const BenchArguments& arguments, load::Options& options) {
  for (const auto& [name, text, out] : {std::tuple("--subscribe", &arguments.subscribe, &options.subscribe),
                                        {"--publish", &arguments.publish, &options.publish},
                                        {"--payload", &arguments.payload, &options.payload}}) {
    if (app.count(name) == 0) continue;
    auto read = load::read_text(*text, arguments.escapes);
    if (!read) return bad(name, *text, read.error());
    *out = std::move(*read);
  }
  for (std::string& text : options.hello) {
    auto read = load::read_text(text, arguments.escapes);
    if (!read) return bad("--hello", text, read.error());
    text = std::move(*read);
  }
  return {};
}

load::Outcome<void> read_bytes(const BenchArguments& arguments, load::Options& options) {
  constexpr std::int64_t kBytesMax = 16 * 1024 * 1024;
  if (arguments.bytes.empty()) return {};
  const auto bytes = conf::parse_bytes(arguments.bytes);
  if (!bytes) return bad("--bytes", arguments.bytes, bytes.error());
  if (*bytes < 8 || *bytes > kBytesMax) return bad("--bytes", arguments.bytes, "must be 8..16MiB");
  options.bytes = static_cast<std::size_t>(*bytes);
  return {};
}

}  // namespace

void add_bench(CLI::App& app, BenchArguments& arguments) {
  CLI::App* const bench =
      app.add_subcommand("bench", "Load generator for WebSocket servers: rates, latencies, CPU");
  bench->add_option("mode", arguments.mode, "echo, fan-out, idle, connect, slow-readers or resume")
      ->required()
      ->check(CLI::IsMember({"echo", "fan-out", "idle", "connect", "slow-readers", "resume"}))
      ->type_name("MODE");
  add_target_options(*bench, arguments);
  add_text_options(*bench, arguments);
  add_amount_options(*bench, arguments);
  bench
      ->add_option("--pid", arguments.options.pids, "Server process, for its CPU and memory; may be repeated")
      ->type_name("PID")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  bench->add_flag("--json", arguments.options.json, "One JSON object on stdout");
  bench->add_flag("--quiet", arguments.options.quiet, "No progress on the terminal");
  bench->footer(kFooter);
}

load::Outcome<load::Options> read_bench(const CLI::App& app, BenchArguments arguments) {
  load::Options options = std::move(arguments.options);
  options.mode = *load::mode_of(arguments.mode);
  for (const auto& read : {read_times(arguments, options), read_texts(app, arguments, options),
                           read_bytes(arguments, options)}) {
    if (!read) return load::Failure(read.error());
  }
  return load::complete(std::move(options));
}

}  // namespace hubbub
