#include "hubbub/server/routes.h"

#include <utility>

#include "hubbub/core/channel.h"
#include "hubbub/server/echo_endpoint.h"
#include "hubbub/server/metrics.h"
#include "hubbub/server/page_assets.h"

namespace hubbub {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kPagePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' ws: wss:; img-src 'self' "
    "data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
constexpr std::string_view kMethods = "GET, HEAD, OPTIONS";  // of the plain endpoints
constexpr Millis kRetryAfterMs = 1000;

wire::HttpResponse text(int status, std::string body) {
  wire::HttpResponse response;
  response.status = status;
  response.content_type = kText;
  response.body = std::move(body);
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

wire::HttpResponse page(const PageAsset& asset) {
  wire::HttpResponse response;
  response.content_type = asset.content_type;
  response.body = asset.bytes;
  response.headers = {{"Content-Security-Policy", std::string(kPagePolicy)},
                      {"X-Content-Type-Options", "nosniff"},
                      {"Referrer-Policy", "no-referrer"},
                      {"Cache-Control", "no-cache"}};
  return response;
}

Error retry_later(Errc code, std::string detail) {
  Error error = make_error(code, std::move(detail));
  error.retry_after_ms = kRetryAfterMs;
  return error;
}

bool known_path(std::string_view path) {
  if (path == "/healthz" || path == "/readyz" || path == "/metrics") return true;
  for (const PageAsset& asset : page_assets())
    if (asset.path == path) return true;
  return false;
}

}  // namespace

Routes::Routes(Shard& shard, RoutesSettings settings) : shard_(shard), settings_(std::move(settings)) {
  if (!settings_.echo) handshake_.subprotocols = {std::string(kSubprotocol)};
  handshake_.deflate = shard.settings().deflate;
}

RequestOutcome Routes::on_request(const wire::HttpRequest& request, const Address& peer) {
  const bool wants_upgrade = wire::has_token(request.header("upgrade"), "websocket");
  if (request.path == "/ws" || (settings_.echo && wants_upgrade)) return upgrade(request, peer);
  return plain(request);
}

RequestOutcome Routes::upgrade(const wire::HttpRequest& request, const Address& peer) {
  if (request.method != "GET") return wire::http_refusal(make_error(Errc::method_not_allowed));
  auto handshake = wire::accept_handshake(request, handshake_);
  if (!handshake) return wire::http_refusal(handshake.error());
  const std::string origin = request.header("origin");
  if (!shard_.env().access.origin_allowed(origin, request.header("host"))) {
    shard_.env().log.warn("origin refused", {{"remote", peer.text()}, {"origin", origin}});
    return wire::http_refusal(make_error(
        Errc::origin_refused, "this Origin is not allowed; add it to access.origins if it should be"));
  }
  if (shard_.hub().draining())
    return wire::http_refusal(retry_later(Errc::draining, "this server is draining"));
  // A client that will resume says so in the URL: it is served where its session lives, from the start.
  if (const auto code = SessionCode::parse(request.query_param("session")); code && !settings_.echo)
    if (const ShardId owner = shard_.node().owner_of(*code); owner != shard_.id()) return HandOver{owner};
  if (settings_.echo) return Upgrade{std::move(*handshake), std::make_unique<EchoEndpoint>(shard_.env())};
  const ChannelMode mode = handshake->subprotocol == kSubprotocol ? ChannelMode::v1 : ChannelMode::plain;
  // On hubbub.v1 the client may come for a session that is there already.
  if (mode == ChannelMode::plain && shard_.node().memory_short) {
    shard_.env().stats.hit(LimitHit::memory_budget);
    return wire::http_refusal(
        retry_later(Errc::node_full, "this server has no memory for another session now (memory.budget)"));
  }
  if (mode == ChannelMode::plain && shard_.hub().full()) {
    shard_.env().stats.hit(LimitHit::sessions);
    return wire::http_refusal(
        retry_later(Errc::node_full, "this server has all the sessions it takes (limits.sessions)"));
  }
  return Upgrade{std::move(*handshake), std::make_unique<Channel>(shard_.dispatcher(), mode)};
}

wire::HttpResponse Routes::on_refused(const wire::HttpRequest& request, const Error& refusal) {
  const bool for_operators =
      request.path == "/healthz" || request.path == "/readyz" || request.path == "/metrics";
  if (refusal.code != Errc::node_full || !for_operators) return wire::http_refusal(refusal);
  wire::HttpResponse response = plain(request);
  response.keep_alive = false;
  return response;
}

wire::HttpResponse Routes::plain(const wire::HttpRequest& request) {
  wire::HttpResponse response;
  if (!known_path(request.path)) {
    response = wire::http_refusal(make_error(
        Errc::not_found, "nothing at this path; there are /ws, /healthz, /readyz, /metrics and /"));
    response.keep_alive = true;
  } else if (request.method == "OPTIONS") {
    response = text(204, {});
    response.headers.emplace_back("Allow", std::string(kMethods));
  } else if (request.method != "GET" && request.method != "HEAD") {
    response = wire::http_refusal(make_error(Errc::method_not_allowed));
    for (auto& [name, value] : response.headers)
      if (name == "Allow") value = kMethods;
  } else {
    response = serve(request.path);
  }
  add_cors(request, response);
  return response;
}

wire::HttpResponse Routes::serve(const std::string& path) {
  if (path == "/healthz") return text(200, "ok\n");
  if (path == "/readyz") {
    wire::HttpResponse response = shard_.hub().draining() ? text(503, "draining\n") : text(200, "ready\n");
    if (shard_.hub().draining()) response.headers.emplace_back("Retry-After", "1");
    return response;
  }
  if (path == "/metrics") {
    wire::HttpResponse response = text(200, render_metrics(shard_.node()));
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    return response;
  }
  for (const PageAsset& asset : page_assets())
    if (asset.path == path) return page(asset);
  return wire::http_refusal(make_error(Errc::not_found));
}

void Routes::add_cors(const wire::HttpRequest& request, wire::HttpResponse& response) const {
  const std::string origin = request.header("origin");
  if (settings_.cors_origins.empty() || origin.empty()) return;
  response.headers.emplace_back("Vary", "Origin");
  if (!origin_listed(origin, settings_.cors_origins)) return;
  response.headers.emplace_back("Access-Control-Allow-Origin", origin);
  if (request.method != "OPTIONS") return;
  response.headers.emplace_back("Access-Control-Allow-Methods", std::string(kMethods));
  response.headers.emplace_back("Access-Control-Max-Age", "600");
}

}  // namespace hubbub
