// Channel: the endpoint of one connection that speaks JSON-RPC. Opens the session (at once in plain mode; by
// the first message on hubbub.v1), then passes messages to the dispatcher. Policy about sessions is in
// Session and Hub.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "hubbub/base/timer_wheel.h"
#include "hubbub/core/dispatcher.h"
#include "hubbub/core/link.h"
#include "hubbub/core/session_opening.h"

namespace hubbub {

inline constexpr std::string_view kSubprotocol = "hubbub.v1";

enum class ChannelMode : std::uint8_t {
  plain,  // no subprotocol: the session is opened by the server
  v1,     // hubbub.v1: the first message must be session.open or session.resume
};

class Channel final : public Endpoint {
 public:
  Channel(Dispatcher& dispatcher, ChannelMode mode);
  // Of a connection that was moved here from another shard, because of its request `resume`.
  Channel(Dispatcher& dispatcher, ChannelMode mode, std::string resume);
  ~Channel() override;

  void on_open(Link& link) override;
  void on_text(std::string_view text) override;
  void on_binary(std::string_view bytes) override;
  void on_stalled() override;
  void on_closing() override;
  void on_superseded() override;
  void on_gone() override;
  [[nodiscard]] FrameRef farewell(std::uint16_t code, std::string_view reason,
                                  std::int64_t retry_after_ms) override;
  [[nodiscard]] std::string label() const override { return code_ ? code_->text() : std::string(); }
  [[nodiscard]] Outbox* outbox() override { return session_ ? &session_->outbox() : nullptr; }
  void on_sent(std::size_t count) override;
  [[nodiscard]] bool accepts_input() const override {
    return !asks_owner_ && (!session_ || session_->accepts_input());
  }

 private:
  void open_plain();
  void on_first_message(std::string_view text);
  // In plain mode the first message may resume another session than the fresh one. False: it is no such
  // message.
  [[nodiscard]] bool resumed_instead(std::string_view text);
  // The results of session.open and session.resume as JSON, or why not.
  [[nodiscard]] Result<std::string> open(const wire::RpcRequest& request);
  [[nodiscard]] Result<std::string> resume(const ResumeParams& params);
  // Resumes here, or asks the shard that owns the session first.
  void begin_resume(std::string_view id, const wire::RpcRequest& request, std::string_view text);
  [[nodiscard]] bool ask_owner(ShardId owner, std::string_view id, const ResumeParams& params,
                               std::string_view text);
  void on_owner_answered(ShardId owner, std::string_view id, std::string text, const Result<void>& good);
  void answer(std::string_view id, const Result<std::string>& result);
  // Answers the opening request; refused too often, or for good, it ends the connection.
  void answer_opening(std::string_view id, const Result<std::string>& result);
  // Closes the connection with the error's close code.
  void refuse(const Error& error);
  void refuse(Errc code, std::string_view detail);
  void opened(Session& session);

  Dispatcher& dispatcher_;
  const Env& env_;
  ChannelMode mode_;
  Link* link_ = nullptr;
  // Lives until on_gone at least: the hub frees an ended session only after that. Null before the opening,
  // and when the session went on at another connection.
  Session* session_ = nullptr;
  std::size_t refused_ = 0;            // openings
  std::string resume_;                 // the request it was moved for, until it is open
  std::shared_ptr<Channel*> self_;     // for an answer from another shard; points at null when this is gone
  bool closing_ = false;               // the connection is
  bool asks_owner_ = false;            // whether it may move there: no input meanwhile
  std::optional<SessionCode> code_;    // of the session it serves or served
  bool fresh_ = false;                 // the server opened the session: another one may be resumed instead
  std::unique_ptr<Timer> open_timer_;  // until the session is open
};

}  // namespace hubbub
