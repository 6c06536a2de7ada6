//! Defects of streams; the hooks are in `streams/`.

use super::Defect;

pub(in crate::reference) const WRONG_ACCEPT: Defect = Defect {
    name: "stream.wrong-accept",
    rules: &["WS-001"],
    summary: "the handshake is answered with the Sec-WebSocket-Accept of another key",
};
pub(in crate::reference) const UNOFFERED_PROTOCOL: Defect = Defect {
    name: "stream.unoffered-protocol",
    rules: &["WS-001"],
    summary: "the handshake selects a subprotocol that was not offered",
};
pub(in crate::reference) const OPEN_TO_ANYONE: Defect = Defect {
    name: "stream.open-to-anyone",
    rules: &["WS-002"],
    summary: "the private stream is served to callers without valid credentials",
};
pub(in crate::reference) const LEAKS_TO_RIVAL: Defect = Defect {
    name: "stream.leaks-to-rival",
    rules: &["WS-002"],
    summary: "the events of one tenant are told to the other, too",
};
pub(in crate::reference) const NO_PONG: Defect =
    Defect { name: "stream.no-pong", rules: &["WS-003"], summary: "pings are not answered" };
pub(in crate::reference) const PONG_ALTERED: Defect =
    Defect { name: "stream.pong-altered", rules: &["WS-003"], summary: "pongs carry other data than the ping" };
pub(in crate::reference) const DROPS_ON_FRAGMENTED_PING: Defect = Defect {
    name: "stream.drops-on-fragmented-ping",
    rules: &["WS-003"],
    summary: "a ping between the fragments of a message ends the connection",
};
pub(in crate::reference) const SILENT: Defect =
    Defect { name: "stream.silent", rules: &["WS-004"], summary: "an idle stream sends neither heartbeats nor pings" };
pub(in crate::reference) const NEVER_DROPS_DEAD: Defect = Defect {
    name: "stream.never-drops-dead",
    rules: &["WS-005"],
    summary: "connections whose pings are never answered are kept",
};
pub(in crate::reference) const DROPS_THE_LIVING: Defect = Defect {
    name: "stream.drops-the-living",
    rules: &["WS-005"],
    summary: "connections are closed for want of pongs although every ping was answered",
};
pub(in crate::reference) const TAKES_UNMASKED: Defect =
    Defect { name: "stream.takes-unmasked", rules: &["WS-006"], summary: "frames without a mask are processed" };
pub(in crate::reference) const TAKES_RESERVED: Defect =
    Defect { name: "stream.takes-reserved", rules: &["WS-006"], summary: "reserved bits and opcodes are overlooked" };
pub(in crate::reference) const NO_CLOSE_REPLY: Defect = Defect {
    name: "stream.no-close-reply",
    rules: &["WS-007"],
    summary: "a close frame is not answered, and the connection goes on",
};
pub(in crate::reference) const ILLEGAL_CLOSE_CODE: Defect = Defect {
    name: "stream.illegal-close-code",
    rules: &["WS-007"],
    summary: "every close frame has the code 1006, which must not be sent",
};
pub(in crate::reference) const UNEXPLAINED_DROP: Defect = Defect {
    name: "stream.unexplained-drop",
    rules: &["WS-008"],
    summary: "connections are dropped after a while, and wherever they should be closed, without a close frame",
};
pub(in crate::reference) const DROPS_ON_ERROR: Defect = Defect {
    name: "stream.drops-on-error",
    rules: &["WS-009"],
    summary: "one message that cannot be understood ends the connection",
};
pub(in crate::reference) const SILENT_ON_ERROR: Defect = Defect {
    name: "stream.silent-on-error",
    rules: &["WS-009"],
    summary: "messages that cannot be understood are not answered",
};
pub(in crate::reference) const NO_ACKNOWLEDGEMENT: Defect = Defect {
    name: "stream.no-acknowledgement",
    rules: &["WS-010"],
    summary: "subscribing and unsubscribing are not acknowledged",
};
pub(in crate::reference) const DATA_AFTER_UNSUBSCRIBE: Defect = Defect {
    name: "stream.data-after-unsubscribe",
    rules: &["WS-010"],
    summary: "events go on after unsubscribing was acknowledged",
};
pub(in crate::reference) const DELTAS_BEFORE_SNAPSHOT: Defect = Defect {
    name: "stream.deltas-before-snapshot",
    rules: &["WS-010"],
    summary: "the snapshot comes after the first two events, and nothing before it says where they start",
};
pub(in crate::reference) const GAP: Defect = Defect {
    name: "stream.gap",
    rules: &["WS-011"],
    summary: "every event with a number that three divides is left out",
};
pub(in crate::reference) const DUPLICATE: Defect = Defect {
    name: "stream.duplicate",
    rules: &["WS-011"],
    summary: "every event with a number that three divides is told twice, with different contents",
};
pub(in crate::reference) const OUT_OF_ORDER: Defect = Defect {
    name: "stream.out-of-order",
    rules: &["WS-011"],
    summary: "every event with a number that three divides is told after the one that follows it",
};
pub(in crate::reference) const SNAPSHOT_BEHIND: Defect = Defect {
    name: "stream.snapshot-behind",
    rules: &["WS-012"],
    summary: "the snapshot of a book is always the one from the beginning",
};
pub(in crate::reference) const BOOK_DIVERGES: Defect = Defect {
    name: "stream.book-diverges",
    rules: &["WS-012"],
    summary: "every third change of a book reports another quantity than the book has",
};
pub(in crate::reference) const MISSES_EVENT: Defect = Defect {
    name: "stream.misses-event",
    rules: &["WS-013"],
    summary: "every third event is not told, and has no number",
};
pub(in crate::reference) const WRONG_VALUE: Defect = Defect {
    name: "stream.wrong-value",
    rules: &["WS-013"],
    summary: "orders have another quantity on the stream than over HTTP",
};
pub(in crate::reference) const RESUME_LOSES_ONE: Defect = Defect {
    name: "stream.resume-loses-one",
    rules: &["WS-014", "WS-015"],
    summary: "a resumed stream leaves out the first event that was missed",
};
pub(in crate::reference) const RESUME_IGNORED: Defect = Defect {
    name: "stream.resume-ignored",
    rules: &["WS-014", "WS-015"],
    summary: "resuming is acknowledged, and what was missed is not told",
};
pub(in crate::reference) const IGNORES_TOO_OLD: Defect = Defect {
    name: "stream.ignores-too-old",
    rules: &["WS-015"],
    summary: "a stream that cannot be resumed goes on as if it were",
};
pub(in crate::reference) const RESUMES_FOR_RIVAL: Defect = Defect {
    name: "stream.resumes-for-rival",
    rules: &["WS-015"],
    summary: "a resume token of one tenant tells its events to the other",
};
pub(in crate::reference) const LOSES_AFTER_RESET: Defect = Defect {
    name: "stream.loses-after-reset",
    rules: &["WS-015"],
    summary: "what was missed is told only to those who had closed their connection in order",
};
pub(in crate::reference) const DROPS_SILENTLY: Defect = Defect {
    name: "stream.drops-silently",
    rules: &["WS-016"],
    summary: "events that a slow client has no room for are left out, and the numbers close the gap",
};
pub(in crate::reference) const SLOW_HARMS_OTHERS: Defect = Defect {
    name: "stream.slow-harms-others",
    rules: &["WS-017"],
    summary: "while one client has no room, nobody is told anything",
};
pub(in crate::reference) const NEVER_CATCHES_UP: Defect = Defect {
    name: "stream.never-catches-up",
    rules: &["WS-017"],
    summary: "a client that was slow once is told everything, later and later",
};
pub(in crate::reference) const OUTLIVES_TOKEN: Defect = Defect {
    name: "stream.outlives-token",
    rules: &["WS-018"],
    summary: "streams go on after the token they were opened with has expired",
};
pub(in crate::reference) const NO_CONNECTION_LIMIT: Defect = Defect {
    name: "stream.no-connection-limit",
    rules: &["WS-018"],
    summary: "any number of streams can be opened with one token",
};
pub(in crate::reference) const MONEY_AS_NUMBER: Defect =
    Defect { name: "stream.money-as-number", rules: &["WS-019"], summary: "prices and quantities are JSON numbers" };
pub(in crate::reference) const LOCAL_TIME: Defect =
    Defect { name: "stream.local-time", rules: &["WS-019"], summary: "instants have no zone" };
