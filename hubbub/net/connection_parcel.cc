// A Connection that leaves its shard, and one that comes from another.
#include <utility>

#include "hubbub/net/connection.h"
#include "hubbub/net/parcel.h"

namespace hubbub {

Parcel Connection::pack() {
  Parcel parcel{.socket = OwnedSocket(host_.io(), socket_),
                .peer = peer_,
                .proxy = std::move(proxy_),
                .input = std::exchange(held_, {})};
  socket_ = kNoSocket;
  return parcel;
}

void Connection::move_to(ShardId shard, EndpointMaker make_endpoint) {
  if (phase_ != Phase::open) return;
  Parcel parcel = pack();
  parcel.open.emplace(id_, std::move(*decoder_), std::move(coder_), std::exchange(queue_, {}),
                      std::move(make_endpoint), opened_at_, bytes_in_, bytes_out_, messages_in_,
                      messages_out_);
  env_.log.info("connection moved", {{"connection", id_}, {"shard", shard}});
  host_.hand_over(shard, std::move(parcel));
  doom({});
}

void Connection::unpack(Parcel parcel, Dispatcher& dispatcher) {
  proxy_ = std::move(parcel.proxy);
  held_ = std::move(parcel.input);
  paused_ = !held_.empty();
  if (parcel.open) {
    Parcel::Open& open = *parcel.open;
    id_ = open.id;
    opened_at_ = open.opened_at;
    bytes_in_ = open.bytes_in;
    bytes_out_ = open.bytes_out;
    messages_in_ = open.messages_in;
    messages_out_ = open.messages_out;
    decoder_.emplace(std::move(open.decoder));
    decoder_->share(&host_.inflater());
    coder_ = std::move(open.coder);
    if (coder_) host_.adopt_coder(*coder_);
    queue_ = std::move(open.queue);
    begin(open.make_endpoint(&dispatcher));
    wake();
  }
  host_.want_read(*this);
}

}  // namespace hubbub
