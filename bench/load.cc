// bench_load: a closed-loop WebSocket load generator for one server on this machine. Prints the server's CPU
// time per message, the rate, latencies and how busy the generator itself was. Exits 1 if any message was
// wrong or missing.
#include <sys/resource.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "bench/runner.h"

namespace hubbub::bench {
namespace {

struct Options {
  bool fanout = false;
  bool json = false;
  WorkloadOptions workload;
  RunOptions run;
};

constexpr std::string_view kUsage =
    "usage: bench_load --port N [options]\n"
    "  --mode echo|fanout     calls of echo, or one publisher to --connections subscribers (echo)\n"
    "  --target hubbub|floor  what listens on 127.0.0.1:PORT (hubbub)\n"
    "  --connections N        callers or subscribers (100)\n"
    "  --inflight K           calls of each connection, or publications, under way (1)\n"
    "  --bytes N              of a publication's data (100)\n"
    "  --seconds S            measured window (2)\n"
    "  --messages N           the window ends after N messages, too\n"
    "  --warmup S             load before the window (0.5)\n"
    "  --pid P                the server, to measure its CPU time\n"
    "  --json                 one JSON object instead of text\n";

template <class T>
bool read_number(std::string_view text, T least, T most, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size() && out >= least && out <= most;
}

bool read_choice(std::string_view text, std::string_view no, std::string_view yes, bool& out) {
  out = text == yes;
  return out || text == no;
}

bool read_option(std::string_view flag, std::string_view value, Options& options) {
  WorkloadOptions& workload = options.workload;
  if (flag == "--mode") return read_choice(value, "echo", "fanout", options.fanout);
  if (flag == "--target") {
    bool floor = false;
    const bool known = read_choice(value, "hubbub", "floor", floor);
    workload.target = floor ? Target::floor : Target::hubbub;
    return known;
  }
  if (flag == "--port") return read_number<std::uint16_t>(value, 1, 65535, workload.port);
  if (flag == "--connections") return read_number<std::size_t>(value, 1, 1'000'000, workload.connections);
  if (flag == "--inflight") return read_number<std::size_t>(value, 1, 100'000, workload.inflight);
  if (flag == "--bytes") return read_number<std::size_t>(value, kDigits, 60'000, workload.data_bytes);
  if (flag == "--seconds") return read_number<double>(value, 0.01, 3600, options.run.seconds);
  if (flag == "--messages") return read_number<std::uint64_t>(value, 1, UINT64_MAX, options.run.messages);
  if (flag == "--warmup") return read_number<double>(value, 0, 3600, options.run.warmup_seconds);
  if (flag == "--pid") return read_number<pid_t>(value, 1, 1 << 30, options.run.server_pid);
  return false;
}

bool read_options(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (flag == "--json") {
      options.json = true;
      continue;
    }
    const std::string_view value = i + 1 < argc ? argv[++i] : "";
    if (!read_option(flag, value, options)) {
      fmt::print(stderr, "bench_load: bad option: {} {}\n", flag, value);
      return false;
    }
  }
  return options.workload.port != 0;
}

double quantile_us(const RunResult& result, double fraction) {
  return static_cast<double>(result.latency.quantile(fraction)) / 1000;
}

std::string or_null(const std::optional<double>& value) {
  return value ? fmt::format("{:.4f}", *value) : std::string("null");
}

void print_json(const Options& options, const RunResult& result) {
  fmt::print(
      R"({{"mode":"{}","target":"{}","connections":{},"inflight":{},"messages":{},"seconds":{:.4f},)"
      R"("messages_per_s":{:.0f},"server_us_per_message":{},"server_share":{},"generator_share":{:.4f},)"
      R"("generator_bound":{},"latency_us":{{"p50":{:.2f},"p99":{:.2f},"p99.9":{:.2f}}}}})"
      "\n",
      options.fanout ? "fanout" : "echo", options.workload.target == Target::floor ? "floor" : "hubbub",
      options.workload.connections, options.workload.inflight, result.messages, result.seconds,
      static_cast<double>(result.messages) / result.seconds, or_null(result.server_us),
      or_null(result.server_share), result.own_share, result.generator_bound(), quantile_us(result, 0.5),
      quantile_us(result, 0.99), quantile_us(result, 0.999));
}

void print_text(const Options& options, const RunResult& result) {
  fmt::print("{} {}, {} in flight: {} in {:.2f} s, {:.0f}/s\n", options.workload.connections,
             options.fanout ? "subscribers" : "connections", options.workload.inflight, result.messages,
             result.seconds, static_cast<double>(result.messages) / result.seconds);
  if (result.server_us) {
    fmt::print("server CPU {:.3f} us/{}, {:.0f} % of a core\n", *result.server_us,
               options.fanout ? "delivery" : "echo", *result.server_share * 100);
  }
  fmt::print("latency p50 {:.1f} us, p99 {:.1f} us, p99.9 {:.1f} us\n", quantile_us(result, 0.5),
             quantile_us(result, 0.99), quantile_us(result, 0.999));
  fmt::print("generator {:.0f} % of a core\n", result.own_share * 100);
}

void raise_file_limit() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

int run_load(const Options& options) {
  raise_file_limit();
  const auto workload = options.fanout ? make_fanout(options.workload) : make_echo(options.workload);
  const auto result = run(*workload, options.run);
  if (!result) {
    fmt::print(stderr, "bench_load: {}\n", result.error());
    return 1;
  }
  if (options.json) {
    print_json(options, *result);
  } else {
    print_text(options, *result);
  }
  if (result->generator_bound()) {
    fmt::print(stderr, "bench_load: the generator is the bottleneck: rate and latency are its own\n");
  }
  return 0;
}

}  // namespace
}  // namespace hubbub::bench

int main(int argc, char** argv) {
  hubbub::bench::Options options;
  if (!hubbub::bench::read_options(argc, argv, options)) {
    std::fputs(hubbub::bench::kUsage.data(), stderr);
    return 2;
  }
  return hubbub::bench::run_load(options);
}
