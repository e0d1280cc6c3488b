#include "hubbub/load/meter.h"

#include <utility>

namespace hubbub::load {
namespace {

constexpr std::uint64_t kSamplePeriodNs = 250'000'000;

std::uint64_t nanoseconds(double seconds) { return static_cast<std::uint64_t>(seconds * 1e9); }

}  // namespace

Outcome<Meter> Meter::of(const Options& options) {
  auto processes = ProcessWatch::of(options.pids);
  if (!processes) return Failure(std::move(processes.error()));
  Meter meter;
  meter.processes_ = std::move(*processes);
  return meter;
}

Meter::Reading Meter::read(std::uint64_t messages) const {
  return {now_ns(), processes_.cpu_ns(), own_cpu_ns(), own_wait_ns(), messages};
}

void Meter::begin(std::uint64_t messages) { first_ = read(messages); }

Window Meter::end(std::uint64_t messages, const Engine& engine) const {
  const Reading last = read(messages);
  const auto elapsed = static_cast<double>(last.at - first_.at);
  const auto own_cpu = static_cast<double>(last.own_cpu - first_.own_cpu);
  const auto server_cpu = static_cast<double>(last.server_cpu - first_.server_cpu);
  Window window;
  window.messages = last.messages - first_.messages;
  window.seconds = elapsed / 1e9;
  window.own_share = own_cpu / elapsed;
  window.wait_share = static_cast<double>(last.own_wait - first_.own_wait) / elapsed;
  window.lag_us = engine.lag_us();
  const auto count = static_cast<double>(window.messages);
  if (count > 0) window.own_us = own_cpu / 1000 / count;
  if (processes_.watches()) {
    window.server_share = server_cpu / elapsed;
    if (count > 0) window.server_us = server_cpu / 1000 / count;
  }
  return window;
}

Outcome<Window> measure(const Options& options, Engine& engine, Workload& workload, Meter& meter,
                        std::vector<RssSample>* samples) {
  engine.progress().set_phase("warm-up");
  const std::uint64_t begin = now_ns();
  if (auto fine = workload.start(begin); !fine) return Failure(std::move(fine.error()));
  if (auto fine = engine.run(begin + nanoseconds(options.warmup_s)); !fine)
    return Failure(std::move(fine.error()));

  engine.progress().set_phase("measuring");
  engine.clear_lag();
  meter.begin(workload.done());
  const std::uint64_t opened = now_ns();
  workload.latency().open(opened);
  const std::uint64_t wanted = options.messages == 0 ? UINT64_MAX : workload.done() + options.messages;
  std::uint64_t sample_due = opened;
  const auto enough = [&] {
    if (const std::uint64_t now = now_ns(); samples != nullptr && now >= sample_due) {
      samples->push_back({static_cast<double>(now - opened) / 1e9, meter.processes().rss_bytes()});
      sample_due = now + kSamplePeriodNs;
    }
    return workload.done() >= wanted;
  };
  if (auto fine = engine.run(opened + nanoseconds(options.duration_s), enough); !fine) {
    return Failure(std::move(fine.error()));
  }
  workload.latency().close(now_ns());
  Window window = meter.end(workload.done(), engine);

  engine.progress().set_phase("finishing");
  workload.stop();
  const auto home = [&workload] { return workload.outstanding() == 0; };
  if (auto fine = engine.run(Workload::kNever, home); !fine) return Failure(std::move(fine.error()));
  window.latency = workload.latency().histogram();
  if (window.messages == 0) return Failure("no message was answered inside the measured window");
  return window;
}

}  // namespace hubbub::load
