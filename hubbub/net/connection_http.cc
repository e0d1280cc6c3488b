// The first phase of a Connection: HTTP requests until one of them opens a WebSocket.
#include <algorithm>
#include <utility>

#include "hubbub/net/connection.h"
#include "hubbub/net/parcel.h"

namespace hubbub {
namespace {
constexpr Millis kAfterShedMs = 5000;
}  // namespace

void Connection::serve_head() {
  wire::HttpParse parse = wire::parse_http_head(held_, env_.limits.head_bytes);
  if (parse.status == wire::HttpParse::Status::need_more) return;
  if (parse.status == wire::HttpParse::Status::error) {
    if (parse.error.code == Errc::head_too_large) env_.stats.hit(LimitHit::head_bytes);
    forget_held();
    respond(wire::http_refusal(parse.error), false);
    return;
  }
  answer(parse.request);
  if (phase_ == Phase::doomed) return;
  if (held_.size() <= parse.head_bytes)
    forget_held();
  else
    held_.erase(0, parse.head_bytes);
  if (held_.empty() || phase_ == Phase::finishing) return;
  // Piped-in requests wait for the answer to be written; frames behind an upgrade can go on at once.
  paused_ = true;
  if (phase_ == Phase::open) host_.want_read(*this);
}

void Connection::answer(const wire::HttpRequest& request) {
  const bool head_only = request.method == "HEAD";
  if (refusal_) return respond(host_.service().on_refused(request, *refusal_), head_only);
  if (const auto refused = host_.see_client(*this, request))
    return respond(host_.service().on_refused(request, *refused), head_only);
  auto outcome = host_.service().on_request(request, peer_);
  if (auto* upgrade = std::get_if<Upgrade>(&outcome)) return open(std::move(*upgrade));
  if (const auto* elsewhere = std::get_if<HandOver>(&outcome)) {
    host_.hand_over(elsewhere->shard, pack());
    return doom({});
  }
  auto& response = std::get<wire::HttpResponse>(outcome);
  // Bodies are not read: after one, the connection cannot go on.
  response.keep_alive =
      response.keep_alive && request.keep_alive && request.content_length == 0 && !request.chunked;
  respond(response, head_only);
}

void Connection::set_client(const Address& client) {
  if (!proxy_) proxy_ = std::make_unique<Address>(peer_);
  peer_ = client;
}

void Connection::respond(const wire::HttpResponse& response, bool head_only) {
  ++env_.stats.http_requests;
  if (response.status >= 400) ++env_.stats.http_refused;
  send_uncounted(Frame::make({}, wire::format_http_response(response, head_only)));
  arm(env_.now() + env_.limits.head_deadline_ms);
  if (!response.keep_alive) finish();
}

void Connection::open(Upgrade upgrade) {
  send_uncounted(Frame::make({}, upgrade.handshake.response));
  id_ = host_.draw_connection_id();
  ++env_.stats.handshakes;
  const auto& deflate = upgrade.handshake.deflate;
  const wire::Decoder::Settings settings{env_.limits.message_bytes, deflate ? &*deflate : nullptr};
  decoder_.emplace(settings, deflate ? &host_.inflater() : nullptr);
  if (deflate) coder_ = host_.make_coder(*deflate);
  env_.log.info("connection opened", {{"connection", id_},
                                      {"remote", remote()},
                                      {"subprotocol", upgrade.handshake.subprotocol},
                                      {"deflate", deflate.has_value()}});
  begin(std::move(upgrade.endpoint));
}

void Connection::give_up_input() {
  const std::uint16_t code = error_info(Errc::overloaded).close_code;
  const std::string_view why = "this server needs the memory (memory.budget) of your unfinished message";
  if (phase_ == Phase::open) close(code, why, CloseMode::now, endpoint_->farewell(code, why, kAfterShedMs));
  finish();
  decoder_.reset();
}

void Connection::begin(std::unique_ptr<Endpoint> endpoint) {
  phase_ = Phase::open;
  endpoint_ = std::move(endpoint);
  const Millis interval = env_.limits.ping_interval_ms;
  // The first ping comes anywhere in the interval, so that clients that came together are not pinged
  // together.
  if (interval > 0)
    ping_at_ = together(env_.now() + interval / 2 +
                            static_cast<Millis>(env_.rng.below(static_cast<std::uint64_t>(interval / 2 + 1))),
                        interval);
  timer_.cancel();
  arm_open();
  endpoint_->on_open(*this);
}

}  // namespace hubbub
