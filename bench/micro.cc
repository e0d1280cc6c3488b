// Micro-benchmarks of the wire layer: what one message costs before and after the hub thinks about it. Run as
// `bench_micro`; a change here shows where a change in `bench/compare` comes from, it is no aim of its own.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hubbub/base/assert.h"
#include "hubbub/wire/deflate.h"
#include "hubbub/wire/json.h"
#include "hubbub/wire/jsonrpc.h"
#include "hubbub/wire/plain_request.h"
#include "hubbub/wire/utf8.h"
#include "hubbub/wire/ws_codec.h"
#include "hubbub/wire/ws_decoder.h"

namespace hubbub::wire {
namespace {

constexpr std::string_view kCall = R"({"jsonrpc":"2.0","id":1,"method":"echo","params":{"a":1}})";
constexpr std::uint32_t kMask = 0x37FA213D;
constexpr std::size_t kJsonDepth = 64;

// What was done in all rounds, when each does `each`.
std::int64_t in_all(const benchmark::State& state, std::size_t each) {
  return static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(each);
}

// Sixteen small calls as one read gives them. Decoding unmasks in place, so each round begins with a copy.
void decode_small_messages(benchmark::State& state) {
  constexpr std::size_t kMessages = 16;
  std::string frames;
  for (std::size_t i = 0; i < kMessages; ++i) append_client_frame(frames, Opcode::text, kCall, kMask);
  std::vector<char> buffer(frames.size() + kReadPadding);
  Decoder decoder(Decoder::Settings{}, nullptr);
  for (auto _ : state) {
    std::copy(frames.begin(), frames.end(), buffer.begin());
    std::span<char> input(buffer.data(), frames.size());
    std::size_t messages = 0;
    while (decoder.next(input).kind == DecoderEvent::Kind::text) ++messages;
    HUBBUB_ASSERT(messages == kMessages);
  }
  state.SetItemsProcessed(in_all(state, kMessages));
}
BENCHMARK(decode_small_messages);

void validate_utf8(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  std::string text;
  while (text.size() < size) text += "h\xC3\xA4ppy p\xE7\x86\x8A and plain text ";
  for (auto _ : state) {
    bool valid = utf8_valid(text);
    benchmark::DoNotOptimize(valid);
  }
  state.SetBytesProcessed(in_all(state, text.size()));
}
BENCHMARK(validate_utf8)->Arg(64)->Arg(4096);

void read_call(benchmark::State& state) {
  std::string padded(kCall);
  padded.resize(kCall.size() + kReadPadding);
  const std::string_view text = std::string_view(padded).substr(0, kCall.size());
  JsonParser parser(kJsonDepth);
  for (auto _ : state) {
    auto element = parser.parse(text);
    HUBBUB_ASSERT(element.has_value());
    std::string_view id;
    auto request = read_request(text, *element, id);
    HUBBUB_ASSERT(request.has_value());
    benchmark::DoNotOptimize(request);
  }
  state.SetItemsProcessed(in_all(state, 1));
}
BENCHMARK(read_call);

// The same as most messages are read: in one pass, without a DOM.
void read_plain_call(benchmark::State& state) {
  std::string padded(kCall);
  padded.resize(kCall.size() + kReadPadding);
  const std::string_view text = std::string_view(padded).substr(0, kCall.size());
  for (auto _ : state) {
    RpcRequest request;
    const bool taken = read_plain_request(text, kJsonDepth, request);
    HUBBUB_ASSERT(taken);
    benchmark::DoNotOptimize(request);
  }
  state.SetItemsProcessed(in_all(state, 1));
}
BENCHMARK(read_plain_call);

void write_reply(benchmark::State& state) {
  for (auto _ : state) {
    auto frame = make_result_frame("1", R"({"a":1})");
    benchmark::DoNotOptimize(frame);
  }
  state.SetItemsProcessed(in_all(state, 1));
}
BENCHMARK(write_reply);

// The compressed twin of 1 KiB of JSON: made once a publication, however many subscribers take it.
void deflate_twin(benchmark::State& state) {
  std::string text = R"({"jsonrpc":"2.0","method":"topic.message","params":{"topic":"bench","data":[)";
  for (int i = 0; text.size() < 1000; ++i) {
    text += R"({"id":)" + std::to_string(i * 7919) + R"(,"name":"panda-)" + std::to_string(i) + R"("},)";
  }
  text += "null]}}";
  const DeflateSettings settings;
  Deflater deflater(settings.level, 15, false);
  for (auto _ : state) {
    const auto frame = make_frame(Opcode::text, text);
    const Frame* twin = shared_deflated(*frame, 15, deflater, settings);
    HUBBUB_ASSERT(twin != nullptr && twin->size() < frame->size());
  }
  state.SetBytesProcessed(in_all(state, text.size()));
}
BENCHMARK(deflate_twin);

}  // namespace
}  // namespace hubbub::wire

BENCHMARK_MAIN();
