#include "hubbub/core/dispatcher.h"

#include <exception>
#include <utility>
#include <vector>

#include "hubbub/base/assert.h"
#include "hubbub/core/params.h"
#include "hubbub/core/session_opening.h"
#include "hubbub/wire/utf8.h"
#include "hubbub/wire/ws_codec.h"

namespace hubbub {

namespace {

constexpr std::size_t kScratchKeep = 64 * 1024;
constexpr std::string_view kAckMethod = "session.ack";

void shrink(std::string& scratch) {
  if (scratch.capacity() > kScratchKeep) scratch = {};
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
  auto parsed = parser_.parse(text);
  wire::dom::array items;
  if (!parsed) {
    session.count_received();
    if (!parsed.error().limit.empty()) env_.stats.hit(LimitHit::json_depth);
    Millis retry_after_ms = 0;
    // Not even JSON still costs a message of the allowance.
    if (!session.take_rate(retry_after_ms)) {
      parsed.error() =
          limit_error(Errc::rate_limited, "limits.rate_per_s", "more messages than limits.rate_per_s allows");
      parsed.error().retry_after_ms = retry_after_ms;
    }
    reply_error("null", parsed.error(), out_);
  } else if (parsed->get(items) == simdjson::SUCCESS) {
    session.count_received();
    return on_batch(session, text, items);
  } else {
    std::string_view id = "null";
    const auto request = wire::read_request(text, *parsed, id);
    if (request && request->is_notification() && request->method == kAckMethod)
      return take_ack(session, *request);
    session.count_received();
    run_read(session, request, id, text.size(), out_);
  }
  if (!out_.empty()) push_text(session, out_);
  shrink(out_);
  run_after(session.handle(), std::exchange(after_, {}));
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
      run(session, slices.value(), element, item);
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
  run_after(session.handle(), std::exchange(after_, {}));
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

void Dispatcher::run(Session& session, std::string_view raw, wire::dom::element element, std::string& out) {
  std::string_view id = "null";
  run_read(session, wire::read_request(raw, element, id), id, raw.size(), out);
}

void Dispatcher::run_read(Session& session, const Result<wire::RpcRequest>& request, std::string_view id,
                          std::size_t bytes, std::string& out) {
  Millis retry_after_ms = 0;
  ++env_.stats.calls;
  // Leaving is always possible.
  const bool leaves = request && request->method == "session.close";
  if (!leaves && !session.take_rate(retry_after_ms)) {
    if (request && request->is_notification()) return;
    Error error = limit_error(
        Errc::rate_limited, "limits.rate_per_s",
        "more messages than limits.rate_per_s allows; retry after " + std::to_string(retry_after_ms) + " ms");
    error.retry_after_ms = retry_after_ms;
    return reply_error(id, error, out);
  }
  if (!request) return reply_error(id, request.error(), out);
  if (env_.log.enabled(LogLevel::debug))
    env_.log.debug("message",
                   {{"session", session.code().text()}, {"method", request->method}, {"bytes", bytes}});
  run_request(session, *request, out);
}

void Dispatcher::run_request(Session& session, const wire::RpcRequest& request, std::string& out) {
  result_.clear();
  Call call(*this, hub_, session, request);
  Result<Outcome> outcome = std::unexpected(Error{});
  if (const auto method = admit(session, request))
    outcome = invoke(**method, call, request);
  else
    outcome = std::unexpected(method.error());
  if (outcome && *outcome == Outcome::deferred) {
    // A single call's work waits with it, unless it has been answered on the way out.
    PendingCall* waits = in_batch_ ? nullptr : calls_.get(call.pending_);
    if (waits) waits->after = std::exchange(after_, {});
    if (call.pending_) return;
    outcome = fail(Errc::internal_error, "the method neither answered nor deferred");
  }
  if (!take_back(call) || request.is_notification()) return;
  if (outcome && result_.size() > env_.limits.response_bytes) {
    env_.stats.hit(LimitHit::response_bytes);
    outcome = std::unexpected(limit_error(Errc::response_too_big, "limits.response_bytes",
                                          "the result exceeds " + std::to_string(env_.limits.response_bytes) +
                                              " bytes (limits.response_bytes)"));
  }
  if (outcome)
    reply_result(request.id, result_, out);
  else
    reply_error(request.id, outcome.error(), out);
  shrink(result_);
}

Result<Method*> Dispatcher::admit(Session& session, const wire::RpcRequest& request) {
  Method* method = methods_.find(request.method);
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

void Dispatcher::reply_result(std::string_view id, std::string_view result, std::string& out) {
  wire::append_result(out, id, result.empty() ? "null" : result);
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
      reply_result(call.id, *result_json, reply);
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
    if (call && !call->id.empty() && call->id == id) complete(handle, fail(Errc::cancelled));
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
