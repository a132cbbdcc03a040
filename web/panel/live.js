// What happens now: one event stream a tab, read with fetch so that the key
// is a header. Where it breaks or is not offered, pages ask again by themselves.
import { headers, key, offers, query, session } from "./api.js";

const listeners = new Set();
const watchers = new Set();
export const live = { state: "off", since: 0, next: 0 };

// BASE is what every page is told; news of single messages, thousands a
// second in a busy house, only comes to a page that wants it.
const BASE = ["stats", "link.*", "bind.*", "registration.*", "frontend.*", "queue.*", "limit.*", "provision.*"];

let stop = null;
let hidden = 0;
let last = "";
let asked = ""; // the kinds that the open stream tells of

function become(state, pause = 0) {
  if (live.state !== state) live.since = Date.now();
  Object.assign(live, { state, next: Date.now() + pause * 1000 });
  for (const f of watchers) f(live);
}

// onEvent calls f with the kind of every event and a function that reads its
// data, until signal ends. more are kinds beyond those that everybody is told.
export function onEvent(f, signal, more = []) {
  const one = { f, more };
  listeners.add(one);
  signal?.addEventListener("abort", () => { listeners.delete(one); settle(); });
  settle();
}

const wanted = () => [...new Set([...BASE, ...[...listeners].flatMap((l) => l.more)])].sort().join(",");

let settling = 0;

// settle opens the stream anew where a page wants other kinds than it tells.
function settle() {
  clearTimeout(settling);
  settling = setTimeout(() => { if (stop && asked && wanted() !== asked) { last = ""; open(); } }, 50);
}

// onLive calls f when the stream comes or goes.
export function onLive(f) {
  watchers.add(f);
  f(live);
}

function dispatch(block) {
  let kind = "message";
  let data = "";
  for (const line of block.split("\n")) {
    const at = line.indexOf(":");
    if (at === 0) continue;
    const [name, value] = at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at + 1).replace(/^ /, "")];
    if (name === "event") kind = value;
    else if (name === "data") data += value;
    else if (name === "id") last = value;
  }
  if (!data) return;
  let body;
  const parsed = () => {
    try {
      return (body ??= JSON.parse(data));
    } catch {
      return {};
    }
  };
  for (const { f } of listeners) f(kind, parsed);
}

async function read(signal) {
  const head = { ...headers(), Accept: "text/event-stream" };
  if (last) head["Last-Event-ID"] = last;
  asked = wanted();
  const reply = await fetch("/api/events" + query({ types: asked }), { headers: head, signal, cache: "no-store", credentials: "omit" });
  if (reply.status === 422 && last) last = "";
  if (reply.status === 401) session.onUnauthorized?.();
  if (!reply.ok) throw new Error("events: " + reply.status);
  become("live");
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    blocks.forEach(dispatch);
  }
}

// SLOTS is how many streams all tabs of a browser hold together. Over HTTP/1.1
// it opens six connections to a host, so that some stay free for asking.
const SLOTS = 4;
let free = null; // gives this tab's slot away

// slot waits until this tab has one; meanwhile its pages ask every few seconds.
async function slot(signal) {
  while (navigator.locks && !free && !signal.aborted) {
    for (let i = 0; i < SLOTS && !free; i++) {
      const end = await new Promise((got) => navigator.locks.request("smsc.stream." + i, { ifAvailable: true }, (lock) => (lock ? new Promise((done) => got(done)) : got(null))));
      if (free) end?.(); // asked for twice at a time
      else free = end;
    }
    if (free || signal.aborted) break;
    become("polling");
    await new Promise((r) => setTimeout(r, 3000));
  }
  if (!stop) release();
}

function release() {
  free?.();
  free = null;
}

// open keeps the stream open until close. After a break it comes back later
// each time, at most every 15 s. A tab that nobody has seen yet waits for that.
export async function open() {
  stop?.abort();
  stop = null;
  if (!key.get() || !session.me) return close();
  if (!offers("GET", "/api/events")) return become("polling");
  if (document.hidden) return become("asleep");
  const mine = (stop = new AbortController());
  await slot(mine.signal);
  for (let pause = 1; !mine.signal.aborted; pause = Math.min(pause * 2, 15)) {
    try {
      const began = Date.now();
      await read(mine.signal);
      if (Date.now() - began > 10000) pause = 1;
    } catch {
      // Said below.
    }
    if (mine.signal.aborted) return;
    become("lost", pause);
    await new Promise((r) => setTimeout(r, pause * 1000));
  }
}

export function close() {
  stop?.abort();
  stop = null;
  release();
}

// A tab that nobody looks at for a minute holds no stream.
document.addEventListener("visibilitychange", () => {
  clearTimeout(hidden);
  if (document.hidden) hidden = setTimeout(() => { close(); become("asleep"); }, 60000);
  else if (live.state === "asleep") open();
});
