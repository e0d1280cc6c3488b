// Service: what stands behind a shard's HTTP requests. Written by server/ (the program's endpoints) and by
// tests.
#pragma once

#include <cstddef>
#include <memory>
#include <variant>

#include "hubbub/core/link.h"
#include "hubbub/net/address.h"
#include "hubbub/wire/handshake.h"
#include "hubbub/wire/http_head.h"

namespace hubbub {

// A WebSocket upgrade that was agreed to.
struct Upgrade {
  wire::Handshake handshake;
  std::unique_ptr<Endpoint> endpoint;  // serves the connection; never null
};

// The request is another shard's to answer, which gets the connection.
struct HandOver {
  ShardId shard = 0;
};

using RequestOutcome = std::variant<wire::HttpResponse, Upgrade, HandOver>;

class Service {
 public:
  virtual ~Service() = default;
  // Shard's thread. `peer` is the client: the other end of the TCP
  // connection, or who a trusted proxy says is behind it.
  [[nodiscard]] virtual RequestOutcome on_request(const wire::HttpRequest& request, const Address& peer) = 0;
  // The same for a connection that a limit refused when it was accepted (429, 503): what it gets instead,
  // which ends it.
  [[nodiscard]] virtual wire::HttpResponse on_refused(const wire::HttpRequest& request,
                                                      const Error& refusal) {
    static_cast<void>(request);
    return wire::http_refusal(refusal);
  }
};

}  // namespace hubbub
