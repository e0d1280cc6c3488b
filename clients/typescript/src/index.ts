/**
 * Client for hubbub: sessions that survive cuts, JSON-RPC calls, topics. Begin with {@link connect}.
 *
 * @packageDocumentation
 */
export { connect } from "./connect.js";
export { Session, type Events, type Gap } from "./session.js";
export {
  Subscription,
  type Position,
  type PresenceEvent,
  type SubscribeOptions,
  type TopicGap,
  type TopicHandler,
  type TopicMessage,
} from "./subscription.js";
export {
  HubbubError,
  OutcomeUnknown,
  QueueFull,
  RpcError,
  SessionLost,
  TimeoutError,
  type LostReason,
  type RpcErrorData,
} from "./errors.js";
export type { ConnectOptions, Credentials, Lost, SessionState, StateDetail } from "./options.js";
export type { CallOptions } from "./calls.js";
export type { BackoffOptions } from "./backoff.js";
export type { QueueOptions } from "./outgoing.js";
export type { Clock } from "./clock.js";
export type { Network, NetworkEvent } from "./network.js";
export type { WebSocketClass, WebSocketLike } from "./socket.js";
export type { ServerInfo, ServerLimits } from "./protocol.js";
