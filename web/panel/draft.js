// Changes of routes that are tried before they are made: kept in this tab,
// shown one by one, and saved in their order.
import { ask } from "./api.js";

// OWN are the fields of a route that its owner writes.
const OWN = ["account", "called_prefix", "calling_prefix", "source_smsc", "source_type", "dest_smsc", "priority", "weight", "charged", "refund", "auto_reply", "drop", "back", "failover", "after_unsure", "description", "enabled"];

let draft = null; // {routes, etag, next}: survives a change of page

export const drafted = () => draft;

// begin copies the table in force.
export function begin(routes, etag) {
  draft = { routes: routes.map((r) => ({ ...r })), base: new Map(routes.map((r) => [r.id, r])), etag, next: -1 };
}

export function discard() {
  draft = null;
}

// put changes a route of the draft, or adds one.
export function put(r) {
  const at = draft.routes.findIndex((o) => o.id === r.id);
  if (at >= 0) draft.routes[at] = { ...draft.routes[at], ...r };
  else draft.routes.push({ enabled: true, weight: 100, priority: 100, ...r, id: draft.next-- });
  draft.routes.sort((a, b) => (a.account ?? "").localeCompare(b.account ?? "") || a.priority - b.priority || (b.called_prefix ?? "").length - (a.called_prefix ?? "").length || a.id - b.id);
}

export function drop(id) {
  draft.routes = draft.routes.filter((r) => r.id !== id);
}

// own is what a request says of a route.
export const own = (r) => Object.fromEntries(OWN.filter((k) => r[k] !== undefined && r[k] !== null).map((k) => [k, r[k]]));

// proposal is the draft as the simulator takes it.
export const proposal = () => (draft ? { routes: draft.routes.map(own) } : null);

const name = (r) => (r.id > 0 ? "route " + r.id : "new route") + ` (${r.called_prefix || "any"} to ${r.dest_smsc || (r.drop ? "drop" : "auto reply")})`;

// steps are the requests that make the draft true, with a sentence each.
export function steps() {
  if (!draft) return [];
  const kept = new Set(draft.routes.map((r) => r.id));
  const list = [...draft.base.values()].filter((r) => !kept.has(r.id)).map((r) => ({ says: "delete " + name(r), request: ["DELETE", "/api/routes/" + r.id] }));
  for (const r of draft.routes) {
    const old = draft.base.get(r.id);
    if (!old) {
      list.push({ says: "add " + name(r), request: ["POST", "/api/routes", own(r)] });
      continue;
    }
    const keys = OWN.filter((k) => (r[k] ?? "") !== (old[k] ?? ""));
    if (keys.length) list.push({ says: name(old) + ": " + keys.map((k) => `${k.replaceAll("_", " ")} ${shown(old[k])} → ${shown(r[k])}`).join(", "), request: ["PATCH", "/api/routes/" + r.id, Object.fromEntries(keys.map((k) => [k, r[k]]))] });
  }
  return list;
}

const shown = (v) => (v === "" || v === undefined || v === null ? "none" : v === true ? "yes" : v === false ? "no" : String(v));

// save makes the changes one after the other, each on top of the version that
// the one before made; dry only asks whether each would fit.
export async function save(dry) {
  let etag = draft.etag;
  for (const { request: [method, path, body] } of steps()) {
    const done = await ask(method, path, { body, etag, params: dry ? { dry_run: true } : {} });
    if (!dry) etag = done.etag ?? undefined;
  }
  if (!dry) draft = null;
}
