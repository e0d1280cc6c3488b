#include "hubbub/core/dispatcher.h"

#include <exception>
#include <utility>
#include <vector>

#include "hubbub/base/assert.h"
#include "hubbub/core/params.h"
#include "hubbub/core/session_opening.h"
#include "hubbub/wire/plain_request.h"
#include "hubbub/wire/utf8.h"
#include "hubbub/wire/ws_codec.h"

namespace hubbub {

namespace {

constexpr std::size_t kScratchKeep = 64 * 1024;
constexpr std::string_view kAckMethod = "session.ack";

void shrink(std::string& scratch) {
  if (scratch.capacity() > kScratchKeep) scratch = {};
}

std::string_view or_null(const std::string& result) {
  return result.empty() ? "null" : std::string_view(result);
}

Error rate_error(Millis retry_after_ms) {
  Error error = limit_error(
      Errc::rate_limited, "limits.rate_per_s",
      "more messages than limits.rate_per_s allows; retry after " + std::to_string(retry_after_ms) + " ms");
  error.retry_after_ms = retry_after_ms;
  return error;
}

}  // namespace

PendingReply::~PendingReply() {
  if (desk_) answer(fail(Errc::internal_error, "the method ended without an answer"));
}

void PendingReply::answer(Result<std::string> result_json) {
  HUBBUB_ASSERT(desk_ != nullptr);
  const std::shared_ptr<ReplyDesk> desk = std::move(desk_);
  desk_ = nullptr;
  if (desk->poster->on_thread()) {
    if (desk->dispatcher) desk->dispatcher->complete(call_, std::move(result_json));
    return;
  }
  desk->poster->post([desk, call = call_, result = std::move(result_json)]() mutable {
    if (desk->dispatcher) desk->dispatcher->complete(call, std::move(result));
  });
}

PendingReply Call::defer_untyped(bool within) {
  HUBBUB_ASSERT(!pending_);
  Dispatcher& d = dispatcher_;
  if (d.in_batch_ && !d.batch_) d.batch_ = d.batches_.emplace(PendingBatch{session_.handle(), {}, 0, false});
  if (d.batch_) ++d.batches_.get(d.batch_)->waiting;
  pending_ = d.calls_.emplace(PendingCall{session_.handle(), std::string(request_.id), d.batch_});
  d.calls_.get(pending_)->within = within;
  session_.calls.push_back(pending_);
  session_.calls_within += within;
  ++d.env_.stats.calls_in_flight;
  return PendingReply(d.desk_, pending_);
}

void Call::after_reply(AfterReply work) { dispatcher_.after_.push_back(std::move(work)); }

Dispatcher::Dispatcher(Hub& hub, MethodTable& methods, std::shared_ptr<Poster> poster)
    : hub_(hub),
      env_(hub.env()),
      methods_(methods),
      parser_(env_.limits.json_depth),
      desk_(std::make_shared<ReplyDesk>(ReplyDesk{std::move(poster), this})) {}

Dispatcher::~Dispatcher() { desk_->dispatcher = nullptr; }

void Dispatcher::on_text(Session& session, std::string_view text) {
  ++env_.stats.messages_in;
  out_.clear();
  wire::RpcRequest request;
  if (!wire::read_plain_request(text, env_.limits.json_depth, request)) return on_other_text(session, text);
  request.params_parser = &parser_;
  on_request(session, request, text.size());
}

// What is no single request as most clients write it, or no request at all.
void Dispatcher::on_other_text(Session& session, std::string_view text) {
  auto parsed = parser_.parse(text);
  if (!parsed) return refuse_text(session, std::move(parsed.error()));
  if (wire::dom::array items; parsed->get(items) == simdjson::SUCCESS) {
    session.count_received();
    return on_batch(session, text, items);
  }
  std::string_view id = "null";
  const auto request = wire::read_request(text, *parsed, id);
  if (request) return on_request(session, *request, text.size());
  session.count_received();
  refuse_unread(session, request.error(), id, out_);
  push_text(session, out_);
}

void Dispatcher::on_request(Session& session, const wire::RpcRequest& request, std::size_t bytes) {
  if (request.is_notification() && request.method == kAckMethod) return take_ack(session, request);
  session.count_received();
  const Ran ran = run_call(session, request, bytes, out_);
  if (ran == Ran::result) session.push_reply(wire::make_result_frame(request.id, or_null(result_)));
  if (ran == Ran::refused) push_text(session, out_);
  shrink(out_);
  shrink(result_);
  run_after_message(session);
}

// Not even JSON still costs a message of the allowance.
void Dispatcher::refuse_text(Session& session, Error error) {
  session.count_received();
  if (!error.limit.empty()) env_.stats.hit(LimitHit::json_depth);
  Millis retry_after_ms = 0;
  if (!session.take_rate(retry_after_ms)) {
    error =
        limit_error(Errc::rate_limited, "limits.rate_per_s", "more messages than limits.rate_per_s allows");
    error.retry_after_ms = retry_after_ms;
  }
  reply_error("null", error, out_);
  push_text(session, out_);
}

void Dispatcher::take_ack(Session& session, const wire::RpcRequest& request) {
  // It costs one message of the allowance and is never refused: without it the client could not come back.
  Millis ignored = 0;
  static_cast<void>(session.take_rate(ignored));
  AckParams params;
  const bool understood = read_params(request, params).has_value();
  if (understood && session.on_ack(params.received)) return;
  session.close_link(error_info(Errc::ws_protocol).close_code,
                     understood ? "session.ack claims more messages than were sent"
                                : "session.ack needs the params {received: count}",
                     CloseMode::now);
}

Result<wire::RpcRequest> Dispatcher::read_single(std::string_view text, std::string_view& id_out) {
  id_out = "null";
  auto parsed = parser_.parse(text);
  if (!parsed) return std::unexpected(std::move(parsed.error()));
  return wire::read_request(text, *parsed, id_out);
}

void Dispatcher::on_batch(Session& session, std::string_view text, wire::dom::array items) {
  const std::size_t count = items.size();
  const Limits& limits = env_.limits;
  if (count == 0 || count > limits.batch_items) {
    Error error = make_error(Errc::invalid_request, "an empty batch");
    if (count > 0) {
      env_.stats.hit(LimitHit::batch_items);
      error = limit_error(Errc::batch_too_large, "limits.batch_items",
                          "the batch has " + std::to_string(count) + " items, allowed are " +
                              std::to_string(limits.batch_items) + " (limits.batch_items)");
    }
    Millis retry_after_ms = 0;
    if (!session.take_rate(retry_after_ms)) error.retry_after_ms = retry_after_ms;
    reply_error("null", error, out_);
    return push_text(session, out_);
  }
  in_batch_ = true;
  batch_ = {};
  std::string replies;
  std::string item;
  wire::JsonSlices slices(text);
  for (const wire::dom::element element : items) {
    if (!slices.next() || session.state() == SessionState::ended) break;
    item.clear();
    // Once the replies are full nothing more is run: an answer that cannot be told must not have happened.
    const PendingBatch* answered = batches_.get(batch_);
    if (replies.size() + (answered ? answered->replies.size() : 0) < limits.batch_response_bytes)
      run_item(session, slices.value(), element, item);
    else
      refuse_unrun(slices.value(), element, item);
    append_item(replies, item);
  }
  in_batch_ = false;
  const Handle<PendingBatch> waiting = std::exchange(batch_, {});
  PendingBatch* late = waiting ? batches_.get(waiting) : nullptr;
  if (late) {
    // Deferred items that were answered meanwhile stand in late->replies.
    if (!late->replies.empty()) append_item(replies, std::string_view(late->replies).substr(1));
    late->replies = std::move(replies);
    late->dispatched = true;
    if (late->waiting > 0) {
      late->after = std::exchange(after_, {});
      return;
    }
    replies = std::move(late->replies);
    batches_.erase(waiting);
  }
  if (!replies.empty()) push_text(session, replies + "]");
  run_after_message(session);
}

void Dispatcher::refuse_unrun(std::string_view raw, wire::dom::element element, std::string& out) {
  std::string_view id = "null";
  const auto request = wire::read_request(raw, element, id);
  if (request && request->is_notification()) return;
  env_.stats.hit(LimitHit::batch_response_bytes);
  reply_error(id,
              limit_error(Errc::response_too_big, "limits.batch_response_bytes",
                          "not run: the batch's responses reached " +
                              std::to_string(env_.limits.batch_response_bytes) +
                              " bytes (limits.batch_response_bytes); send fewer items"),
              out);
}

void Dispatcher::run_item(Session& session, std::string_view raw, wire::dom::element element,
                          std::string& out) {
  std::string_view id = "null";
  const auto request = wire::read_request(raw, element, id);
  if (!request) return refuse_unread(session, request.error(), id, out);
  if (run_call(session, *request, raw.size(), out) == Ran::result)
    wire::append_result(out, request->id, or_null(result_));
  shrink(result_);
}

void Dispatcher::refuse_unread(Session& session, const Error& error, std::string_view id, std::string& out) {
  ++env_.stats.calls;
  Millis retry_after_ms = 0;
  if (session.take_rate(retry_after_ms)) return reply_error(id, error, out);
  reply_error(id, rate_error(retry_after_ms), out);
}

Dispatcher::Ran Dispatcher::run_call(Session& session, const wire::RpcRequest& request, std::size_t bytes,
                                     std::string& out) {
  ++env_.stats.calls;
  Millis retry_after_ms = 0;
  // Leaving is always possible.
  if (request.method != "session.close" && !session.take_rate(retry_after_ms)) [[unlikely]]
    return refuse(request, rate_error(retry_after_ms), out);
  if (env_.log.enabled(LogLevel::debug))
    env_.log.debug("message",
                   {{"session", session.code().text()}, {"method", request.method}, {"bytes", bytes}});
  const auto method = admit(session, request);
  if (!method) return refuse(request, method.error(), out);
  return run_method(session, **method, request, out);
}

Dispatcher::Ran Dispatcher::run_method(Session& session, Method& method, const wire::RpcRequest& request,
                                       std::string& out) {
  result_.clear();
  Call call(*this, hub_, session, request);
  const Result<Outcome> outcome = invoke(method, call, request);
  if (outcome && *outcome == Outcome::deferred) {
    // A single call's work waits with it, unless it has been answered on the way out.
    PendingCall* waits = in_batch_ ? nullptr : calls_.get(call.pending_);
    if (waits) waits->after = std::exchange(after_, {});
    if (call.pending_) return Ran::silent;
    return refuse(request, make_error(Errc::internal_error, "the method neither answered nor deferred"), out);
  }
  if (!take_back(call)) return Ran::silent;
  if (!outcome) return refuse(request, outcome.error(), out);
  if (request.is_notification()) return Ran::silent;
  if (result_.size() <= env_.limits.response_bytes) return Ran::result;
  env_.stats.hit(LimitHit::response_bytes);
  return refuse(request,
                limit_error(Errc::response_too_big, "limits.response_bytes",
                            "the result exceeds " + std::to_string(env_.limits.response_bytes) +
                                " bytes (limits.response_bytes)"),
                out);
}

Dispatcher::Ran Dispatcher::refuse(const wire::RpcRequest& request, const Error& error, std::string& out) {
  if (request.is_notification()) return Ran::silent;
  reply_error(request.id, error, out);
  return Ran::refused;
}

Result<Method*> Dispatcher::admit(Session& session, const wire::RpcRequest& request) {
  // Clients call the same method again and again.
  const bool again = last_method_ && last_method_->name == request.method;
  Method* method = again ? last_method_ : methods_.find(request.method);
  if (!method)
    return fail(
        Errc::method_not_found,
        "no method \"" + std::string(wire::utf8_prefix(request.method, MethodTable::kNameBytesMax)) + '"');
  if (!env_.access.method_allowed(request.method))
    return fail(Errc::forbidden, "this server's access.allow does not list \"" + method->name + '"');
  if (session.calls.size() - session.calls_within >= env_.limits.calls_in_flight &&
      request.method != "$/cancelRequest") {
    env_.stats.hit(LimitHit::calls_in_flight);
    return std::unexpected(
        limit_error(Errc::busy, "limits.calls_in_flight",
                    std::to_string(session.calls.size() - session.calls_within) +
                        " calls are in flight (limits.calls_in_flight); wait for one to end"));
  }
  last_method_ = method;
  return method;
}

Result<Outcome> Dispatcher::invoke(Method& method, Call& call, const wire::RpcRequest& request) {
  // The one place where foreign code may throw: it answers this call and harms nothing else.
  try {
    return method.invoke(call, request, result_);
  } catch (const std::exception& thrown) {
    env_.log.error("method threw", {{"method", method.name}, {"what", thrown.what()}});
  } catch (...) {
    env_.log.error("method threw", {{"method", method.name}, {"what", "not a std::exception"}});
  }
  return fail(Errc::internal_error);
}

bool Dispatcher::take_back(const Call& call) {
  if (!call.pending_) return true;
  PendingCall* pending = calls_.get(call.pending_);
  if (!pending) return false;  // its Reply died with an answer on the way out
  if (PendingBatch* batch = batches_.get(pending->batch)) --batch->waiting;
  forget(&call.session_, call.pending_);
  return true;
}

void Dispatcher::reply_error(std::string_view id, const Error& error, std::string& out) {
  env_.stats.error(error.code);
  if (wire::utf8_valid(error.detail) && wire::utf8_valid(error.data))
    return wire::append_error(out, id, error);
  // A handler's bad string must not break the connection's text.
  Error told = error;
  told.detail = mended_utf8(error.detail);
  told.data = mended_utf8(error.data);
  wire::append_error(out, id, told);
}

void Dispatcher::complete(Handle<PendingCall> handle, Result<std::string> result_json) {
  PendingCall* found = calls_.get(handle);
  if (!found) return;
  PendingCall call = std::move(*found);
  forget(hub_.get(call.session), handle);
  std::string reply;
  if (!call.id.empty()) {
    const PendingBatch* batch = batches_.get(call.batch);
    if (result_json && batch && batch->replies.size() >= env_.limits.batch_response_bytes) {
      env_.stats.hit(LimitHit::batch_response_bytes);
      result_json = std::unexpected(limit_error(Errc::response_too_big, "limits.batch_response_bytes",
                                                "the batch's responses exceed limits.batch_response_bytes"));
    }
    if (result_json && result_json->size() > env_.limits.response_bytes) {
      env_.stats.hit(LimitHit::response_bytes);
      result_json = std::unexpected(limit_error(Errc::response_too_big, "limits.response_bytes",
                                                "the result exceeds limits.response_bytes"));
    }
    if (result_json)
      wire::append_result(reply, call.id, or_null(*result_json));
    else
      reply_error(call.id, result_json.error(), reply);
  }
  settle(call, reply);
}

void Dispatcher::forget(Session* session, Handle<PendingCall> handle) {
  const bool within = calls_.get(handle)->within;
  calls_.erase(handle);
  --env_.stats.calls_in_flight;
  if (!session) return;
  std::erase(session->calls, handle);
  session->calls_within -= within;
  // Perhaps it was not read from because of this one.
  if (within && session->calls_within + 1 == env_.limits.calls_in_flight && session->link())
    session->link()->wake();
}

void Dispatcher::settle(PendingCall& call, const std::string& reply) {
  Session* session = hub_.get(call.session);
  if (!call.batch) {
    if (session && !reply.empty()) push_text(*session, reply);
    return run_after(call.session, std::move(call.after));
  }
  PendingBatch* batch = batches_.get(call.batch);
  HUBBUB_ASSERT(batch != nullptr && batch->waiting > 0);
  append_item(batch->replies, reply);
  if (--batch->waiting > 0 || !batch->dispatched) return;
  if (session && !batch->replies.empty()) push_text(*session, batch->replies + "]");
  std::vector<AfterReply> after = std::move(batch->after);
  batches_.erase(call.batch);
  run_after(call.session, std::move(after));
}

void Dispatcher::run_after_message(Session& session) {
  if (!after_.empty()) run_after(session.handle(), std::exchange(after_, {}));
}

void Dispatcher::run_after(Handle<Session> handle, std::vector<AfterReply> after) {
  for (AfterReply& work : after) {
    Session* session = hub_.get(handle);
    if (!session || session->state() == SessionState::ended) return;
    work(hub_, *session);
  }
}

void Dispatcher::cancel(Session& session, std::string_view id) {
  const auto calls = session.calls;  // complete() changes the session's list
  for (const auto handle : calls) {
    const PendingCall* call = calls_.get(handle);
    // What the hub itself answers is under way and ends soon.
    if (call && !call->within && !call->id.empty() && call->id == id) complete(handle, fail(Errc::cancelled));
  }
}

void Dispatcher::append_item(std::string& replies, std::string_view reply) {
  if (reply.empty()) return;
  replies += replies.empty() ? '[' : ',';
  replies += reply;
}

void Dispatcher::push_text(Session& session, std::string_view text) {
  session.push_reply(wire::make_frame(wire::Opcode::text, text));
}

}  // namespace hubbub
