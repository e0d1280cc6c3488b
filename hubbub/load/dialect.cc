#include "hubbub/load/dialect.h"

#include <fmt/format.h>

#include <string>

namespace hubbub::load {
namespace {

using Rule = Recognizer::Rule;

constexpr std::size_t kRawEchoBytes = 64;  // as long as hubbub's smallest call of echo
constexpr std::size_t kDataBytes = 100;

Opcode opcode(const Options& options) { return options.binary ? Opcode::binary : Opcode::text; }

Step saying(const Options& options, std::string_view text) {
  return {.speaks = true, .says = MessageTemplate(text, options.bytes.value_or(0), opcode(options))};
}

// With texts of the user's own only the number is looked for. hubbub's refusals can hold it, too.
Recognizer by_number(const Options& options, const MessageTemplate& message) {
  Recognizer out(message.has_number() ? Rule::number : Rule::order, options.expect);
  if (options.dialect == Dialect::hubbub && options.expect.empty()) out.refuse_those_with(R"("error":)");
  return out;
}

Recognizer as_sent(const MessageTemplate& message) {
  Recognizer out(Rule::exact, "");
  out.set_surroundings(message.before_number(), message.behind_number());
  return out;
}

std::string echo_params(const Options& options) {
  if (!options.bytes) return R"({"a":1})";
  return R"({"a":")" + filler(*options.bytes) + R"("})";
}

}  // namespace

Step request_step(std::string_view request, bool counted) {
  return {.speaks = true,
          .says = MessageTemplate(request, 0, Opcode::text),
          .waits = true,
          .until = R"("result")",
          .refused = R"("error")",
          .counted = counted};
}

Script opening_script(const Options& options) {
  Script script;
  if (options.plain_hubbub()) {
    script.push_back({.waits = true, .until = R"("session.opened")"});
  } else if (options.dialect == Dialect::hubbub) {
    script.push_back(request_step(R"({"jsonrpc":"2.0","id":1,"method":"session.open"})", false));
  }
  for (const std::string& text : options.hello) script.push_back(saying(options, text));
  if (!options.hello_reply.empty()) script.push_back({.waits = true, .until = options.hello_reply});
  return script;
}

Step subscribe_step(const Options& options) {
  if (options.subscribe) {
    Step step = saying(options, *options.subscribe);
    step.waits = !options.subscribe_reply.empty();
    step.until = options.subscribe_reply;
    return step;
  }
  if (options.dialect == Dialect::raw) return {};
  return request_step(
      fmt::format(R"({{"jsonrpc":"2.0","id":1,"method":"topic.subscribe","params":{{"topic":"{}"}}}})",
                  kTopic),
      true);
}

Step call_step(const Options& options) {
  if (options.payload || options.dialect == Dialect::raw) {
    Step step = saying(options, options.payload.value_or("{n}{pad}"));
    step.waits = true;
    step.until = options.expect;
    return step;
  }
  return request_step(R"({"jsonrpc":"2.0","id":2,"method":"echo","params":{"a":1}})", true);
}

MessageTemplate echo_message(const Options& options) {
  if (options.payload || options.dialect == Dialect::raw) {
    return {options.payload.value_or("{n}{pad}"), options.bytes.value_or(kRawEchoBytes), opcode(options)};
  }
  return {R"({"jsonrpc":"2.0","id":{n},"method":"echo","params":)" + echo_params(options) + "}", 0,
          Opcode::text};
}

Recognizer echo_recognizer(const Options& options, const MessageTemplate& message) {
  if (options.payload || !options.expect.empty() || options.stream) return by_number(options, message);
  if (options.dialect == Dialect::raw) return as_sent(message);
  return {Rule::exact, R"("result":)" + echo_params(options)};
}

MessageTemplate publication(const Options& options) {
  const std::size_t bytes = options.bytes.value_or(kDataBytes);
  if (options.publish || options.dialect == Dialect::raw) {
    return {options.publish.value_or("{n}{pad}"), bytes, opcode(options)};
  }
  return {
      fmt::format(
          R"({{"jsonrpc":"2.0","id":{{n}},"method":"topic.publish","params":{{"topic":"{}","data":"{{n}}{}"}}}})",
          kTopic, filler(bytes > kNumberDigits ? bytes - kNumberDigits : 0)),
      0, Opcode::text};
}

Recognizer delivery_recognizer(const Options& options, const MessageTemplate& message) {
  if (options.publish || !options.expect.empty() || options.stream) return by_number(options, message);
  if (options.dialect == Dialect::raw) return as_sent(message);
  return {Rule::ending, R"("topic.message")"};
}

bool publications_are_answered(const Options& options) {
  return options.dialect == Dialect::hubbub && !options.publish;
}

}  // namespace hubbub::load
