// The words of the panel. Another language is another file of this shape.

export const pages = {
  overview: "Overview", messages: "Messages", send: "Send", queues: "Queues", links: "Links", routing: "Routing",
  rules: "Rules", accounts: "Accounts", numbers: "Numbers", frontends: "Frontends", locations: "Locations",
  cdrs: "Records", webhooks: "Webhooks", system: "System", logs: "Logs", config: "Configuration",
};

// Shape, tone and meaning of each status of a message and of a link: a status
// is never told by colour alone.
export const status = {
  queued: ["○", "wait", "waits, never tried"],
  scheduled: ["◷", "wait", "waits for its time"],
  retrying: ["↻", "warn", "waits after a failed attempt"],
  sending: ["›", "info", "on a link now, or leased to a poller"],
  sent: ["»", "info", "the next hop took it and will report"],
  delivered: ["✓", "good", "the recipient has it"],
  failed: ["✕", "bad", "refused for good"],
  expired: ["⌛", "bad", "its time ran out"],
  cancelled: ["⊘", "calm", "cancelled by its owner"],
  dropped: ["⤓", "calm", "ended by a rule or a route"],
  up: ["●", "good", "connected"],
  degraded: ["◐", "warn", "some connections are missing"],
  down: ["✕", "bad", "not connected"],
  connecting: ["◌", "warn", "trying to connect"],
  paused: ["‖", "warn", "held back by an operator"],
  idle: ["○", "calm", "nothing to connect"],
  active: ["●", "good", "in use"],
  suspended: ["‖", "warn", "may neither send nor read"],
  closed: ["✕", "calm", "closed for good"],
  slow: ["◑", "warn", "its window has been full for more than 5 s"],
  late: ["◷", "warn", "waits too long"],
  unpolled: ["↻", "warn", "nobody asks for what waits there"],
  failing: ["✕", "bad", "more than one in twenty fails"],
  full: ["!", "bad", "hardly any room is left"],
  lapsed: ["○", "calm", "its heartbeat has stopped"],
  ok: ["●", "good", "as it should be"],
  ready: ["●", "good", "takes requests"],
  enabled: ["●", "good", "is asked"],
  disabled: ["○", "calm", "is not asked"],
};

export const causes = [
  "unknown_number", "barred", "unauthorised", "no_credit", "bad_content", "too_large", "absent", "memory_full",
  "throttled", "congested", "timeout", "expired", "internal",
];

export const kinds = {
  carrier: ["Carrier", "a message centre that we bind to over SMPP"],
  esme: ["ESME", "a client that binds to us over SMPP"],
  sip: ["SIP peer", "Restcomm-Connect, a proxy, another centre"],
  ims: ["IMS core", "an S-CSCF or I-CSCF; we are its IP-SM-GW"],
  "sip-users": ["SIP users", "softphones and phones that register with us"],
  poll: ["Poll queue", "an application or frontend that polls over REST"],
  webhook: ["Webhook", "messages pushed to a URL"],
};

export const keys = [
  ["/", "search"], ["g o", "overview"], ["g m", "messages"], ["g s", "send"], ["g q", "queues"], ["g l", "links"], ["g r", "routing"],
  ["g a", "accounts"], ["g f", "frontends"], ["g c", "configuration"], ["g y", "system"], ["j k", "next, previous row"],
  ["Enter", "open the row"], ["x", "mark the row"], ["n", "new"], ["e", "edit"], ["[ ]", "newer, older page"],
  ["Ctrl+Enter", "save or send"], ["Esc", "close, back"], ["t", "theme"], ["?", "this list"],
];
