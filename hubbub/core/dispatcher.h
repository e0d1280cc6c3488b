// Dispatcher: a session's text message -> JSON-RPC calls -> replies in the session's outbox. Knows batches,
// errors, rate and in-flight limits; knows no method. The one catch around user handlers is here.
//
// Invariants: every call with an id gets exactly one reply (or its session ends); a batch is answered by one
// message when its last item is.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hubbub/base/slab.h"
#include "hubbub/core/call.h"
#include "hubbub/core/hub.h"
#include "hubbub/core/method_table.h"
#include "hubbub/wire/json.h"
#include "hubbub/wire/jsonrpc.h"

namespace hubbub {

// A batch with answers still to come.
struct PendingBatch {
  Handle<Session> session;
  std::string replies;        // "[{…},{…}": grows as answers come
  std::uint32_t waiting = 0;  // deferred items
  bool dispatched = false;    // all items have been looked at
  std::vector<AfterReply> after = {};
};

struct PendingCall {
  Handle<Session> session;
  std::string id;              // raw; empty: a notification
  Handle<PendingBatch> batch;  // null: a single call
  std::vector<AfterReply> after = {};
  bool within = false;  // see Call::defer_within
};

class Dispatcher {
 public:
  // All outlive the dispatcher. `poster` leads to the hub's thread.
  Dispatcher(Hub& hub, MethodTable& methods, std::shared_ptr<Poster> poster);
  ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  [[nodiscard]] Hub& hub() { return hub_; }
  [[nodiscard]] const MethodTable& methods() const { return methods_; }

  // One text message of an attached session; kReadPadding readable bytes behind it. The session may have
  // ended when this returns.
  void on_text(Session& session, std::string_view text);
  // Reads one message as a single request, for the exchange before there is a session. `id_out` as in
  // wire::read_request.
  [[nodiscard]] Result<wire::RpcRequest> read_single(std::string_view text, std::string_view& id_out);

  // The answer of a deferred call. Unknown handles (cancelled, session gone) are fine.
  void complete(Handle<PendingCall> call, Result<std::string> result_json);
  // $/cancelRequest: answers the session's deferred call with that raw id -32800 now.
  void cancel(Session& session, std::string_view id);
  [[nodiscard]] std::size_t calls_in_flight() const { return calls_.size(); }

 private:
  friend class Call;
  // What became of a call.
  enum class Ran : std::uint8_t {
    silent,   // nothing is to be said, or not now
    result,   // result_ is to be sent
    refused,  // the error's reply was appended to `out`
  };
  void on_other_text(Session& session, std::string_view text);
  void on_request(Session& session, const wire::RpcRequest& request, std::size_t bytes);
  void on_batch(Session& session, std::string_view text, wire::dom::array items);
  // The text is no JSON.
  void refuse_text(Session& session, Error error);
  // Reads and runs one item; appends its reply to `out` if one is due now.
  void run_item(Session& session, std::string_view raw, wire::dom::element element, std::string& out);
  // An item or a message that is no request.
  void refuse_unread(Session& session, const Error& error, std::string_view id, std::string& out);
  // session.ack as a notification, which is not counted.
  void take_ack(Session& session, const wire::RpcRequest& request);
  // The reply of an item that is not run because the batch's replies are full.
  void refuse_unrun(std::string_view raw, wire::dom::element element, std::string& out);
  [[nodiscard]] Ran run_call(Session& session, const wire::RpcRequest& request, std::size_t bytes,
                             std::string& out);
  [[nodiscard]] Ran run_method(Session& session, Method& method, const wire::RpcRequest& request,
                               std::string& out);
  [[nodiscard]] Ran refuse(const wire::RpcRequest& request, const Error& error, std::string& out);
  // What must hold before the method is called.
  [[nodiscard]] Result<Method*> admit(Session& session, const wire::RpcRequest& request);
  [[nodiscard]] Result<Outcome> invoke(Method& method, Call& call, const wire::RpcRequest& request);
  void reply_error(std::string_view id, const Error& error, std::string& out);
  // True if `error` may be answered: the call has an id and no answer was given by its deferred reply
  // meanwhile.
  [[nodiscard]] bool take_back(const Call& call);
  void forget(Session* session, Handle<PendingCall> call);
  void settle(PendingCall& call, const std::string& reply);
  void run_after(Handle<Session> session, std::vector<AfterReply> after);
  void run_after_message(Session& session);
  static void append_item(std::string& replies, std::string_view reply);
  void push_text(Session& session, std::string_view text);

  Hub& hub_;
  const Env& env_;
  MethodTable& methods_;
  wire::JsonParser parser_;
  Slab<PendingCall> calls_;
  Slab<PendingBatch> batches_;
  Handle<PendingBatch> batch_;  // the batch being dispatched, once one of its items was deferred
  bool in_batch_ = false;
  Method* last_method_ = nullptr;  // the one called last
  std::vector<AfterReply> after_;  // of the message being dispatched
  std::string out_;                // scratch: a reply, or a batch's replies
  std::string result_;             // scratch: a handler's result
  std::shared_ptr<ReplyDesk> desk_;
};

}  // namespace hubbub
