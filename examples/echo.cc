// Typed methods. The structs are the contract: hubbub checks params against them before a handler runs (a
// wrong call is answered -32602, with the member and what it must be), writes results from them, and
// describes them in rpc.discover.
//
//   echo [HOST:PORT], then call
//   {"jsonrpc":"2.0","id":1,"method":"text.repeat","params":{"text":"ho","times":3}}
#include <boost/describe/class.hpp>
#include <cstdint>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "examples/options.h"
#include "hubbub/core/rules.h"
#include "hubbub/server/server.h"

struct Repeat {
  std::string text;                      // required
  std::int64_t times = 2;                // may be left out: has_default below
  std::optional<std::string> separator;  // may be left out or null
  static constexpr auto rules() {
    return hubbub::rules(hubbub::length(&Repeat::text, 1, 100), hubbub::in_range(&Repeat::times, 1, 10),
                         hubbub::has_default(&Repeat::times));
  }
};
BOOST_DESCRIBE_STRUCT(Repeat, (), (text, times, separator))

struct Numbers {
  std::vector<double> values;
};
BOOST_DESCRIBE_STRUCT(Numbers, (), (values))

struct Summary {
  double sum, mean;
};
BOOST_DESCRIBE_STRUCT(Summary, (), (sum, mean))

std::string repeat(hubbub::Call&, const Repeat& params) {
  std::string out = params.text;
  for (auto i = params.times; i > 1; --i) out += params.separator.value_or("") + params.text;
  return out;
}

// A handler that can fail returns a Result; reject() is the application's own error, code and words.
hubbub::Result<Summary> summarize(hubbub::Call&, const Numbers& params) {
  if (params.values.empty()) return hubbub::reject(1, "nothing has no mean");
  const double sum = std::accumulate(params.values.begin(), params.values.end(), 0.0);
  return Summary{sum, sum / static_cast<double>(params.values.size())};
}

int main(int argc, char** argv) {
  hubbub::Server server(options(argc, argv));
  server.on_each_shard([](hubbub::MethodTable& methods) {
    methods.add<Repeat, std::string>("text.repeat", repeat).summary("The text, that many times.");
    methods.add<Numbers, Summary>("numbers.summarize", summarize).summary("Sum and mean.");
  });
  return server.run();
}
