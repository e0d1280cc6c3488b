#include "hubbub/server/echo_endpoint.h"

#include "hubbub/core/notices.h"
#include "hubbub/wire/ws_codec.h"

namespace hubbub {

void EchoEndpoint::on_text(std::string_view text) {
  outbox_.push(wire::make_frame(wire::Opcode::text, text));
  ++env_.stats.messages_in;
  link_->wake();
}

void EchoEndpoint::on_binary(std::string_view bytes) {
  outbox_.push(wire::make_frame(wire::Opcode::binary, bytes));
  ++env_.stats.messages_in;
  link_->wake();
}

void EchoEndpoint::on_stalled() {
  link_->close(error_info(Errc::slow_consumer).close_code, "nothing read for outbox.write_stall",
               CloseMode::now, {});
}

void EchoEndpoint::on_sent(std::size_t count) {
  outbox_.mark_sent(count);
  outbox_.trim(outbox_.sent());
  env_.stats.messages_out += count;
}

}  // namespace hubbub
