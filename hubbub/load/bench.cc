#include "hubbub/load/bench.h"

#include <fmt/format.h>

#include <cstdio>
#include <utility>

#include "hubbub/load/echo.h"
#include "hubbub/load/engine.h"
#include "hubbub/load/fan_out.h"
#include "hubbub/load/opening.h"
#include "hubbub/load/resume.h"

namespace hubbub::load {
namespace {

// Runs one step; an error ends the mode.
#define HUBBUB_LOAD_TRY(step) \
  if (auto fine_ = (step); !fine_) return Failure(std::move(fine_.error()))

// What every mode begins with.
struct Bench {
  explicit Bench(const Options& options) : engine(options) {}

  Outcome<void> prepare(const Options& options, Workload& workload, std::size_t links) {
    auto made = Meter::of(options);
    if (!made) return Failure(std::move(made.error()));
    meter = std::move(*made);
    report.rss_before = meter.processes().rss_bytes();
    engine.progress().set_phase("opening");
    return engine.prepare(workload, links);
  }
  void note_open() { report.rss_open = meter.processes().rss_bytes(); }

  Report finish() {
    engine.progress().set_phase("leaving");
    engine.say_goodbye();
    return std::move(report);
  }

  Engine engine;
  Meter meter;
  Report report;
};

std::uint64_t after(double seconds) { return now_ns() + static_cast<std::uint64_t>(seconds * 1e9); }

Outcome<Report> run_echo(const Options& options) {
  Bench bench(options);
  Echo echo(options, bench.engine);
  HUBBUB_LOAD_TRY(bench.prepare(options, echo, options.connections));
  HUBBUB_LOAD_TRY(bench.engine.open(0, options.connections));
  bench.note_open();
  auto window = measure(options, bench.engine, echo, bench.meter);
  if (!window) return Failure(std::move(window.error()));
  bench.report.window = *window;
  return bench.finish();
}

Outcome<Report> run_fan_out(const Options& options) {
  Bench bench(options);
  FanOut fan_out(options, bench.engine);
  const std::size_t healthy = fan_out.first_stalled();
  HUBBUB_LOAD_TRY(bench.prepare(options, fan_out, healthy + options.stalled));
  HUBBUB_LOAD_TRY(bench.engine.open(0, healthy));
  HUBBUB_LOAD_TRY(fan_out.settle());
  bench.note_open();
  std::vector<RssSample> samples;
  const bool slow = options.mode == Mode::slow_readers;
  auto window = measure(options, bench.engine, fan_out, bench.meter, slow ? &samples : nullptr);
  if (!window) return Failure(std::move(window.error()));
  if (slow) {
    bench.report.slow_readers.emplace().baseline = *window;
    HUBBUB_LOAD_TRY(bench.engine.open(healthy, options.stalled));
    samples.clear();
    window = measure(options, bench.engine, fan_out, bench.meter, &samples);
    if (!window) return Failure(std::move(window.error()));
    bench.report.slow_readers->rss = std::move(samples);
    bench.report.slow_readers->ended = bench.engine.count_ended(healthy, options.stalled);
  }
  bench.report.window = *window;
  return bench.finish();
}

void note_errors(Report& report, const Opening& opening) {
  report.errors = opening.errors();
  report.error = opening.error();
}

Outcome<Report> run_connect(const Options& options) {
  Bench bench(options);
  Opening opening(options, bench.engine);
  HUBBUB_LOAD_TRY(bench.prepare(options, opening, options.connections));
  opening.latency().open(1);
  bench.meter.begin(0);
  bench.engine.begin_opening(0, options.connections, options.in_flight, options.rate);
  HUBBUB_LOAD_TRY(bench.engine.run(Workload::kNever, [&] { return !bench.engine.opening(); }));
  bench.report.window = bench.meter.end(opening.done(), bench.engine);
  bench.report.window.latency = opening.latency().histogram();
  bench.note_open();
  note_errors(bench.report, opening);
  return bench.finish();
}

Outcome<Report> run_idle(const Options& options) {
  Bench bench(options);
  Opening opening(options, bench.engine);
  HUBBUB_LOAD_TRY(bench.prepare(options, opening, options.connections));
  HUBBUB_LOAD_TRY(bench.engine.open(0, options.connections));
  if (opening.errors() > 0) return Failure(opening.error());
  bench.engine.progress().set_phase("settling");
  HUBBUB_LOAD_TRY(bench.engine.run(after(options.warmup_s)));
  bench.engine.progress().set_phase("idle");
  bench.note_open();
  bench.engine.clear_lag();
  bench.meter.begin(0);
  HUBBUB_LOAD_TRY(bench.engine.run(after(options.duration_s)));
  bench.report.window = bench.meter.end(0, bench.engine);
  note_errors(bench.report, opening);
  return bench.finish();
}

Outcome<void> cut_and_resume(const Options& options, Bench& bench, Resume& resume) {
  bench.engine.progress().set_phase("missing");
  resume.drop_all();
  HUBBUB_LOAD_TRY(resume.publish(options.messages));
  HUBBUB_LOAD_TRY(bench.engine.run(after(options.timeout_s), [&] { return !resume.answers_pending(); }));
  if (resume.answers_pending()) return Failure("the publications in between were not answered");
  HUBBUB_LOAD_TRY(bench.engine.run(after(options.warmup_s)));  // the server notices all that are gone

  bench.engine.progress().set_phase("resuming");
  bench.meter.begin(0);
  resume.begin_resuming(now_ns());
  const std::uint64_t began = now_ns();
  bench.engine.begin_opening(0, options.connections, options.in_flight);
  const auto all_there = [&] { return !bench.engine.opening() && resume.outstanding() == 0; };
  HUBBUB_LOAD_TRY(bench.engine.run(Workload::kNever, all_there));
  bench.report.window = bench.meter.end(resume.done(), bench.engine);
  bench.report.window.latency = resume.latency().histogram();
  bench.report.resumed.emplace().all_back_ms = static_cast<double>(resume.all_back_at() - began) / 1e6;
  return {};
}

Outcome<Report> run_resume(const Options& options) {
  Bench bench(options);
  Resume resume(options, bench.engine);
  HUBBUB_LOAD_TRY(bench.prepare(options, resume, options.connections + 1));
  HUBBUB_LOAD_TRY(bench.engine.open(0, options.connections + 1));
  bench.note_open();
  HUBBUB_LOAD_TRY(cut_and_resume(options, bench, resume));
  // Life goes on: a publication after the storm reaches everybody once.
  HUBBUB_LOAD_TRY(resume.publish(1));
  HUBBUB_LOAD_TRY(bench.engine.run(Workload::kNever, [&] { return resume.outstanding() == 0; }));
  Report& report = bench.report;
  report.resumed->missed = resume.missed();
  report.resumed->twice = resume.twice();
  report.resumed->refused = resume.refused();
  report.errors = resume.missed() + resume.twice() + resume.refused();
  report.error = resume.error();
  if (report.errors == 0 && !report.error.empty()) report.errors = 1;
  return bench.finish();
}

#undef HUBBUB_LOAD_TRY

}  // namespace

Outcome<Report> run_mode(const Options& options) {
  switch (options.mode) {
    case Mode::echo:
      return run_echo(options);
    case Mode::fan_out:
    case Mode::slow_readers:
      return run_fan_out(options);
    case Mode::idle:
      return run_idle(options);
    case Mode::connect:
      return run_connect(options);
    case Mode::resume:
      break;
  }
  return run_resume(options);
}

int run_bench(const Options& options) {
  const auto report = run_mode(options);
  if (!report) {
    if (options.json) fmt::print("{}", failure_json(options, report.error()));
    fmt::print(stderr, "hubbub bench: {}\n", report.error());
    return 1;
  }
  fmt::print("{}", options.json ? report_json(options, *report) : report_text(options, *report));
  if (report->window.generator_bound()) {
    fmt::print(stderr, "hubbub bench: the generator was the bottleneck: rates and latencies are its own\n");
  }
  if (report->errors == 0) return 0;
  fmt::print(stderr, "hubbub bench: {} went wrong; the first: {}\n", report->errors, report->error);
  return 1;
}

}  // namespace hubbub::load
