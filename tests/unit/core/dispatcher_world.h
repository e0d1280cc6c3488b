// A core with the methods the dispatcher's tests call.
#pragma once

#include <boost/describe/class.hpp>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/core/core_fixture.h"

namespace hubbub::test {

struct Subtract {
  std::int64_t minuend, subtrahend;
};
BOOST_DESCRIBE_STRUCT(Subtract, (), (minuend, subtrahend))

using Replies = std::vector<std::string>;

inline std::string error_code(std::string_view reply) { return at(reply, "/error/code"); }

inline std::string call_text(std::string_view id, std::string_view method, std::string_view params = {}) {
  std::string out =
      R"({"jsonrpc":"2.0","id":)" + std::string(id) + R"(,"method":")" + std::string(method) + '"';
  if (!params.empty()) out += R"(,"params":)" + std::string(params);
  return out + '}';
}

inline std::string notification_of(std::string_view method) {
  return R"({"jsonrpc":"2.0","method":")" + std::string(method) + R"("})";
}

// The methods of the examples in JSON-RPC 2.0 section 7, and handlers that misbehave.
class DispatcherWorld : public Core {
 public:
  explicit DispatcherWorld(const Limits& with = {}) : Core(with) {
    table.add<Subtract, std::int64_t>("subtract",
                                      [](Call&, const Subtract& p) { return p.minuend - p.subtrahend; });
    table.add<RawJson, std::int64_t>("sum", [](Call&, const RawJson& params) {
      std::int64_t sum = 0;
      for (wire::JsonSlices item(params.text); item.next();) sum += std::stoll(std::string(item.value()));
      return sum;
    });
    table.add<NoParams, JsonText>("get_data",
                                  [](Call&, const NoParams&) { return JsonText{R"(["hello",5])"}; });
    for (const std::string_view name : {"update", "notify_hello", "notify_sum"})
      table.add<RawJson, void>(name, [this](Call&, const RawJson&) { ++notified; });
    table.add<NoParams, int>("count", [this](Call&, const NoParams&) { return ++counted; });
    table.add<NoParams, int>(
        "throw", [](Call&, const NoParams&) -> int { throw std::runtime_error("secret detail"); });
    table.add<NoParams, int>("throw_int", [](Call&, const NoParams&) -> int { throw 7; });
    table.add<NoParams, int>(
        "reject", [](Call&, const NoParams&) { return reject(17, "no such room", R"({"room":"a"})"); });
    table.add<NoParams, std::string>("blow",
                                     [this](Call&, const NoParams&) { return std::string(blow_bytes, 'x'); });
    table.add<NoParams, int>("later", [this](Call& call, const NoParams&) {
      later.emplace_back(call.defer<int>());
      return Deferred{};
    });
    table.add<NoParams, int>("never_deferred", [](Call&, const NoParams&) { return Deferred{}; });
    table.add<NoParams, int>("at_once", [](Call& call, const NoParams&) {
      call.defer<int>().send(1);
      return Deferred{};
    });
    table.add<NoParams, int>("dropped", [](Call& call, const NoParams&) {
      static_cast<void>(call.defer<int>());
      return Deferred{};
    });
    table.add<NoParams, int>("deferred_and_threw", [this](Call& call, const NoParams&) -> Deferred {
      later.emplace_back(call.defer<int>());
      throw std::runtime_error("after the promise");
    });
    table.add<NoParams, int>("deferred_and_returned", [this](Call& call, const NoParams&) {
      later.emplace_back(call.defer<int>());
      return 5;
    });
    table.add<NoParams, int>("dropped_and_threw", [](Call& call, const NoParams&) -> Deferred {
      const auto reply = call.defer<int>();
      throw std::runtime_error("with the reply in hand");
    });
    table.add<NoParams, void>(
        "end_me", [](Call& call, const NoParams&) { call.hub().end(call.session(), 4503, "kicked"); });
  }
  ~DispatcherWorld() { later.clear(); }

  int notified = 0;
  int counted = 0;
  std::size_t blow_bytes = 0;
  std::vector<Reply<int>> later;
};

}  // namespace hubbub::test
