// MethodTable: the methods clients may call, each registered with the types of its params and its result. The
// types are the single source for checking params, writing results and answering `rpc.discover`.
//
//   auto add = [](Call&, const AddParams& p) { return p.a + p.b; };
//   table.add<AddParams, std::int64_t>("add", add).summary("Adds two integers.");
//
// A handler takes (Call&, const Params&) and returns one of
//   - R, or nothing for R = void: the result
//   - hubbub::Result<R>: the result, or an error, e.g. `return hubbub::reject(1, "no such room")`
//   - hubbub::Deferred or hubbub::Result<Deferred>: the reply comes later, through what Call::defer gave
// A RawJson result must outlive the handler: it may point into the params, not at the handler's own strings.
// Filled before the shards start, then used by one shard; not thread-safe, for handlers may keep state.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <utility>

#include <boost/unordered/unordered_flat_map.hpp>

#include "hubbub/core/params.h"
#include "hubbub/core/schema.h"

namespace hubbub {

class Call;

// What a handler returns that answers later.
struct Deferred {};

// What became of a call that did not fail.
enum class Outcome : std::uint8_t { replied, deferred };

// A handler with its types put away. The call comes as a pointer because libstdc++ 12 asks for the size of
// what a reference argument refers to, and Call is not complete here.
using Thunk = std::move_only_function<Result<Outcome>(Call* call, const wire::RpcRequest& request,
                                                      std::string& result_json)>;

struct Method {
  std::string name;
  std::string summary;      // one line for people; may be empty
  bool privileged = false;  // needs more than a session
  Thunk thunk;
  ParamsSchema (*params_schema)() = nullptr;
  std::string (*result_schema)() = nullptr;  // JSON Schema

  // Reads the params, calls the handler, appends the result's JSON. Errors: invalid_params (see params.h) or
  // what the handler returned. After an error, Outcome::deferred or an exception nothing of `result_json` is
  // to be used. Catches nothing: what the handler throws goes to the caller.
  [[nodiscard]] Result<Outcome> invoke(Call& call, const wire::RpcRequest& request,
                                       std::string& result_json) {
    return thunk(&call, request, result_json);
  }
};

namespace detail {

template <class T>
inline constexpr bool kIsResult = false;
template <class T>
inline constexpr bool kIsResult<Result<T>> = true;

// What handlers of a method with result R may return, without the error.
template <class R, class Returned>
concept Answer =
    std::same_as<Returned, Deferred> || (std::same_as<R, void> && std::same_as<Returned, void>) ||
    (!std::same_as<R, void> && std::convertible_to<Returned, R>);

template <class R, class Returned>
consteval bool is_answer() {
  if constexpr (std::same_as<Returned, std::unexpected<Error>>)
    return true;
  else if constexpr (kIsResult<Returned>)
    return Answer<R, typename Returned::value_type>;
  else
    return Answer<R, Returned>;
}

template <class R, class Value>
Outcome answer(const Value& value, std::string& result_json) {
  if constexpr (std::same_as<Value, Deferred>)
    return Outcome::deferred;
  else if constexpr (std::same_as<Value, R>)
    write_json(result_json, value);
  else
    write_json<R>(result_json, static_cast<R>(value));
  return Outcome::replied;
}

inline Outcome answer_null(std::string& result_json) {
  result_json += "null";
  return Outcome::replied;
}

template <class R, class Returned>
Result<Outcome> finish(Returned&& returned, std::string& result_json) {
  using Plain = std::remove_cvref_t<Returned>;
  if constexpr (std::same_as<Plain, std::unexpected<Error>>) {
    return std::forward<Returned>(returned);
  } else if constexpr (kIsResult<Plain>) {
    if (!returned) return std::unexpected(std::forward<Returned>(returned).error());
    if constexpr (std::same_as<typename Plain::value_type, void>)
      return answer_null(result_json);
    else
      return answer<R>(*returned, result_json);
  } else {
    return answer<R>(returned, result_json);
  }
}

template <class P, class R, class F>
Result<Outcome> run(F& handler, Call& call, const wire::RpcRequest& request, std::string& result_json) {
  P params{};
  if (auto read = read_params(request, params); !read) return std::unexpected(std::move(read).error());
  if constexpr (std::same_as<std::invoke_result_t<F&, Call&, const P&>, void>) {
    handler(call, std::as_const(params));
    return answer_null(result_json);
  } else {
    return finish<R>(handler(call, std::as_const(params)), result_json);
  }
}

}  // namespace detail

// Says more about a method just added; dies with the statement that added it.
class Registration {
 public:
  explicit Registration(Method& method) : method_(&method) {}
  // One line for people: `rpc.discover`, the protocol tables.
  Registration& summary(std::string_view text) {
    method_->summary = text;
    return *this;
  }
  // Clients need more than a session to call it.
  Registration& privileged() {
    method_->privileged = true;
    return *this;
  }

 private:
  Method* method_;
};

class MethodTable {
 public:
  static constexpr std::size_t kNameBytesMax = 128;

  // Adds an application's method. The name is 1..kNameBytesMax bytes of printable ASCII without spaces and
  // does not begin with "rpc." (JSON-RPC 2.0 section 4). A bad name and one already taken are a programmer's
  // error.
  template <class P, class R, class F>
  Registration add(std::string_view name, F&& handler) {
    HUBBUB_ASSERT(!name.starts_with("rpc."));
    return add_builtin<P, R>(name, std::forward<F>(handler));
  }

  // The hub's own: may also begin with "rpc.".
  template <class P, class R, class F>
  Registration add_builtin(std::string_view name, F&& handler);

  // The method of that name, or nullptr. Allocates nothing. The pointer is valid as long as the table.
  [[nodiscard]] Method* find(std::string_view name) {
    auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : found->second;
  }

  // In the order of registration.
  [[nodiscard]] const std::deque<Method>& methods() const { return methods_; }
  [[nodiscard]] std::vector<std::string_view> names() const;

 private:
  Registration insert(Method method);

  std::deque<Method> methods_;  // grows at its end only: addresses and the names' bytes stay
  boost::unordered_flat_map<std::string_view, Method*> by_name_;
};

// Whether a method name is 1..MethodTable::kNameBytesMax bytes of printable ASCII without spaces.
[[nodiscard]] bool method_name_valid(std::string_view name) noexcept;

template <class P, class R, class F>
Registration MethodTable::add_builtin(std::string_view name, F&& handler) {
  using Handler = std::decay_t<F>;
  static_assert(
      MethodParams<P>,
      "hubbub: Params must be a struct described with BOOST_DESCRIBE_STRUCT whose members have a JSON form "
      "(core/json_types.h), or hubbub::RawJson, or hubbub::NoParams");
  static_assert(std::same_as<R, void> || JsonValue<R>,
                "hubbub: Result must be void or have a JSON form (core/json_types.h)");
  static_assert(std::invocable<Handler&, Call&, const P&>,
                "hubbub: a handler takes (hubbub::Call&, const Params&)");
  static_assert(detail::is_answer<R, std::invoke_result_t<Handler&, Call&, const P&>>(),
                "hubbub: a handler returns its Result type, hubbub::Result of it, or hubbub::Deferred");
  Method method;
  method.name = name;
  method.thunk = [handler = Handler(std::forward<F>(handler))](Call* call, const wire::RpcRequest& request,
                                                               std::string& result_json) mutable {
    return detail::run<P, R>(handler, *call, request, result_json);
  };
  method.params_schema = &hubbub::params_schema<P>;
  method.result_schema = &json_schema<R>;
  return insert(std::move(method));
}

}  // namespace hubbub
