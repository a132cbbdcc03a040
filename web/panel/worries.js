// What needs a person: the rules by which the overview asks for attention.
import { get, isOperator, offers, query } from "./api.js";
import { age, number, share, span } from "./format.js";
import { load } from "./figures.js";

const LATE = 300; // seconds that a due message may wait
const SHARE = 0.05; // of what ended may have failed
const DISK = 0.1; // of the disk must be free

// worry lists what is wrong with a link: [status, words, page].
export function worry(l) {
  const s = l.state;
  if (!s) return [];
  const at = "/links/" + encodeURIComponent(l.name);
  const list = [];
  if (s.status === "down" || s.status === "connecting") list.push([s.status, [l.name, s.since && !s.since.startsWith("0001") ? [" for ", age(s.since)] : "", s.queue.waiting ? `, ${number(s.queue.waiting)} waiting` : ""], at]);
  if (s.status === "paused" || s.status === "degraded") list.push([s.status, [l.name, s.queue.waiting ? `, ${number(s.queue.waiting)} waiting` : ""], at]);
  if (s.queue.oldest_seconds > LATE) list.push(["late", [`${l.name}: the oldest waits ${span(s.queue.oldest_seconds)}`], "/messages" + query({ status: "queued,retrying", dest_smsc: l.name })]);
  return list;
}

// elsewhere lists what is wrong beside the links.
export async function elsewhere(signal) {
  const ask = (path, wanted = true) => (wanted && offers("GET", path) ? get(path, {}, signal).then((r) => r.data, () => null) : null);
  const [queues, frontends, system, stats] = await Promise.all([ask("/api/queues"), ask("/api/frontends"), ask("/api/system", isOperator()), load("5m", signal)]);
  return [...unpolled(queues ?? []), ...lapsed(frontends ?? []), ...full(system?.disk), ...failing(stats.totals)];
}

function unpolled(queues) {
  return queues.filter((q) => q.waiting > 0 && !q.pollers && (!q.declared || q.kind === "poll"))
    .map((q) => ["unpolled", [`queue ${q.name || "open to all"}: nobody polls, ${number(q.waiting)} waiting`], "/queues"]);
}

function lapsed(frontends) {
  const list = [];
  const seen = new Set();
  for (const f of frontends) {
    if (!seen.has(f.frontend_name) && f.status !== "active" && Date.now() - Date.parse(f.last_seen_at) < 86400000) list.push(["lapsed", [`frontend ${f.frontend_name}, last seen `, age(f.last_seen_at), " ago"], "/frontends"]);
    seen.add(f.frontend_name);
  }
  return list;
}

function full(disk) {
  if (!disk?.total_bytes || disk.free_bytes / disk.total_bytes >= DISK) return [];
  return [["full", [`disk: ${share(disk.free_bytes, disk.total_bytes)} free`], "/system"]];
}

function failing({ failed, expired, delivered }) {
  const ended = failed + expired + delivered;
  if (ended <= 20 || (failed + expired) / ended <= SHARE) return [];
  return [["failing", [`${share(failed + expired, ended)} of what ended in 5 min has failed`], "/messages?status=failed,expired"]];
}
