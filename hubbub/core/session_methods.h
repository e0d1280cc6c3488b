// The methods about sessions (docs/protocol.md, "Session" and "Resume"): session.info, session.close,
// session.send, session.ack, and what session.open and session.resume answer once there is a session.
#pragma once

#include "hubbub/core/method_table.h"

namespace hubbub {

void add_session_methods(MethodTable& table);

}  // namespace hubbub
