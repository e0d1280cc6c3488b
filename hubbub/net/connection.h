// Connection: one accepted socket, from the HTTP head to the last byte. A state machine that moves bytes
// between the socket, the WebSocket codec and its Endpoint; it knows nothing of sessions, topics or methods.
//
//   head -> open -> closing -> finishing -> doomed        (any phase may go to finishing or doomed)
//
//   head       reading HTTP requests; plain ones are answered, an upgrade leads to open
//   open       messages both ways
//   closing    our Close frame is queued or sent; waiting for the peer's
//   finishing  nothing more to read: write what is queued, FIN, wait for the peer's FIN
//   doomed     dead; freed at the end of the turn
//
// Invariants: doomed once, reaped by the shard at the end of the turn, never destroyed inside a call; every
// phase but doomed has a deadline or pings. One thread.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hubbub/base/held_memory.h"
#include "hubbub/base/slab.h"
#include "hubbub/core/env.h"
#include "hubbub/core/link.h"
#include "hubbub/net/io.h"
#include "hubbub/net/service.h"
#include "hubbub/net/write_queue.h"
#include "hubbub/wire/ws_decoder.h"

namespace hubbub {

class Connection;
struct Parcel;

// What a connection needs of its shard.
class ConnectionHost {
 public:
  virtual ~ConnectionHost() = default;
  virtual void want_flush(Connection& connection) = 0;  // write at the end of this turn
  virtual void want_read(Connection& connection) = 0;   // go on reading in the next turn
  virtual bool flush_one(Connection& connection) = 0;   // write now; true if bytes went out
  virtual void doom(Connection& connection) = 0;        // free at the end of this turn
  virtual void hand_over(ShardId shard, Parcel parcel) = 0;
  // Counts the connection under the address that its proxy tells; null, or why that one may not have it.
  [[nodiscard]] virtual std::unique_ptr<Error> see_client(Connection& connection,
                                                          const wire::HttpRequest& request) = 0;
  virtual std::uint64_t draw_connection_id() = 0;  // higher than all before
  [[nodiscard]] virtual Io& io() = 0;
  [[nodiscard]] virtual Service& service() = 0;
  [[nodiscard]] virtual const FrameRef& ping_frame() = 0;
  [[nodiscard]] virtual wire::Inflater& inflater() = 0;
  [[nodiscard]] virtual std::unique_ptr<MessageCoder> make_coder(const wire::DeflateParams& params) = 0;
  virtual void adopt_coder(MessageCoder& coder) = 0;  // of a connection that came from another shard
};

class Connection final : public Link {
 public:
  enum class Phase : std::uint8_t { head, open, closing, finishing, doomed };

  // `refusal`, if set, answers the first request whatever it is (limits that are hit before anything is
  // known).
  Connection(ConnectionHost& host, const Env& env, Socket socket, const Address& peer,
             std::unique_ptr<Error> refusal);
  ~Connection() override;

  [[nodiscard]] Phase phase() const { return phase_; }
  [[nodiscard]] Socket socket() const { return socket_; }
  // The client: the other end of the TCP connection, or who a trusted proxy says is behind it.
  [[nodiscard]] const Address& peer() const { return peer_; }
  [[nodiscard]] const Address& tcp_peer() const { return proxy_ ? *proxy_ : peer_; }
  void set_client(const Address& client);
  [[nodiscard]] bool refused_at_accept() const { return refused_at_accept_; }

  // Link
  void wake() override { host_.want_flush(*this); }
  bool flush_now() override { return host_.flush_one(*this); }
  void send_uncounted(FrameRef frame) override;
  void close(std::uint16_t code, std::string_view reason, CloseMode mode, FrameRef farewell) override;
  void release_outbox() override;
  void supersede() override;
  void move_to(ShardId shard, EndpointMaker make_endpoint) override;
  [[nodiscard]] Millis last_input_at() const override { return last_input_at_; }
  [[nodiscard]] std::string remote() const override { return peer_.text(); }
  [[nodiscard]] std::uint64_t connection_id() const override { return id_; }

  // What came from another shard; right after the constructor.
  void unpack(Parcel parcel, Dispatcher& dispatcher);

  // Shard's calls. `buffer` is the shard's one read buffer with wire::kReadPadding bytes behind it.
  void on_event(const IoEvent& event);
  // Reads within the turn's budget; asks the host for another turn when there is more.
  void read_some(std::span<char> buffer);
  // The outbox to write from, if there is one now.
  [[nodiscard]] const Outbox* outbox() const { return endpoint_ ? endpoint_->outbox() : nullptr; }
  // True if a write should be tried.
  [[nodiscard]] bool gather(std::vector<iovec>& parts);
  void on_written(const WriteOp& op);
  // Closes with 1012, after what is queued; for the drain. A connection in the head phase is closed when it
  // is idle.
  void drain(Millis retry_after_ms);
  // Bytes of messages that are not complete.
  [[nodiscard]] std::size_t input_bytes() const {
    return held_bytes_.bytes() + (decoder_ ? decoder_->held_bytes() : 0);
  }
  // Closes with 1013 and lets go of them, to keep the memory budget.
  void give_up_input();
  // The end: tells the endpoint, logs. The shard then closes the socket and frees.
  void reap();

  Handle<Connection> handle;  // the shard's bookkeeping
  bool in_flush_list = false;
  bool in_read_list = false;

 private:
  struct Closing {
    FrameRef farewell;
    FrameRef close;
    CloseMode mode;
  };

  [[nodiscard]] bool wants_input() const;
  void use_held();
  void on_eof();
  void on_bytes(std::span<char> bytes);
  void on_head_bytes(std::string_view bytes);
  void serve_head();
  void answer(const wire::HttpRequest& request);
  void respond(const wire::HttpResponse& response, bool head_only);
  void open(Upgrade upgrade);
  void begin(std::unique_ptr<Endpoint> endpoint);
  [[nodiscard]] Parcel pack();
  void feed(std::span<char> bytes);
  void hold(std::span<const char> bytes);
  // With its memory, which assigning an empty string would keep for the life of the connection.
  void forget_held() {
    std::string().swap(held_);
    held_bytes_.set(0);
  }
  void on_frame(const wire::DecoderEvent& event);
  void begin_close(std::uint16_t code, std::string_view reason, CloseMode mode, FrameRef farewell);
  void on_peer_close(std::uint16_t code, std::string_view reason);
  void queue_close_frame();
  void finish();
  void after_write();
  void doom(std::string_view why);
  void count_close(std::uint16_t code);

  void on_timer(Millis now);
  void on_open_timer(Millis now);
  // A ping's time, a little earlier: those of many connections fall into one turn and cost one wake-up.
  [[nodiscard]] static Millis together(Millis at, Millis interval);
  void arm(Millis deadline);
  void arm_open();

  // What every write touches stands first.
  ConnectionHost& host_;
  const Env& env_;
  std::unique_ptr<Endpoint> endpoint_;
  std::unique_ptr<MessageCoder> coder_;
  std::unique_ptr<Closing> closing_;
  WriteQueue queue_;
  Millis stalled_at_ = 0;  // since when the socket takes nothing; 0: it does
  std::uint64_t bytes_out_ = 0;
  std::uint64_t messages_out_ = 0;
  Socket socket_;
  Phase phase_ = Phase::head;
  bool refused_at_accept_;
  bool peer_ended_ = false;  // an event said so: read until eof
  bool blocked_ = false;     // the socket takes no more; `writable` will come
  bool fin_sent_ = false;
  bool paused_ = false;              // not read from until it has room for answers
  std::uint16_t close_code_ = 1006;  // for the log: ours, else the peer's, else none seen
  Address peer_;
  std::unique_ptr<Address> proxy_;  // the other end, where peer_ is another's
  std::uint64_t id_ =
      0;  // drawn by the upgrade: an old socket, kept alive by a proxy, may be the latest then
  std::unique_ptr<Error> refusal_;
  HeldBytes held_bytes_;
  std::string held_;  // bytes read and not used yet: half a head, or input of a client that must drain first
  std::optional<wire::Decoder> decoder_;
  std::unique_ptr<std::string> close_reason_;  // for the log, once it is known
  Timer timer_;
  Millis opened_at_;
  Millis last_life_at_;   // when a byte came, or room after the socket was full
  Millis last_input_at_;  // when a byte came
  Millis ping_at_ = 0;    // 0: none due
  Millis pong_by_ = 0;    // 0: no ping outstanding
  std::uint64_t bytes_in_ = 0;
  std::uint64_t messages_in_ = 0;
};

}  // namespace hubbub
