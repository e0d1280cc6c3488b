#include "hubbub/server/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <unistd.h>

#include <cstdio>
#include <utility>
#include <vector>

#include "hubbub/base/frame.h"
#include "hubbub/base/version.h"
#include "hubbub/core/memory_budget.h"
#include "hubbub/core/node.h"

namespace hubbub {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

class Families {
 public:
  void counter(const char* name, const char* help, std::uint64_t value) {
    add(family(name, help, MetricType::Counter), {}, static_cast<double>(value));
  }
  void gauge(const char* name, const char* help, double value) {
    add(family(name, help, MetricType::Gauge), {}, value);
  }
  MetricFamily& family(const char* name, const char* help, MetricType type) {
    families_.push_back({name, help, type, {}});
    return families_.back();
  }
  static void add(MetricFamily& family, std::vector<ClientMetric::Label> labels, double value) {
    ClientMetric metric;
    metric.label = std::move(labels);
    (family.type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
    family.metric.push_back(std::move(metric));
  }
  [[nodiscard]] std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

 private:
  std::vector<MetricFamily> families_;
};

double resident_bytes() {
  long pages = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%*d %ld", &pages) != 1) pages = 0;
    std::fclose(file);
  }
  return static_cast<double>(pages) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

void add_gauges(Families& out, const Node& node, const Stats& stats) {
  out.gauge("hubbub_shards", "Threads that serve connections.", static_cast<double>(node.shards()));
  out.gauge("hubbub_connections", "TCP connections open now.", static_cast<double>(stats.connections));
  MetricFamily& sessions = out.family("hubbub_sessions", "Sessions by state.", MetricType::Gauge);
  Families::add(sessions, {{"state", "attached"}}, static_cast<double>(stats.attached));
  Families::add(sessions, {{"state", "detached"}}, static_cast<double>(stats.detached));
  out.gauge("hubbub_topics", "Topics known now.", static_cast<double>(stats.topics));
  out.gauge("hubbub_subscriptions", "Subscriptions of all sessions.",
            static_cast<double>(stats.subscriptions));
  out.gauge("hubbub_calls_in_flight", "Calls whose answer is still to come.",
            static_cast<double>(stats.calls_in_flight));
  out.gauge("hubbub_frames", "Encoded messages held in memory.", static_cast<double>(Frame::alive()));
  out.gauge("hubbub_memory_held_bytes", "What memory.budget counts.",
            static_cast<double>(MemoryBudget::used(node)));
  out.gauge("hubbub_draining", "1 while the server drains.", stats.draining > 0 ? 1 : 0);
  out.gauge("hubbub_resident_bytes", "Resident memory of the process.", resident_bytes());
}

void add_counters(Families& out, const Stats& stats) {
  out.counter("hubbub_connections_accepted_total", "TCP connections accepted.", stats.accepted);
  out.counter("hubbub_handshakes_total", "WebSocket connections opened.", stats.handshakes);
  out.counter("hubbub_http_requests_total", "Plain HTTP requests answered, refusals included.",
              stats.http_requests);
  out.counter("hubbub_http_refused_total", "Requests and connections refused.", stats.http_refused);
  out.counter("hubbub_messages_received_total", "Messages from clients.", stats.messages_in);
  out.counter("hubbub_messages_sent_total", "Messages written whole to clients.", stats.messages_out);
  out.counter("hubbub_received_bytes_total", "Bytes from sockets.", stats.bytes_in);
  out.counter("hubbub_sent_bytes_total", "Bytes to sockets.", stats.bytes_out);
  out.counter("hubbub_writes_total", "Write system calls.", stats.writes);
  out.counter("hubbub_calls_total", "JSON-RPC requests and notifications.", stats.calls);
  out.counter("hubbub_publishes_total", "Publications to topics.", stats.publishes);
  out.counter("hubbub_deliveries_total",
              "Messages queued for sessions by publications, sends and broadcasts.", stats.deliveries);
  MetricFamily& sessions =
      out.family("hubbub_session_events_total", "What happened to sessions.", MetricType::Counter);
  Families::add(sessions, {{"event", "opened"}}, static_cast<double>(stats.sessions_opened));
  Families::add(sessions, {{"event", "closed"}}, static_cast<double>(stats.sessions_closed));
  Families::add(sessions, {{"event", "expired"}}, static_cast<double>(stats.sessions_expired));
  Families::add(sessions, {{"event", "superseded"}}, static_cast<double>(stats.sessions_superseded));
  Families::add(sessions, {{"event", "token_reused"}}, static_cast<double>(stats.tokens_reused));
  MetricFamily& resumes =
      out.family("hubbub_resumes_total", "Attempts to resume a session, by result.", MetricType::Counter);
  Families::add(resumes, {{"result", "recovered"}},
                static_cast<double>(stats.sessions_resumed - stats.resumes_incomplete));
  Families::add(resumes, {{"result", "incomplete"}}, static_cast<double>(stats.resumes_incomplete));
  Families::add(resumes, {{"result", "refused"}}, static_cast<double>(stats.resumes_refused));
  MetricFamily& replayed =
      out.family("hubbub_replayed_messages_total", "Messages replayed by resumes, by where they were.",
                 MetricType::Counter);
  Families::add(replayed, {{"from", "ring"}}, static_cast<double>(stats.replayed_ring));
  Families::add(replayed, {{"from", "history"}}, static_cast<double>(stats.replayed_history));
  MetricFamily& shed = out.family("hubbub_memory_shed_total", "What was let go of to keep memory.budget.",
                                  MetricType::Counter);
  Families::add(shed, {{"what", "kept_message"}}, static_cast<double>(stats.shed_messages));
  Families::add(shed, {{"what", "history_message"}}, static_cast<double>(stats.shed_histories));
  Families::add(shed, {{"what", "connection"}}, static_cast<double>(stats.shed_queues));
  Families::add(shed, {{"what", "unfinished_message"}}, static_cast<double>(stats.shed_inputs));
}

void add_labelled(Families& out, const Stats& stats) {
  MetricFamily& limits = out.family("hubbub_limit_hits_total", "Bounds that were hit.", MetricType::Counter);
  for (std::size_t i = 0; i < stats.limit_hits.size(); ++i)
    Families::add(limits, {{"limit", std::string(limit_label(static_cast<LimitHit>(i)))}},
                  static_cast<double>(stats.limit_hits[i]));
  MetricFamily& errors = out.family("hubbub_errors_total", "Errors told to clients.", MetricType::Counter);
  for (std::size_t i = 0; i < stats.errors.size(); ++i)
    if (stats.errors[i] > 0)
      Families::add(errors, {{"error", std::string(error_info(static_cast<Errc>(i)).name)}},
                    static_cast<double>(stats.errors[i]));
  MetricFamily& closes = out.family(
      "hubbub_closes_total", "WebSocket connections closed, by close code; 0: applications' own codes.",
      MetricType::Counter);
  for (const auto& [code, count] : stats.closes)
    Families::add(closes, {{"code", std::to_string(code)}}, static_cast<double>(count));
  MetricFamily& info = out.family("hubbub_build_info", "The version, as a label.", MetricType::Gauge);
  Families::add(info, {{"version", std::string(kVersion)}}, 1);
}

}  // namespace

std::string render_metrics(const Node& node) {
  Stats stats;
  node.sum_stats(stats);
  Families out;
  add_gauges(out, node, stats);
  add_counters(out, stats);
  add_labelled(out, stats);
  return out.text();
}

}  // namespace hubbub
