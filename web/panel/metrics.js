// The figures of the house, as /metrics has them. They count the whole house,
// so only its operator is shown them.

// read asks for the counters and sums them over their labels.
export async function read(signal) {
  const reply = await fetch("/metrics", { signal, cache: "no-store", credentials: "omit" });
  if (!reply.ok) throw new Error("metrics: " + reply.status);
  return parse(await reply.text());
}

// parse reads the text format of Prometheus, as far as we write it.
export function parse(text) {
  const all = new Map();
  for (const line of text.split("\n")) {
    if (!line.startsWith("smsc_")) continue;
    const m = /^(\w+)(?:\{(.*)\})? (\S+)/.exec(line);
    if (!m) continue;
    const labels = {};
    for (const [, k, v] of (m[2] ?? "").matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) labels[k] = v;
    if (!all.has(m[1])) all.set(m[1], []);
    all.get(m[1]).push([labels, Number(m[3])]);
  }
  return all;
}

// sum adds up what a name counts, of those rows that match; null if it counts
// nothing here.
export function sum(all, name, match = () => true) {
  const rows = all.get(name);
  return rows ? rows.reduce((n, [labels, v]) => (match(labels) ? n + v : n), 0) : null;
}

// by sums up by one label.
export function by(all, name, label) {
  const out = new Map();
  for (const [labels, v] of all.get(name) ?? []) out.set(labels[label], (out.get(labels[label]) ?? 0) + v);
  return out;
}

// quantile is the q-quantile of a histogram between two readings, in
// seconds: the upper edge of its bucket. null: nothing happened between.
export function quantile(q, now, before, name) {
  const edges = (all) => {
    const at = new Map();
    for (const [labels, v] of all?.get(name + "_bucket") ?? []) {
      const le = labels.le === "+Inf" ? Infinity : Number(labels.le);
      at.set(le, (at.get(le) ?? 0) + v);
    }
    return at;
  };
  const [a, b] = [edges(now), edges(before)];
  const grown = [...a].map(([le, v]) => [le, v - (b.get(le) ?? 0)]).sort((x, y) => x[0] - y[0]);
  const total = grown.at(-1)?.[1] ?? 0;
  if (total <= 0) return null;
  const hit = grown.find(([, v]) => v >= q * total);
  return hit && Number.isFinite(hit[0]) ? hit[0] : null;
}
