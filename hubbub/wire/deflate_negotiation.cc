// negotiate_deflate: reading Sec-WebSocket-Extensions (RFC 6455 section 9.1) and answering a
// permessage-deflate offer (RFC 7692 sections 5.1 and 7.1).
#include <algorithm>
#include <string>
#include <utility>

#include "hubbub/wire/deflate.h"

namespace hubbub::wire {
namespace {

// A parameter's value, quotes removed; nullopt: the parameter stood alone.
using Value = std::optional<std::string>;

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

bool is_token_char(char c) noexcept {
  return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

// Reads one offer from left to right.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) { skip_space(); }

  [[nodiscard]] bool done() const { return rest_.empty(); }

  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    skip_space();
    return true;
  }

  // Empty if there is none.
  std::string_view token() {
    const auto end = std::find_if_not(rest_.begin(), rest_.end(), is_token_char);
    const std::string_view found = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(found.size());
    skip_space();
    return found;
  }

  // A token, or a quoted string whose text is a token; nullopt if it is neither.
  std::optional<std::string> value() {
    std::optional<std::string> found;
    if (rest_.starts_with('"')) {
      found = quoted();
      skip_space();
    } else {
      found = std::string(token());
    }
    if (!found || found->empty() || !std::all_of(found->begin(), found->end(), is_token_char))
      return std::nullopt;
    return found;
  }

 private:
  std::optional<std::string> quoted() {
    std::string text;
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        rest_.remove_prefix(i + 1);
        return text;
      }
      if (rest_[i] == '\\' && ++i == rest_.size()) break;
      text += rest_[i];
    }
    return std::nullopt;
  }

  void skip_space() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t')) rest_.remove_prefix(1);
  }

  std::string_view rest_;
};

// Cuts the first element off a comma-separated list; commas inside quoted strings do not count.
std::string_view take_element(std::string_view& list) noexcept {
  bool quoted = false;
  std::size_t i = 0;
  for (; i < list.size() && (quoted || list[i] != ','); ++i) {
    if (list[i] == '"') quoted = !quoted;
    if (quoted && list[i] == '\\') ++i;
  }
  const std::string_view element = list.substr(0, i);
  list.remove_prefix(std::min(i + 1, list.size()));
  return element;
}

// 8..15 in decimal without leading zeros (section 7.1.2); 0 if it is anything else.
std::uint8_t window_bits(const Value& value) noexcept {
  if (!value) return 0;
  if (*value == "8" || *value == "9") return static_cast<std::uint8_t>(value->front() - '0');
  if (value->size() == 2 && value->front() == '1' && value->back() >= '0' && value->back() <= '5')
    return static_cast<std::uint8_t>(10 + value->back() - '0');
  return 0;
}

struct Offer {
  bool server_no_context_takeover = false;
  bool client_no_context_takeover = false;
  bool client_max_window_bits_known = false;  // the client understands the parameter in a response
  std::uint8_t server_max_window_bits = 0;    // 0: not asked for
  std::uint8_t client_max_window_bits = 0;    // 0: no value given

  // False if the parameter is unknown, repeated, or has a value it must not have: the offer is declined.
  [[nodiscard]] bool take(std::string_view name, const Value& value) {
    if (equal_ignoring_case(name, "server_no_context_takeover"))
      return !value && !std::exchange(server_no_context_takeover, true);
    if (equal_ignoring_case(name, "client_no_context_takeover"))
      return !value && !std::exchange(client_no_context_takeover, true);
    if (equal_ignoring_case(name, "server_max_window_bits"))
      return std::exchange(server_max_window_bits, window_bits(value)) == 0 && server_max_window_bits != 0;
    if (equal_ignoring_case(name, "client_max_window_bits")) {
      client_max_window_bits = window_bits(value);
      return !std::exchange(client_max_window_bits_known, true) && (!value || client_max_window_bits != 0);
    }
    return false;
  }
};

// nullopt: another extension, or an offer to decline.
std::optional<Offer> read_offer(std::string_view element) {
  Reader reader(element);
  if (!equal_ignoring_case(reader.token(), "permessage-deflate")) return std::nullopt;
  Offer offer;
  while (!reader.done()) {
    if (!reader.take(';')) return std::nullopt;
    const std::string_view name = reader.token();
    Value value;
    if (reader.take('=') && !(value = reader.value())) return std::nullopt;
    if (!offer.take(name, value)) return std::nullopt;
  }
  return offer;
}

DeflateAgreement agree(const Offer& offer, const DeflateSettings& settings) {
  DeflateAgreement agreement;
  DeflateParams& params = agreement.params;
  params.server_no_context_takeover = !settings.context_takeover || offer.server_no_context_takeover;
  params.client_no_context_takeover = !settings.context_takeover || offer.client_no_context_takeover;
  agreement.response = "permessage-deflate";
  if (params.server_no_context_takeover) agreement.response += "; server_no_context_takeover";
  if (params.client_no_context_takeover) agreement.response += "; client_no_context_takeover";
  if (offer.server_max_window_bits != 0) {
    params.server_max_window_bits = offer.server_max_window_bits;
    agreement.response += "; server_max_window_bits=" + std::to_string(offer.server_max_window_bits);
  }
  // Only a client that named the parameter may be sent it (section 7.1.2.2). Holding it to its own hint keeps
  // our window for it small; where it gave none there is nothing to gain.
  if (offer.client_max_window_bits != 0) {
    params.client_max_window_bits = offer.client_max_window_bits;
    agreement.response += "; client_max_window_bits=" + std::to_string(offer.client_max_window_bits);
  }
  return agreement;
}

}  // namespace

std::optional<DeflateAgreement> negotiate_deflate(std::string_view offers, const DeflateSettings& settings) {
  if (!settings.enabled) return std::nullopt;
  while (!offers.empty())
    if (const auto offer = read_offer(take_element(offers))) return agree(*offer, settings);
  return std::nullopt;
}

}  // namespace hubbub::wire
