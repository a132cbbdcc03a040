// The forms of a link: the keys that each kind has, with what they mean. What
// a form does not know stays in the settings as JSON, below it.
import { h } from "./dom.js";
import { ask, isOperator, session } from "./api.js";
import { button, dialog, form, note, save } from "./ui.js";
import * as words from "./words.js";
import { at } from "./linkacts.js";

const WINDOW = { name: "window", label: "Window", type: "number", help: "Requests in flight at once; empty: 100." };
const RATE = { name: "throughput", label: "Parts a second", type: "number", help: "Empty: no limit." };
const SECRET = { name: "password", label: "Password", help: "*** stays as it is." };

// FIELDS are the keys of a kind, the needed ones first.
const FIELDS = {
  carrier: [{ name: "address", label: "Address", help: "host:port", required: true }, { name: "system_id", label: "System id", required: true }, SECRET, { name: "bind", label: "Bind", type: "select", options: ["transceiver", "pair"] }, RATE, WINDOW],
  esme: [{ name: "system_id", label: "System id", required: true }, { ...SECRET, help: "At most 8 characters; *** stays as it is." }, { name: "from", label: "Allowed addresses", type: "list", help: "One a line; empty: any." }, { name: "binds", label: "Sessions at once", type: "number" }, RATE, WINDOW],
  sip: [{ name: "uri", label: "URI", help: "sip:host:port;transport=udp: where MESSAGE goes", required: true }, { name: "from", label: "Trusted addresses", type: "list", help: "Requests from here are this link's." }, { name: "user", label: "Digest user" }, { ...SECRET, label: "Digest password" }, { name: "dialect", label: "Dialect", type: "select", options: ["restcomm", "cpim"] }, RATE, WINDOW],
  ims: [{ name: "uri", label: "URI", required: true }, { name: "from", label: "Trusted addresses", type: "list" }, { name: "smsc_address", label: "Service centre address", required: true }, { name: "serves", label: "Serves", type: "list", help: "Called numbers, prefix*" }, RATE, WINDOW],
  "sip-users": [RATE],
  poll: [],
  webhook: [{ name: "url", label: "URL", required: true }, { name: "failover_url", label: "Second URL", help: "Asked at once where the first does not answer." }, { name: "secret", label: "Secret", help: "Signs what is posted; *** stays as it is." }, RATE, WINDOW],
};

const READ_ONLY = ["state", "created_at", "updated_at"];
const OF_TENANTS = ["esme", "poll", "webhook"]; // what an account may declare for itself

// settings are what its owner wrote of a link.
export const settings = (link) => Object.fromEntries(Object.entries(link).filter(([k]) => !READ_ONLY.includes(k)));

const given = (x) => x !== "" && x !== null && !(Array.isArray(x) && !x.length);

// create asks for a kind first where none is given.
export function create(page, kind) {
  if (!kind) {
    const kinds = Object.entries(words.kinds).filter(([k]) => isOperator() || OF_TENANTS.includes(k));
    return dialog("New link", (close) => h("ul", { class: "choices" }, kinds.map(([k, [name, what]]) => h("li", {}, h("button", { type: "button", class: "choice", onclick: () => { close(); create(page, k); } }, h("b", {}, name), h("span", { class: "small" }, what))))));
  }
  const body = (v) => Object.fromEntries(Object.entries({ ...v, kind, account: session.account || session.me.account }).filter(([, x]) => given(x)));
  dialog("New " + words.kinds[kind][0], (close) => form([{ name: "name", label: "Name", required: true, help: "What routes call it; it cannot be changed later." }, ...FIELDS[kind]], {
    intro: words.kinds[kind][1], submit: "Create", close, command: (v) => ["POST", "/api/links", body(v)],
    send: async (v) => {
      await ask("POST", "/api/links", { body: body(v) });
      note(`${v.name} is declared.`);
      page.go("/links/" + encodeURIComponent(v.name));
    },
  }));
}

// edit has a field for each key of the kind, and the rest as JSON.
export function edit(page, first, read) {
  const link = settings(first.data);
  const known = FIELDS[link.kind] ?? [];
  const rest = Object.fromEntries(Object.entries(link).filter(([k]) => !["name", "kind", ...known.map((f) => f.name)].includes(k)));
  const fields = known.map((f) => ({ ...f, value: link[f.name] ?? f.value }));
  const body = (v) => {
    const { more, ...own } = v;
    return { name: link.name, kind: link.kind, ...parse(more), ...Object.fromEntries(Object.entries(own).filter(([k, x]) => given(x) && !(link[k] === undefined && known.find((f) => f.name === k)?.options?.[0] === x))) };
  };
  dialog("Edit " + link.name, (close) => form([...fields, { name: "more", label: "Other settings", type: "area", rows: 6, trim: false, value: JSON.stringify(rest, null, 2), help: "As JSON: every key that the form has no field for." }], {
    intro: "Connections begin anew where a setting they depend on changes.", close, submit: "Save", command: (v) => ["PUT", at(link.name), body(v)],
    extra: h("p", { class: "acts" }, button("As JSON", () => { close(); raw(page, first, read); })),
    send: async (v) => { await save("PUT", at(link.name), body(v), first.etag, read); note("Saved."); page.again(); },
  }));
}

// raw is the whole of a link as text.
function raw(page, first, read) {
  const name = first.data.name;
  dialog("Edit " + name, (close) => form([{ name: "more", label: "Settings", type: "area", rows: 16, trim: false, value: JSON.stringify(settings(first.data), null, 2), help: "Secrets read *** and stay as they are unless you write another." }], {
    close, submit: "Save", command: (v) => ["PUT", at(name), parse(v.more)],
    send: async (v) => { await save("PUT", at(name), parse(v.more), first.etag, read); note("Saved."); page.again(); },
  }));
}

function parse(text) {
  try {
    return JSON.parse(text || "{}");
  } catch (e) {
    throw Object.assign(new Error("This is not JSON."), { errors: [{ location: "body.more", message: e.message }] });
  }
}
