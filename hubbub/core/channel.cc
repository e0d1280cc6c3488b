#include "hubbub/core/channel.h"

#include <memory>
#include <utility>

#include "hubbub/core/notices.h"
#include "hubbub/core/params.h"
#include "hubbub/core/session_opening.h"
#include "hubbub/wire/ws_codec.h"

namespace hubbub {

Channel::Channel(Dispatcher& dispatcher, ChannelMode mode)
    : dispatcher_(dispatcher), env_(dispatcher.hub().env()), mode_(mode) {}

Channel::Channel(Dispatcher& dispatcher, ChannelMode mode, std::string resume) : Channel(dispatcher, mode) {
  resume_ = std::move(resume);
}

Channel::~Channel() {
  if (self_) *self_ = nullptr;
}

void Channel::on_open(Link& link) {
  link_ = &link;
  if (mode_ == ChannelMode::plain && resume_.empty()) return open_plain();
  const Timer::Fire late = [](void* self, Millis) {
    auto* channel = static_cast<Channel*>(self);
    channel->env_.stats.hit(LimitHit::open_deadline);
    channel->refuse(Errc::open_deadline, "no session.open within limits.open_deadline");
  };
  open_timer_ = std::make_unique<Timer>(late, this);
  env_.timers.arm(*open_timer_, env_.now() + env_.limits.open_deadline_ms);
  if (resume_.empty()) return;
  const std::size_t size = resume_.size();
  resume_.resize(size + wire::kReadPadding);
  on_first_message(std::string_view(resume_).substr(0, size));
  resume_ = {};
}

void Channel::open_plain() {
  auto opened_session = dispatcher_.hub().open_session(*link_, {});
  if (!opened_session) return refuse(opened_session.error());
  opened(*opened_session->session);
  fresh_ = true;
  link_->send_uncounted(notification("session.opened", opened_json(*session_, opened_session->token, env_)));
}

void Channel::opened(Session& session) {
  session_ = &session;
  code_ = session.code();
  if (mode_ == ChannelMode::v1) session.tell_acks();
  open_timer_.reset();
  env_.log.debug("session opened",
                 {{"session", session.code().text()}, {"connection", link_->connection_id()}});
}

void Channel::on_text(std::string_view text) {
  if (!session_ && code_) return;  // it went on at another connection
  if (!session_) return on_first_message(text);
  if (session_->state() == SessionState::ended) return;
  if (fresh_ && session_->received() == 0 && resumed_instead(text)) return;
  dispatcher_.on_text(*session_, text);
}

void Channel::on_first_message(std::string_view text) {
  std::string_view id;
  const auto request = dispatcher_.read_single(text, id);
  if (!request) {
    answer(id, std::unexpected(request.error()));
    return refuse(Errc::bad_first_message,
                  "the first message must be the request session.open or session.resume");
  }
  if (request->method == "session.open" && !request->is_notification()) {
    return answer_opening(id, open(*request));
  }
  if (request->method == "session.resume" && !request->is_notification()) {
    return begin_resume(id, *request, text);
  }
  if (!request->is_notification()) answer(id, fail(Errc::session_required));
  refuse(Errc::bad_first_message, "the first message must be the request session.open or session.resume");
}

void Channel::answer_opening(std::string_view id, const Result<std::string>& result) {
  answer(id, result);
  if (result) return;
  if (session_) return;  // plain mode: the fresh one stays
  if (mode_ == ChannelMode::plain)
    return refuse(Errc::bad_first_message, "the session ended while this connection moved to it");
  // Wrong params may be put right on this connection; a server that takes no session ends it, and says when
  // to come back.
  if (result.error().info().close_code != 0) return refuse(result.error());
  if (++refused_ < env_.limits.open_attempts) return;
  env_.stats.hit(LimitHit::open_attempts);
  refuse(Errc::rate_limited, "limits.open_attempts requests to open or resume were refused");
}

Result<std::string> Channel::open(const wire::RpcRequest& request) {
  OpenParams params;
  if (auto read = read_params(request, params); !read) return std::unexpected(std::move(read.error()));
  const std::string_view data = params.data ? params.data->text : std::string_view();
  if (data.size() > env_.limits.session_data_bytes) {
    env_.stats.hit(LimitHit::session_data_bytes);
    return std::unexpected(limit_error(Errc::request_too_big, "limits.session_data_bytes",
                                       "data has " + std::to_string(data.size()) + " bytes, allowed are " +
                                           std::to_string(env_.limits.session_data_bytes) +
                                           " (limits.session_data_bytes)"));
  }
  auto opened_session = dispatcher_.hub().open_session(*link_, data);
  if (!opened_session) return std::unexpected(std::move(opened_session.error()));
  opened(*opened_session->session);
  return opened_json(*session_, opened_session->token, env_);
}

bool Channel::resumed_instead(std::string_view text) {
  std::string_view id;
  const auto request = dispatcher_.read_single(text, id);
  if (!request || request->method != "session.resume" || request->is_notification()) return false;
  Millis retry_after_ms = 0;
  if (!session_->take_rate(retry_after_ms)) {
    Error error = limit_error(Errc::rate_limited, "limits.rate_per_s", "too many attempts to resume");
    error.retry_after_ms = retry_after_ms;
    answer(id, std::unexpected(std::move(error)));
  } else {
    begin_resume(id, *request, text);
  }
  return true;
}

void Channel::begin_resume(std::string_view id, const wire::RpcRequest& request, std::string_view text) {
  ResumeParams params;
  if (auto read = read_params(request, params); !read)
    return answer_opening(id, std::unexpected(std::move(read.error())));
  const auto code = SessionCode::parse(params.code);
  const ShardId owner = code ? env_.node.owner_of(*code) : env_.shard();
  if (owner == env_.shard()) return answer_opening(id, resume(params));
  asks_owner_ = ask_owner(owner, id, params, text);
  if (!asks_owner_) answer_opening(id, std::unexpected(neighbour_busy()));
}

bool Channel::ask_owner(ShardId owner, std::string_view id, const ResumeParams& params,
                        std::string_view text) {
  if (!self_) self_ = std::make_shared<Channel*>(this);
  auto answer = [self = self_, owner, id = std::string(id),
                 text = std::string(text)](Result<void> good) mutable {
    if (*self) (*self)->on_owner_answered(owner, id, std::move(text), good);
  };
  struct Shown {
    std::string code, token, epoch;
    std::uint64_t received;
  };
  Shown shown{std::string(params.code), std::string(params.token), std::string(params.epoch),
              params.received};
  return env_.neighbours->ask(
      owner,
      [shown = std::move(shown), connection = link_->connection_id(), remote = link_->remote(),
       back = env_.shard(), answer = std::move(answer)](Hub& there) mutable {
        auto good = there.check({shown.code, shown.token, shown.epoch, shown.received}, connection, remote);
        there.env().neighbours->answer(back, [answer = std::move(answer), good = std::move(good)](
                                                 Hub&) mutable { answer(std::move(good)); });
      },
      text.size());
}

void Channel::on_owner_answered(ShardId owner, std::string_view id, std::string text,
                                const Result<void>& good) {
  asks_owner_ = false;
  if (closing_) return;
  if (!good) {
    answer_opening(id, std::unexpected(good.error()));
    return link_->wake();  // it is read from again
  }
  if (session_) {
    link_->release_outbox();
    dispatcher_.hub().discard(*std::exchange(session_, nullptr));
  }
  open_timer_.reset();
  link_->move_to(owner, [mode = mode_, text = std::move(text)](Dispatcher* there) mutable {
    return std::make_unique<Channel>(*there, mode, std::move(text));
  });
}

Result<std::string> Channel::resume(const ResumeParams& params) {
  Hub& hub = dispatcher_.hub();
  if (session_ && hub.find(params.code) == session_)
    return fail(Errc::invalid_request, "this connection has that session already");
  auto resumed = hub.resume_session(
      *link_,
      {.code = params.code, .token = params.token, .epoch = params.epoch, .received = params.received});
  if (!resumed) return std::unexpected(std::move(resumed.error()));
  if (session_) {
    link_->release_outbox();
    hub.discard(*session_);
  }
  session_ = resumed->session;
  fresh_ = false;
  code_ = session_->code();
  session_->tell_acks();
  open_timer_.reset();
  env_.log.debug("session resumed", {{"session", code_->text()},
                                     {"connection", link_->connection_id()},
                                     {"from_ring", resumed->replay.from_ring},
                                     {"from_history", resumed->replay.from_history},
                                     {"missing_to", resumed->replay.missing_to}});
  return resumed_json(*session_, resumed->token, params.received, resumed->replay, env_);
}

// Before and with the opening, replies are not counted: they travel outside the outbox.
void Channel::answer(std::string_view id, const Result<std::string>& result) {
  std::string text;
  if (result) {
    wire::append_result(text, id, *result);
  } else {
    env_.stats.error(result.error().code);
    wire::append_error(text, id, result.error());
  }
  link_->send_uncounted(wire::make_frame(wire::Opcode::text, text));
}

void Channel::refuse(const Error& error) {
  const std::uint16_t code = error.info().close_code;
  link_->close(code, error.message(), CloseMode::after_outbox,
               closing_notice(code, error.message(), error.retry_after_ms));
}

void Channel::refuse(Errc code, std::string_view detail) { refuse(make_error(code, std::string(detail))); }

void Channel::on_binary(std::string_view) {
  const std::string_view reason = "binary messages are not taken; send text";
  if (session_)
    session_->close_link(error_info(Errc::binary_refused).close_code, reason, CloseMode::after_outbox);
  else
    refuse(Errc::binary_refused, reason);
}

void Channel::on_stalled() {
  if (session_)
    session_->on_stalled();
  else
    refuse(Errc::slow_consumer, "nothing read for outbox.write_stall");
}

void Channel::on_closing() {
  closing_ = true;
  open_timer_.reset();
  if (session_) session_->on_link_closing();
}

void Channel::on_superseded() {
  open_timer_.reset();
  session_ = nullptr;
}

void Channel::on_gone() {
  open_timer_.reset();
  link_ = nullptr;
  if (session_) dispatcher_.hub().detach(*std::exchange(session_, nullptr));
}

FrameRef Channel::farewell(std::uint16_t code, std::string_view reason, std::int64_t retry_after_ms) {
  return closing_notice(code, reason, retry_after_ms);
}

void Channel::on_sent(std::size_t count) { session_->on_sent(count); }

}  // namespace hubbub
