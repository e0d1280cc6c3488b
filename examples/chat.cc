// Chat rooms: a room is a topic, a member is a session with a nickname. Handlers all run on one thread, so
// the rooms need no lock. Rooms keep no history: who is not there misses what is said.
//
//   chat [HOST:PORT], then call chat.join {room, nick}, chat.say {text}, chat.leave
//   and hear topic.message {topic: "room.ROOM", offset, data: {event, nick, text?}}
#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "examples/options.h"
#include "hubbub/core/rules.h"
#include "hubbub/server/server.h"

using hubbub::Call, hubbub::Hub, hubbub::NoParams, hubbub::Result, hubbub::Session, hubbub::reject;

struct Join {
  std::string room, nick;
  static constexpr auto rules() {
    return hubbub::rules(hubbub::length(&Join::room, 1, 32), hubbub::length(&Join::nick, 1, 24));
  }
};
BOOST_DESCRIBE_STRUCT(Join, (), (room, nick))

struct Joined {
  std::vector<std::string> members;
};
BOOST_DESCRIBE_STRUCT(Joined, (), (members))

struct Say {
  std::string text;
  static constexpr auto rules() { return hubbub::rules(hubbub::length(&Say::text, 1, 1000)); }
};
BOOST_DESCRIBE_STRUCT(Say, (), (text))

enum class EventKind { joined, said, left };
BOOST_DESCRIBE_ENUM(EventKind, joined, said, left)

struct Event {
  EventKind event;
  std::string nick;
  std::optional<std::string> text = {};
};
BOOST_DESCRIBE_STRUCT(Event, (), (event, nick, text))

// The errors a client may want to tell apart.
enum ChatError { kAlreadyInRoom = 1, kNickTaken = 2, kNotInRoom = 3 };

class Chat {
 public:
  Result<Joined> join(Call& call, const Join& params) {
    if (members_.contains(key(call.session()))) return reject(kAlreadyInRoom, "leave your room first");
    if (const auto room = rooms_.find(params.room);
        room != rooms_.end() && room->second.contains(params.nick))
      return reject(kNickTaken, "somebody here is called " + params.nick);
    // Refuses a room whose name makes no topic; the client is told why.
    if (const auto at = call.hub().subscribe(call.session(), topic(params.room)); !at)
      return std::unexpected(at.error());
    members_.emplace(key(call.session()), params);
    auto& nicks = rooms_[params.room];
    nicks.insert(params.nick);
    call.hub().publish(topic(params.room), Event{EventKind::joined, params.nick});
    return Joined{{nicks.begin(), nicks.end()}};
  }

  Result<void> say(Call& call, const Say& params) {
    const auto member = members_.find(key(call.session()));
    if (member == members_.end()) return reject(kNotInRoom, "join a room first");
    call.hub().publish(topic(member->second.room), Event{EventKind::said, member->second.nick, params.text});
    return {};
  }

  Result<void> leave(Call& call, const NoParams&) {
    if (!members_.contains(key(call.session()))) return reject(kNotInRoom, "you are in no room");
    remove(call.hub(), call.session());
    return {};
  }

  // Also when a session ends: a member who is cut off stays for the session's grace time.
  void remove(Hub& hub, Session& session) {
    const auto member = members_.extract(key(session));
    if (!member) return;
    const auto& [room, nick] = member.mapped();
    hub.unsubscribe(session, topic(room));
    if (auto& nicks = rooms_[room]; nicks.erase(nick) > 0 && nicks.empty()) rooms_.erase(room);
    hub.publish(topic(room), Event{EventKind::left, nick});
  }

 private:
  static std::uint64_t key(const Session& session) { return session.handle().bits(); }
  static std::string topic(const std::string& room) { return "room." + room; }

  std::map<std::uint64_t, Join> members_;  // by session: where it is and as whom
  std::map<std::string, std::set<std::string>> rooms_;
};

int main(int argc, char** argv) {
  hubbub::Config defaults;
  // Not topic.*: with that anybody could listen in, or speak in a room in another's name.
  defaults.access.allow = {"chat.*", "session.*", "ping", "rpc.discover", "$/cancelRequest"};
  Chat chat;
  hubbub::Server server(options(argc, argv, defaults));
  server.methods().add<Join, Joined>("chat.join", std::bind_front(&Chat::join, &chat));
  server.methods().add<Say, void>("chat.say", std::bind_front(&Chat::say, &chat));
  server.methods().add<NoParams, void>("chat.leave", std::bind_front(&Chat::leave, &chat));
  server.on_session_end(std::bind_front(&Chat::remove, &chat));
  return server.run();
}
