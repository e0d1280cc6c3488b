#include <gtest/gtest.h>

#include "hubbub/wire/deflate.h"

namespace hubbub::wire {
namespace {

using Response = std::optional<std::string_view>;
constexpr Response kNone = std::nullopt;  // the offer is declined

struct Row {
  const char* offers;
  Response without_takeover;  // expected response by default
  Response with_takeover;     // and with settings.context_takeover
};

#define BOTH "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
const Row kRows[] = {
    {"permessage-deflate", BOTH, "permessage-deflate"},
    {"  permessage-deflate  ", BOTH, "permessage-deflate"},
    {"Permessage-Deflate", BOTH, "permessage-deflate"},
    {"permessage-deflate; client_max_window_bits", BOTH, "permessage-deflate"},
    {"permessage-deflate;client_max_window_bits", BOTH, "permessage-deflate"},
    {"permessage-deflate ; \t client_max_window_bits ", BOTH, "permessage-deflate"},
    {"permessage-deflate; CLIENT_MAX_WINDOW_BITS", BOTH, "permessage-deflate"},
    {"permessage-deflate; client_max_window_bits=8", BOTH "; client_max_window_bits=8",
     "permessage-deflate; client_max_window_bits=8"},
    {"permessage-deflate; client_max_window_bits=\"12\"", BOTH "; client_max_window_bits=12",
     "permessage-deflate; client_max_window_bits=12"},
    {"permessage-deflate; client_max_window_bits=\"1\\0\"", BOTH "; client_max_window_bits=10",
     "permessage-deflate; client_max_window_bits=10"},
    {"permessage-deflate; server_max_window_bits=8", BOTH "; server_max_window_bits=8",
     "permessage-deflate; server_max_window_bits=8"},
    {"permessage-deflate; server_max_window_bits=15", BOTH "; server_max_window_bits=15",
     "permessage-deflate; server_max_window_bits=15"},
    {"permessage-deflate; server_max_window_bits = 10", BOTH "; server_max_window_bits=10",
     "permessage-deflate; server_max_window_bits=10"},
    {"permessage-deflate; server_max_window_bits=\"9\"; client_max_window_bits=11",
     BOTH "; server_max_window_bits=9; client_max_window_bits=11",
     "permessage-deflate; server_max_window_bits=9; client_max_window_bits=11"},
    {"permessage-deflate; server_no_context_takeover", BOTH,
     "permessage-deflate; server_no_context_takeover"},
    {"permessage-deflate; client_no_context_takeover", BOTH,
     "permessage-deflate; client_no_context_takeover"},
    {"permessage-deflate; client_no_context_takeover; server_no_context_takeover", BOTH, BOTH},
    {"permessage-deflate; Server_No_Context_Takeover", BOTH,
     "permessage-deflate; server_no_context_takeover"},

    // Declined: values where none may be, missing, out of range, not a plain number.
    {"permessage-deflate; server_no_context_takeover=1", kNone, kNone},
    {"permessage-deflate; server_no_context_takeover=\"\"", kNone, kNone},
    {"permessage-deflate; client_no_context_takeover=true", kNone, kNone},
    {"permessage-deflate; server_max_window_bits", kNone, kNone},
    {"permessage-deflate; server_max_window_bits=", kNone, kNone},
    {"permessage-deflate; server_max_window_bits=\"\"", kNone, kNone},
    {"permessage-deflate; server_max_window_bits=7", kNone, kNone},
    {"permessage-deflate; server_max_window_bits=16", kNone, kNone},
    {"permessage-deflate; server_max_window_bits=08", kNone, kNone},
    {"permessage-deflate; server_max_window_bits=+9", kNone, kNone},
    {"permessage-deflate; server_max_window_bits=9.0", kNone, kNone},
    {"permessage-deflate; server_max_window_bits=150", kNone, kNone},
    {"permessage-deflate; client_max_window_bits=0", kNone, kNone},
    {"permessage-deflate; client_max_window_bits=7", kNone, kNone},
    {"permessage-deflate; client_max_window_bits=16", kNone, kNone},
    {"permessage-deflate; client_max_window_bits=\" 9\"", kNone, kNone},
    {"permessage-deflate; client_max_window_bits=\"9", kNone, kNone},
    // Declined: repeated or unknown parameters, bad syntax.
    {"permessage-deflate; client_max_window_bits; client_max_window_bits", kNone, kNone},
    {"permessage-deflate; client_max_window_bits; client_max_window_bits=9", kNone, kNone},
    {"permessage-deflate; server_max_window_bits=9; server_max_window_bits=9", kNone, kNone},
    {"permessage-deflate; server_no_context_takeover; server_no_context_takeover", kNone, kNone},
    {"permessage-deflate; client_no_context_takeover; CLIENT_NO_CONTEXT_TAKEOVER", kNone, kNone},
    {"permessage-deflate; window_bits=9", kNone, kNone},
    {"permessage-deflate; mux", kNone, kNone},
    {"permessage-deflate;", kNone, kNone},
    {"permessage-deflate;; client_max_window_bits", kNone, kNone},
    {"permessage-deflate client_max_window_bits", kNone, kNone},
    {"permessage-deflate=1", kNone, kNone},
    {"x-webkit-deflate-frame", kNone, kNone},
    {"", kNone, kNone},
    {" , ,", kNone, kNone},

    // Several offers: the first that can be accepted counts.
    {"permessage-bzip2, permessage-deflate", BOTH, "permessage-deflate"},
    {"permessage-deflate; mux, permessage-deflate", BOTH, "permessage-deflate"},
    {"permessage-deflate; server_max_window_bits=7, permessage-deflate; server_max_window_bits=12",
     BOTH "; server_max_window_bits=12", "permessage-deflate; server_max_window_bits=12"},
    {"permessage-deflate; server_max_window_bits=10, permessage-deflate", BOTH "; server_max_window_bits=10",
     "permessage-deflate; server_max_window_bits=10"},
    {"foo; x=\"a, permessage-deflate; \\\", b\", permessage-deflate; client_no_context_takeover", BOTH,
     "permessage-deflate; client_no_context_takeover"},
    {",, permessage-deflate ,", BOTH, "permessage-deflate"},
    {"foo; x=\"unfinished, permessage-deflate", kNone, kNone},
    {"foo; x=\"unfinished\\", kNone, kNone},
};
#undef BOTH

void expect_response(const char* offers, const DeflateSettings& settings, Response expected) {
  const auto agreement = negotiate_deflate(offers, settings);
  ASSERT_EQ(agreement.has_value(), expected.has_value()) << offers;
  if (!agreement) return;
  EXPECT_EQ(agreement->response, *expected) << offers;
}

TEST(DeflateNegotiation, every_offer_gets_its_answer) {
  for (const Row& row : kRows) {
    DeflateSettings settings;
    expect_response(row.offers, settings, row.without_takeover);
    settings.context_takeover = true;
    expect_response(row.offers, settings, row.with_takeover);
    settings.enabled = false;
    expect_response(row.offers, settings, kNone);
  }
}

TEST(DeflateNegotiation, params_say_what_the_response_says) {
  for (const Row& row : kRows) {
    for (const bool takeover : {false, true}) {
      const auto agreement = negotiate_deflate(row.offers, {.context_takeover = takeover});
      if (!agreement) continue;
      const auto has = [&](const std::string& part) {
        return agreement->response.find(part) != std::string::npos;
      };
      const DeflateParams& params = agreement->params;
      EXPECT_EQ(params.server_no_context_takeover, has("server_no_context_takeover"));
      EXPECT_EQ(params.client_no_context_takeover, has("client_no_context_takeover"));
      const auto bits = [&](const char* name, unsigned value) {
        return has(name) ? has(std::string(name) + "=" + std::to_string(value)) : value == 15;
      };
      EXPECT_TRUE(bits("server_max_window_bits", params.server_max_window_bits)) << agreement->response;
      EXPECT_TRUE(bits("client_max_window_bits", params.client_max_window_bits)) << agreement->response;
    }
  }
}

TEST(DeflateNegotiation, client_max_window_bits_is_sent_only_to_a_client_that_named_it) {
  for (const Row& row : kRows) {
    const auto agreement = negotiate_deflate(row.offers, {});
    if (!agreement || agreement->response.find("client_max_window_bits") == std::string::npos) continue;
    EXPECT_NE(std::string(row.offers).find("client_max_window_bits"), std::string::npos);
  }
}

}  // namespace
}  // namespace hubbub::wire
