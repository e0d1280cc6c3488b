// ParamsText: a request made from nothing but the text of its params, for tests of typed methods.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "hubbub/wire/jsonrpc.h"
#include "hubbub/wire/ws_codec.h"

namespace hubbub::test {

class ParamsText {
 public:
  // "" stands for absent params. Text that is not JSON throws: the test is wrong.
  explicit ParamsText(std::string_view params) : text_(params) {
    const std::size_t size = text_.size();
    text_.append(wire::kReadPadding, ' ');
    request_.method = "test";
    request_.id = "1";
    if (size == 0) return;
    request_.params = std::string_view(text_).substr(0, size);
    auto parsed = parser_.parse(request_.params);
    if (!parsed) throw std::invalid_argument("not JSON: " + std::string(params));
    request_.params_dom = *parsed;
  }
  ParamsText(const ParamsText&) = delete;
  ParamsText& operator=(const ParamsText&) = delete;

  [[nodiscard]] const wire::RpcRequest& request() const { return request_; }

 private:
  std::string text_;
  wire::JsonParser parser_{64};
  wire::RpcRequest request_;
};

}  // namespace hubbub::test
