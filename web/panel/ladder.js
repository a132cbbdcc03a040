// The way of a message as a ladder: one column a peer, one arrow a hop.
import { h, plain } from "./dom.js";
import { clock, number } from "./format.js";

const TONES = { Delivered: "good", Relayed: "good", Deferred: "warn", Unsure: "warn", Refused: "bad" };

// place tells between whom a step happens: from and to are columns, equal
// where it happens in the house.
function place(step, peers, source) {
  const us = 1;
  const at = Math.max(peers.indexOf(step.link), 0);
  switch (step.step) {
    case "accepted": return [0, us];
    case "attempt": return [us, at];
    case "outcome": case "report": return step.link ? [at, us] : [us, us];
    case "receipt": return step.link ? [us, step.link === source ? 0 : at || 0] : [us, us];
    default: return [us, us];
  }
}

// brief leaves out what the page says elsewhere: whom it is from and to.
function brief(s) {
  return s.step === "accepted" ? s.summary.split(", ").filter((w) => !/ to |^until /.test(w)).join(", ") : s.summary;
}

// ladder draws one column a peer and one arrow a hop.
export function ladder(m, steps) {
  const source = m.source_smsc || m.source_type;
  const peers = [source, "here"];
  for (const s of steps) if (["attempt", "outcome", "report"].includes(s.step) && s.link && !peers.slice(2).includes(s.link)) peers.push(s.link);
  // A message may go back over the link it came by: then the peer has two
  // columns, since the way out is another one.
  const columns = peers.map((p, i) => (i < 2 ? "\u0000" + p : p));
  if (!steps.length) return h("p", {}, "No step was kept.");
  const el = h("ol", { class: "ladder" });
  el.style.setProperty("--peers", peers.length);
  el.append(h("li", { class: "ladder-head", "aria-hidden": "true" }, h("span", {}, ""), peers.map((p) => h("span", {}, plain(p, 24)))));
  for (const s of steps) {
    const [a, b] = place(s, columns, source);
    const [low, high] = [Math.min(a, b), Math.max(a, b)];
    const tone = s.step === "finished" ? (/deliver/i.test(s.summary) ? "good" : "bad") : TONES[s.result];
    const hop = h("div", { title: s.summary, class: ["hop", a === b ? "own" : "move " + (b > a ? "right" : "left"), tone && "tone-" + tone].filter(Boolean).join(" ") },
      h("span", {}, h("b", {}, s.result ?? s.step), " ", s.summary ? plain(brief(s), 160) : "", h("span", { class: "sr" }, a === b ? "" : ` from ${peers[a]} to ${peers[b]}`)));
    // An own step may be wider than its column; an arrow ends on two life lines.
    hop.style.gridColumn = a === b ? `${Math.max(low + 1, 2)} / ${Math.min(high + 4, peers.length + 2)}` : `${low + 2} / ${high + 3}`;
    if (a !== b) {
      hop.style.setProperty("--inset", 50 / (high - low + 1) + "%");
      hop.style.setProperty("--lane", (100 * (high - low)) / (high - low + 1) + "%");
    }
    const lines = peers.map((_, i) => { const l = h("span", { class: "lifeline", "aria-hidden": "true" }); l.style.gridColumn = i + 2; return l; });
    el.append(h("li", { class: "rung" }, h("span", { class: "at" }, clock(s.at, true), h("br", {}), "+" + number(s.after_ms) + " ms"), lines, hop));
  }
  return el;
}

// asText is the ladder for a mail or a ticket.
export function asText(m, steps) {
  return [`message ${m.id}  ${m.source_msisdn} -> ${m.destination_msisdn}  ${m.status}`, ...steps.map((s) => [s.at, ("+" + s.after_ms + " ms").padStart(10), s.step.padEnd(9), (s.link ?? "").padEnd(12), [s.result, s.summary].filter(Boolean).join(": ")].join("  "))].join("\n");
}
