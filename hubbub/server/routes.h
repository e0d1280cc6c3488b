// Routes: the program's HTTP surface on one port: /ws (upgrade), /healthz, /readyz, /metrics, / (the page).
// Refusals are plain HTTP before the upgrade (docs/protocol.md, "HTTP surface").
#pragma once

#include <string>
#include <vector>

#include "hubbub/net/service.h"
#include "hubbub/net/shard.h"

namespace hubbub {

struct RoutesSettings {
  std::vector<std::string> cors_origins;  // patterns; for the plain endpoints
  bool echo = false;                      // every upgrade, on any path, is an EchoEndpoint
};

// One per shard, on its thread. The shard outlives it.
class Routes final : public Service {
 public:
  Routes(Shard& shard, RoutesSettings settings);
  RequestOutcome on_request(const wire::HttpRequest& request, const Address& peer) override;
  // A full server still tells that it lives, and its metrics.
  wire::HttpResponse on_refused(const wire::HttpRequest& request, const Error& refusal) override;

 private:
  [[nodiscard]] RequestOutcome upgrade(const wire::HttpRequest& request, const Address& peer);
  [[nodiscard]] wire::HttpResponse plain(const wire::HttpRequest& request);
  [[nodiscard]] wire::HttpResponse serve(const std::string& path);
  void add_cors(const wire::HttpRequest& request, wire::HttpResponse& response) const;

  Shard& shard_;
  RoutesSettings settings_;
  wire::HandshakeSettings handshake_;
};

}  // namespace hubbub
