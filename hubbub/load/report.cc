#include "hubbub/load/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace hubbub::load {
namespace {

double us(double ns) { return ns / 1000; }
double quantile_us(const Histogram& latency, double fraction) {
  return us(static_cast<double>(latency.quantile(fraction)));
}

std::string or_null(const std::optional<double>& value) {
  return value ? fmt::format("{:.4f}", *value) : std::string("null");
}

// A JSON string. Bytes that are no ASCII pass as they are: server texts are UTF-8, or were cut.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string latency_json(const Histogram& latency) {
  return fmt::format(
      R"({{"mean":{:.2f},"p50":{:.2f},"p90":{:.2f},"p99":{:.2f},"p99_9":{:.2f},"max":{:.2f}}})",
      us(latency.mean()), quantile_us(latency, 0.5), quantile_us(latency, 0.9), quantile_us(latency, 0.99),
      quantile_us(latency, 0.999), us(static_cast<double>(latency.max())));
}

std::string parameters_json(const Options& options) {
  const std::string bytes = options.bytes ? fmt::format("{}", *options.bytes) : std::string("null");
  return fmt::format(
      R"({{"connections":{},"publishers":{},"in_flight":{},"rate":{},"bytes":{},"deflate":{},"subprotocol":{},)"
      R"("duration_s":{},"warmup_s":{},"stalled":{}}})",
      options.connections, options.publishers, options.in_flight,
      options.rate > 0 ? fmt::format("{}", options.rate) : std::string("null"), bytes,
      options.upgrade.deflate, quoted(options.upgrade.subprotocol), options.duration_s, options.warmup_s,
      options.stalled);
}

double rss_per_connection(const Options& options, const Report& report) {
  return (static_cast<double>(report.rss_open) - static_cast<double>(report.rss_before)) /
         static_cast<double>(options.connections);
}

std::string server_json(const Options& options, const Report& report) {
  std::string rss = R"("rss_bytes":null,"rss_before_bytes":null,"rss_per_connection":null)";
  if (!options.pids.empty()) {
    rss = fmt::format(R"("rss_bytes":{},"rss_before_bytes":{},"rss_per_connection":{:.0f})", report.rss_open,
                      report.rss_before, rss_per_connection(options, report));
  }
  return fmt::format(R"({{"cpu_us_per_message":{},"cpu_share":{},{}}})", or_null(report.window.server_us),
                     or_null(report.window.server_share), rss);
}

double p99_ratio(const Report& report) {
  const double before = quantile_us(report.slow_readers->baseline.latency, 0.99);
  return before > 0 ? quantile_us(report.window.latency, 0.99) / before : 0;
}

std::uint64_t rss_max(const Report& report) {
  std::uint64_t most = 0;
  for (const RssSample& sample : report.slow_readers->rss) most = std::max(most, sample.bytes);
  return most;
}

std::string slow_readers_json(const Options& options, const Report& report) {
  const SlowReaders& slow = *report.slow_readers;
  std::string samples;
  for (const RssSample& sample : slow.rss) {
    samples += fmt::format(R"({}{{"s":{:.2f},"bytes":{}}})", samples.empty() ? "" : ",", sample.seconds,
                           sample.bytes);
  }
  return fmt::format(
      R"(,"baseline":{{"messages_per_s":{:.0f},"cpu_us_per_message":{},"latency_us":{}}},"p99_ratio":{:.3f},)"
      R"("stalled":{{"connections":{},"closed_by_server":{}}},"rss":[{}],"rss_max_bytes":{})",
      slow.baseline.per_s(), or_null(slow.baseline.server_us), latency_json(slow.baseline.latency),
      p99_ratio(report), options.stalled, slow.ended, samples,
      options.pids.empty() ? "null" : fmt::format("{}", rss_max(report)));
}

std::string_view unit(Mode mode) {
  switch (mode) {
    case Mode::echo:
      return "echo";
    case Mode::idle:
    case Mode::connect:
      return "connection";
    case Mode::resume:
      return "resume";
    case Mode::fan_out:
    case Mode::slow_readers:
      break;
  }
  return "delivery";
}

std::string headline(const Options& options) {
  std::string out = fmt::format("{}: {} connections", mode_name(options.mode), options.connections);
  const bool publishes = options.mode == Mode::fan_out || options.mode == Mode::slow_readers;
  if (publishes)
    out += fmt::format(", {} publisher{}", options.publishers, options.publishers == 1 ? "" : "s");
  if (options.rate > 0) {
    out += fmt::format(", {}/s (open loop)", options.rate);
  } else if (options.mode != Mode::idle) {
    out += fmt::format(", {} in flight", options.in_flight);
  }
  return out + "\n";
}

std::string latency_line(std::string_view name, const Histogram& latency) {
  return fmt::format("{:<14} p50 {:.1f}  p90 {:.1f}  p99 {:.1f}  p99.9 {:.1f}  max {:.1f} us\n", name,
                     quantile_us(latency, 0.5), quantile_us(latency, 0.9), quantile_us(latency, 0.99),
                     quantile_us(latency, 0.999), us(static_cast<double>(latency.max())));
}

std::string server_lines(const Options& options, const Report& report) {
  std::string out;
  if (report.window.server_share) {
    out += fmt::format("{:<14} {:.1f} % of a core", "server CPU", *report.window.server_share * 100);
    if (report.window.server_us) {
      out += fmt::format(", {:.3f} us per {}", *report.window.server_us, unit(options.mode));
    }
    out +=
        fmt::format("\n{:<14} {:.1f} MiB with all open, {:.1f} before: {:.0f} bytes a connection\n",
                    "server memory", static_cast<double>(report.rss_open) / (1 << 20),
                    static_cast<double>(report.rss_before) / (1 << 20), rss_per_connection(options, report));
  }
  return out;
}

std::string mode_lines(const Options& options, const Report& report) {
  if (report.resumed) {
    return fmt::format("{:<14} all back after {:.1f} ms; {} missed, {} twice, {} refused\n", "resume",
                       report.resumed->all_back_ms, report.resumed->missed, report.resumed->twice,
                       report.resumed->refused);
  }
  if (!report.slow_readers) return {};
  return latency_line("without stalled", report.slow_readers->baseline.latency) +
         fmt::format("{:<14} {} stopped reading, the server closed {}; p99 of the others x {:.2f}\n",
                     "stalled", options.stalled, report.slow_readers->ended, p99_ratio(report)) +
         (options.pids.empty() ? std::string()
                               : fmt::format("{:<14} {:.1f} MiB at most\n", "server memory",
                                             static_cast<double>(rss_max(report)) / (1 << 20)));
}

}  // namespace

std::string report_text(const Options& options, const Report& report) {
  const Window& window = report.window;
  std::string out = headline(options);
  if (options.mode != Mode::idle) {
    out += fmt::format("{:<14} {} in {:.2f} s, {:.0f}/s\n", "done", window.messages, window.seconds,
                       window.per_s());
  }
  out += server_lines(options, report);
  if (window.latency.count() > 0) out += latency_line("latency", window.latency);
  out += mode_lines(options, report);
  out += fmt::format("{:<14} {:.1f} % of a core, lag {:.0f} us\n", "generator", window.own_share * 100,
                     window.lag_us);
  return out;
}

std::string report_json(const Options& options, const Report& report) {
  const Window& window = report.window;
  std::string out = fmt::format(
      R"({{"mode":"{}","dialect":"{}","url":{},"parameters":{},"connections":{},"messages":{},"seconds":{:.4f},)"
      R"("messages_per_s":{:.0f},"server":{},"latency_us":{},"errors":{},"error":{},)"
      R"("generator":{{"cpu_share":{:.4f},"cpu_us_per_message":{:.4f},"wait_share":{:.4f},"bound":{},"lag_us":{:.1f}}})",
      mode_name(options.mode), options.dialect == Dialect::raw ? "raw" : "hubbub", quoted(options.url_text),
      parameters_json(options), options.connections, window.messages, window.seconds, window.per_s(),
      server_json(options, report), latency_json(window.latency), report.errors,
      report.error.empty() ? "null" : quoted(report.error), window.own_share, window.own_us,
      window.wait_share, window.generator_bound(), window.lag_us);
  if (report.slow_readers) out += slow_readers_json(options, report);
  if (report.resumed) {
    out += fmt::format(R"(,"resume":{{"all_back_ms":{:.2f},"missed":{},"twice":{},"refused":{}}})",
                       report.resumed->all_back_ms, report.resumed->missed, report.resumed->twice,
                       report.resumed->refused);
  }
  return out + "}\n";
}

std::string failure_json(const Options& options, const std::string& error) {
  return fmt::format("{{\"mode\":\"{}\",\"url\":{},\"error\":{}}}\n", mode_name(options.mode),
                     quoted(options.url_text), quoted(error));
}

}  // namespace hubbub::load
