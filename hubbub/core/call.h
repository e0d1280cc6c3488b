// Call: what a handler gets of the request it serves. Reply<R>: the obligation to answer later; movable to
// any thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "hubbub/base/error.h"
#include "hubbub/base/poster.h"
#include "hubbub/base/slab.h"
#include "hubbub/core/json_write.h"
#include "hubbub/wire/jsonrpc.h"

namespace hubbub {

class Dispatcher;
class Hub;
class Session;
struct PendingCall;

// Where late answers are handed in. Outlives the dispatcher: `dispatcher` is null once it is gone, and only
// looked at on the shard's thread.
struct ReplyDesk {
  std::shared_ptr<Poster> poster;
  Dispatcher* dispatcher = nullptr;
};

// What is left to do once a call's answer is on its way.
using AfterReply = std::move_only_function<void(Hub&, Session&)>;

// An answer that is still owed, untyped. Destroyed without an answer it answers -32603, so a client never
// waits in vain.
class PendingReply {
 public:
  PendingReply(std::shared_ptr<ReplyDesk> desk, Handle<PendingCall> call)
      : desk_(std::move(desk)), call_(call) {}
  PendingReply(PendingReply&&) noexcept = default;
  PendingReply& operator=(PendingReply&&) = delete;
  ~PendingReply();
  // Result as JSON text. Any thread; once. Nothing happens if the session is gone or the call was cancelled.
  void answer(Result<std::string> result_json);

 private:
  std::shared_ptr<ReplyDesk> desk_;  // null once answered
  Handle<PendingCall> call_;
};

// The typed face of PendingReply: `reply.send(value)` or `reply.fail(error)`, once, from any thread.
template <class R>
class Reply {
 public:
  explicit Reply(PendingReply pending) : pending_(std::move(pending)) {}
  void send(const R& result) {
    std::string json;
    write_json(json, result);
    pending_.answer(std::move(json));
  }
  void fail(Error error) { pending_.answer(std::unexpected(std::move(error))); }

 private:
  PendingReply pending_;
};

template <>
class Reply<void> {
 public:
  explicit Reply(PendingReply pending) : pending_(std::move(pending)) {}
  void send() { pending_.answer("null"); }
  void fail(Error error) { pending_.answer(std::unexpected(std::move(error))); }

 private:
  PendingReply pending_;
};

// Dies when the handler returns; keep what you need of it. Shard's thread.
class Call {
 public:
  Call(Dispatcher& dispatcher, Hub& hub, Session& session, const wire::RpcRequest& request)
      : dispatcher_(dispatcher), hub_(hub), session_(session), request_(request) {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  [[nodiscard]] Hub& hub() { return hub_; }
  [[nodiscard]] Session& session() { return session_; }
  [[nodiscard]] std::string_view method() const { return request_.method; }
  [[nodiscard]] bool is_notification() const { return request_.is_notification(); }

  // Takes over the answer: the handler returns Deferred{} and the reply is sent when it is there. At most
  // once a call. Counts against limits.calls_in_flight until answered.
  template <class R>
  [[nodiscard]] Reply<R> defer() {
    return Reply<R>(defer_untyped(false));
  }
  // The same for an answer that the hub itself gives, at once or when another shard has answered. It does not
  // count against limits.calls_in_flight: while a session has that many of these, it is not read from.
  template <class R>
  [[nodiscard]] Reply<R> defer_within() {
    return Reply<R>(defer_untyped(true));
  }
  // `work` is run right after the message with this call's answer was pushed; in a batch, one message holds
  // all answers. It runs for notifications and failed calls too, but not if the session has ended by then.
  void after_reply(AfterReply work);

 private:
  friend class Dispatcher;
  [[nodiscard]] PendingReply defer_untyped(bool within);

  Dispatcher& dispatcher_;
  Hub& hub_;
  Session& session_;
  const wire::RpcRequest& request_;
  Handle<PendingCall> pending_;  // null: not deferred
};

}  // namespace hubbub
