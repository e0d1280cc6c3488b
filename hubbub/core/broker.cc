#include "hubbub/core/broker.h"

#include "hubbub/core/hub.h"

namespace hubbub {

void LocalBroker::publish(std::string_view topic, std::string_view data, PublishDone done) {
  done(hub_.deliver(topic, data));
}

void LocalBroker::send(std::string_view to_code, std::string_view from_code, std::string_view data,
                       SendDone done) {
  done(hub_.deliver_to(to_code, from_code, data));
}

void LocalBroker::broadcast(std::string_view data, BroadcastDone done) { done(hub_.deliver_to_all(data)); }

}  // namespace hubbub
