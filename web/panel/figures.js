// The figures behind charts and tiles: their history from /api/stats, the
// newest second from the event stream. What was not counted is null: a gap.
import { get, session } from "./api.js";
import { live, onEvent } from "./live.js";

// RANGES are the spans a chart can show: name, words, seconds of one step.
export const RANGES = [["5m", "5 min", 1], ["1h", "1 h", 10], ["24h", "24 h", 60]];

const WORST = ["waiting", "oldest_seconds", "ack_p50_ms", "ack_p99_ms", "sync_p50_ms", "sync_p99_ms"];

// rows turns lists side by side into [time in ms, value a second or as it is].
function series(doc, lists) {
  const begin = Date.parse(doc.since);
  const out = {};
  for (const [name, values] of Object.entries(lists ?? {})) {
    const per = WORST.includes(name) || lists === doc.waiting ? 1 : doc.step_seconds;
    out[name] = values.map((v, i) => [begin + i * doc.step_seconds * 1000, v === null ? null : v / per]);
  }
  return out;
}

// load reads one range.
export async function load(range, signal, more = {}) {
  const { data } = await get("/api/stats", { range, account: session.account, ...more }, signal);
  return { ...data, series: series(data, data.series), waiting: series(data, data.waiting), links: data.links };
}

// follow keeps the last five minutes at hand and calls show with them each
// second; without the stream, as often as they can be asked for.
export async function follow(page, show) {
  let doc = await load("5m", page.signal);
  const asked = async () => { doc = await load("5m", page.signal); show(doc); };
  onEvent((kind, read) => {
    if (kind !== "stats") return;
    const data = read();
    if (session.account && data.account !== session.account) return;
    const at = Date.parse(data.second);
    for (const [name, points] of Object.entries(doc.series)) {
      const newest = points.at(-1)?.[0] ?? 0;
      if (at <= newest) continue;
      for (let gap = newest + 1000; points.length && gap < at && at - newest < 300000; gap += 1000) points.push([gap, null]);
      points.push([at, data[name] ?? null]);
      points.splice(0, points.length - 300);
    }
    show(doc);
  }, page.signal);
  page.every(5000, () => (live.state === "live" && !session.account ? null : asked().catch(() => {})));
  show(doc);
}

// newest is the last value that is known of a series.
export const newest = (points) => points?.at(-1)?.[1] ?? points?.at(-2)?.[1] ?? null;
