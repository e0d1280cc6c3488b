// A server on libwebsockets, as its ring examples are built: one service thread, messages queued per
// connection and written in its writeable callback until the socket is full. Its event library is libuv where
// the package has it, for its own poll() loop slows down with thousands of connections. It knows no JSON-RPC,
// so it has no mode for it. Prints "listening PORT"; modes as bench/peers/README.md has them.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include <libwebsockets.h>

namespace {

enum class Mode : std::uint8_t { echo, fanout, deflate_fanout };

// Text with the room before it that lws_write wants for a header.
class Message {
 public:
  explicit Message(std::string_view text) : bytes_(LWS_PRE + text.size()), size_(text.size()) {
    std::memcpy(bytes_.data() + LWS_PRE, text.data(), text.size());
  }
  unsigned char* text() { return bytes_.data() + LWS_PRE; }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  std::vector<unsigned char> bytes_;
  std::size_t size_;
};

struct Connection {
  lws* wsi = nullptr;
  std::string partial;  // of a message that came in several reads
  std::deque<std::shared_ptr<Message>> queue;
};

Mode mode = Mode::echo;
std::unordered_set<Connection*> subscribers;

void send(Connection& connection, std::shared_ptr<Message> message) {
  connection.queue.push_back(std::move(message));
  lws_callback_on_writable(connection.wsi);
}

void on_message(Connection& connection, std::string_view text) {
  if (mode == Mode::echo) return send(connection, std::make_shared<Message>(text));
  if (text == "sub") {
    subscribers.insert(&connection);
    return send(connection, std::make_shared<Message>("ok"));
  }
  const auto message = std::make_shared<Message>(text);
  for (Connection* subscriber : subscribers) send(*subscriber, message);
}

void on_receive(Connection& connection, std::string_view bytes) {
  const bool whole =
      lws_is_final_fragment(connection.wsi) != 0 && lws_remaining_packet_payload(connection.wsi) == 0;
  if (whole && connection.partial.empty()) return on_message(connection, bytes);
  connection.partial.append(bytes);
  if (!whole) return;
  on_message(connection, connection.partial);
  connection.partial.clear();
}

// Writes until the queue is empty or the socket is full; false: the connection is broken.
bool on_writable(Connection& connection) {
  while (!connection.queue.empty()) {
    if (lws_send_pipe_choked(connection.wsi) != 0) {
      lws_callback_on_writable(connection.wsi);
      return true;
    }
    // One message is shared by all subscribers; lws_write uses the bytes before the text for the header.
    Message& message = *connection.queue.front();
    if (lws_write(connection.wsi, message.text(), message.size(), LWS_WRITE_TEXT) <
        static_cast<int>(message.size())) {
      return false;
    }
    connection.queue.pop_front();
  }
  return true;
}

int on_event(lws* wsi, lws_callback_reasons reason, void* user, void* data, std::size_t size) {
  auto* connection = static_cast<Connection*>(user);
  switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
      new (connection) Connection{wsi, {}, {}};
      return 0;
    case LWS_CALLBACK_CLOSED:
      subscribers.erase(connection);
      connection->~Connection();
      return 0;
    case LWS_CALLBACK_RECEIVE:
      on_receive(*connection, {static_cast<const char*>(data), size});
      return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
      return on_writable(*connection) ? 0 : -1;
    default:
      return 0;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view name = argc == 2 ? argv[1] : "";
  if (name == "fanout") {
    mode = Mode::fanout;
  } else if (name == "deflate-fanout") {
    mode = Mode::deflate_fanout;
  } else if (name != "echo") {
    std::fputs("usage: peer_libwebsockets echo|fanout|deflate-fanout\n", stderr);
    return 2;
  }
  lws_set_log_level(LLL_ERR, nullptr);
  const lws_protocols protocols[] = {{"bench", on_event, sizeof(Connection), 65536, 0, nullptr, 0}, {}};
  const lws_extension extensions[] = {
      {"permessage-deflate", lws_extension_callback_pm_deflate,
       "permessage-deflate; server_no_context_takeover; client_no_context_takeover"},
      {}};
  lws_context_creation_info info{};
  info.port = 0;
  info.iface = "127.0.0.1";
  info.protocols = protocols;
  info.extensions = mode == Mode::deflate_fanout ? extensions : nullptr;
  info.gid = static_cast<decltype(info.gid)>(-1);
  info.uid = static_cast<decltype(info.uid)>(-1);
  info.pt_serv_buf_size = 65536;
  info.options = LWS_SERVER_OPTION_LIBUV;
  lws_context* context = lws_create_context(&info);
  if (context == nullptr) {
    info.options = 0;
    context = lws_create_context(&info);
  }
  if (context == nullptr) return 1;
  std::printf("listening %d\n", lws_get_vhost_listen_port(lws_get_vhost_by_name(context, "default")));
  std::fflush(stdout);
  while (lws_service(context, 0) >= 0) {
  }
  lws_context_destroy(context);
}
