// The hub's own methods (docs/protocol.md, "Messages"), registered like any application's: ping, echo,
// session.*, topic.*, hub.*, rpc.discover and $/cancelRequest.
#pragma once

#include "hubbub/core/dispatcher.h"
#include "hubbub/core/method_table.h"

namespace hubbub {

// `dispatcher` is asked at call time, so it may be made after the table; it outlives the table's use.
void add_builtin_methods(MethodTable& table, Dispatcher* const& dispatcher);

}  // namespace hubbub
