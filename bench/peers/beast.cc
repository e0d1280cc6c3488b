// A server on Boost.Beast, as its asynchronous examples are built: one thread, one io_context, a queue of
// shared messages per connection with one async_write under way, the suggested timeouts. JSON-RPC through
// Boost.JSON. Prints "listening PORT"; modes as bench/peers/README.md has them.
#include <cstdint>
#include <cstdio>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/json/src.hpp>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace json = boost::json;
namespace websocket = beast::websocket;
using tcp = asio::ip::tcp;
using Message = std::shared_ptr<const std::string>;

enum class Mode : std::uint8_t { echo, jsonrpc, fanout, deflate_fanout };

class Session;

struct World {
  Mode mode = Mode::echo;
  std::unordered_set<Session*> subscribers;
};

std::string answer(std::string_view text) {
  boost::system::error_code error;
  json::value request = json::parse({text.data(), text.size()}, error);
  auto* members = error ? nullptr : request.if_object();
  if (members == nullptr)
    return R"({"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"parse error"}})";
  json::object reply{{"jsonrpc", "2.0"}, {"id", std::move((*members)["id"])}};
  if ((*members)["method"] == "echo") {
    reply["result"] = std::move((*members)["params"]);
  } else {
    reply["error"] = {{"code", -32601}, {"message", "method not found"}};
  }
  return json::serialize(reply);
}

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, World& world) : stream_(std::move(socket)), world_(world) {}
  ~Session() { world_.subscribers.erase(this); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void run() {
    stream_.set_option(websocket::stream_base::timeout::suggested(beast::role_type::server));
    if (world_.mode == Mode::deflate_fanout) {
      websocket::permessage_deflate deflate;
      deflate.server_enable = true;
      deflate.server_no_context_takeover = true;
      deflate.client_no_context_takeover = true;
      deflate.compLevel = 1;
      stream_.set_option(deflate);
    }
    stream_.read_message_max(65536);
    stream_.async_accept([self = shared_from_this()](beast::error_code error) {
      if (!error) self->read();
    });
  }

  void send(Message message) {
    queue_.push_back(std::move(message));
    if (queue_.size() == 1) write();
  }

 private:
  void read() {
    stream_.async_read(buffer_, [self = shared_from_this()](beast::error_code error, std::size_t) {
      if (error) return self->forget();
      const auto data = self->buffer_.data();
      self->on_message({static_cast<const char*>(data.data()), data.size()});
      self->buffer_.clear();
      self->read();
    });
  }

  void on_message(std::string_view text) {
    if (world_.mode == Mode::echo) return send(std::make_shared<const std::string>(text));
    if (world_.mode == Mode::jsonrpc) return send(std::make_shared<const std::string>(answer(text)));
    if (text == "sub") {
      world_.subscribers.insert(this);
      return send(std::make_shared<const std::string>("ok"));
    }
    const auto message = std::make_shared<const std::string>(text);
    for (Session* subscriber : world_.subscribers) subscriber->send(message);
  }

  void write() {
    stream_.text(true);
    stream_.async_write(asio::buffer(*queue_.front()),
                        [self = shared_from_this()](beast::error_code error, std::size_t) {
                          if (error) return self->forget();
                          self->queue_.pop_front();
                          if (!self->queue_.empty()) self->write();
                        });
  }

  void forget() { world_.subscribers.erase(this); }

  websocket::stream<beast::tcp_stream> stream_;
  World& world_;
  beast::flat_buffer buffer_;
  std::deque<Message> queue_;
};

void accept(tcp::acceptor& acceptor, World& world) {
  acceptor.async_accept([&acceptor, &world](beast::error_code error, tcp::socket socket) {
    if (!error) {
      socket.set_option(tcp::no_delay(true), error);
      if (!error) std::make_shared<Session>(std::move(socket), world)->run();
    }
    accept(acceptor, world);
  });
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view name = argc == 2 ? argv[1] : "";
  World world;
  if (name == "jsonrpc") {
    world.mode = Mode::jsonrpc;
  } else if (name == "fanout") {
    world.mode = Mode::fanout;
  } else if (name == "deflate-fanout") {
    world.mode = Mode::deflate_fanout;
  } else if (name != "echo") {
    std::fputs("usage: peer_beast echo|jsonrpc|fanout|deflate-fanout\n", stderr);
    return 2;
  }
  asio::io_context context{1};
  tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
  acceptor.listen(4096);
  std::printf("listening %u\n", acceptor.local_endpoint().port());
  std::fflush(stdout);
  accept(acceptor, world);
  context.run();
}
