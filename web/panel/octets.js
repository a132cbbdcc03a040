// The octets of a hop: as they are, and what they say, side by side.
import { h, block } from "./dom.js";
import { number } from "./format.js";

const COMMANDS = { 0x01: "bind_receiver", 0x02: "bind_transmitter", 0x03: "query_sm", 0x04: "submit_sm", 0x05: "deliver_sm", 0x07: "replace_sm", 0x08: "cancel_sm", 0x21: "submit_multi", 0x103: "data_sm" };
const TAGS = { 0x001e: "receipted_message_id", 0x0204: "user_message_reference", 0x020c: "sar_msg_ref_num", 0x020e: "sar_total_segments", 0x020f: "sar_segment_seqnum", 0x0424: "message_payload", 0x0425: "delivery_failure_reason", 0x0427: "message_state", 0x0423: "network_error_code", 0x001d: "additional_status_info_text", 0x0420: "dpf_result" };

// bytesOf are the octets of a row of `raw`.
const bytesOf = (raw) => (raw.hex !== undefined ? Uint8Array.from(raw.hex.match(/../g) ?? [], (x) => parseInt(x, 16)) : new TextEncoder().encode(raw.text ?? ""));

const hex = (bytes) => [...bytes].map((b) => b.toString(16).padStart(2, "0")).join(" ");

// dump writes octets sixteen a line, with what of them can be printed.
export function dump(bytes) {
  const lines = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const part = bytes.slice(at, at + 16);
    lines.push(at.toString(16).padStart(4, "0") + "  " + hex(part).padEnd(47) + "  " + [...part].map((b) => (b >= 32 && b < 127 ? String.fromCharCode(b) : ".")).join(""));
  }
  return lines.join("\n");
}

// reader takes the fields of a PDU one after the other; what is not there any
// more, because only the beginning is kept, is undefined.
function reader(bytes) {
  let at = 0;
  const int = (n) => {
    if (at + n > bytes.length) { at = bytes.length; return undefined; }
    let v = 0;
    for (; n > 0; n--) v = v * 256 + bytes[at++];
    return v;
  };
  const text = () => {
    if (at >= bytes.length) return undefined;
    const end = bytes.indexOf(0, at);
    const part = bytes.slice(at, end < 0 ? bytes.length : end);
    at = end < 0 ? bytes.length : end + 1;
    return String.fromCharCode(...part);
  };
  const take = (n) => { const part = bytes.slice(at, at + n); at += part.length; return part; };
  return { int, text, take, more: () => at < bytes.length };
}

const shown = (part) => (part.every((b) => b >= 32 && b < 127) ? JSON.stringify(String.fromCharCode(...part)) : hex(part));

// decodeSMPP names the fields of a PDU (SMPP 3.4 §4), one a line.
export function decodeSMPP(bytes) {
  const r = reader(bytes);
  const out = [];
  const say = (name, v) => { if (v !== undefined) out.push(name.padEnd(24) + v); };
  const int = (name, n = 1) => { const v = r.int(n); say(name, v); return v; };
  const address = (what) => { int(what + "_ton"); int(what + "_npi"); say(what + "_addr", r.text()); };
  int("command_length", 4);
  const command = r.int(4) ?? 0;
  const kind = command % 0x80000000;
  say("command", (COMMANDS[kind] ?? "0x" + kind.toString(16)) + (command >= 0x80000000 ? "_resp" : ""));
  const status = r.int(4);
  say("command_status", status === undefined ? status : "0x" + status.toString(16).padStart(8, "0"));
  int("sequence_number", 4);
  if (command >= 0x80000000) {
    if (r.more()) say("message_id", r.text());
  } else if (kind === 4 || kind === 5 || kind === 0x103) {
    say("service_type", r.text());
    address("source");
    address("dest");
    int("esm_class");
    if (kind !== 0x103) {
      int("protocol_id");
      int("priority_flag");
      say("schedule_delivery_time", r.text());
      say("validity_period", r.text());
    }
    int("registered_delivery");
    if (kind !== 0x103) int("replace_if_present");
    int("data_coding");
    if (kind !== 0x103) {
      int("sm_default_msg_id");
      const length = int("sm_length");
      if (length) say("short_message", shown(r.take(length)));
    }
  } else return out.join("\n");
  while (r.more()) {
    const tag = r.int(2), length = r.int(2);
    if (length === undefined) break;
    say(TAGS[tag] ?? "tag 0x" + tag.toString(16).padStart(4, "0"), shown(r.take(length)));
  }
  return out.join("\n");
}

const decoded = (raw, bytes) => (raw.protocol === "smpp" ? decodeSMPP(bytes) : raw.text ?? new TextDecoder().decode(bytes));

// octets shows what went over the wire beside each step, or says that it is
// not remembered any more.
export function octets(steps) {
  const wire = steps.filter((s) => ["accepted", "attempt", "outcome", "report"].includes(s.step));
  if (!wire.length) return null;
  const rows = wire.flatMap((s) => (s.raw ?? []).map((raw) => ({ s, raw, bytes: bytesOf(raw) })));
  if (!rows.length) return h("p", { class: "small" }, "The steps stay, the bytes are gone.");
  const gone = wire.some((s) => !s.raw && s.step !== "outcome");
  return [rows.map(({ s, raw, bytes }) => h("details", { class: "octets" },
    h("summary", {}, `${s.step}${s.link ? " " + s.link : ""}: ${raw.protocol.toUpperCase()}, ${number(raw.octets)} octets`),
    h("div", { class: "octet-pair" },
      h("pre", { tabindex: "0", role: "group", "aria-label": "Octets" }, dump(bytes)),
      h("pre", { tabindex: "0", role: "group", "aria-label": "Decoded" }, block(decoded(raw, bytes).replaceAll("\r\n", "\n")))),
    raw.octets > bytes.length && h("p", { class: "small" }, `The first ${number(bytes.length)} octets; the rest was not kept.`))),
  gone && h("p", { class: "small" }, "Of the other hops the steps stay, the bytes are gone.")];
}
