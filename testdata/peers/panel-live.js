// What is live: a message over SMPP shows within a second, a stream that was
// cut is said and comes back. See panel.js.
"use strict";

const net = require("node:net");
const smpp = require("smpp");

const { LIVE, args, check, expect, open, ready, signedIn } = require("./panel.js");

module.exports = async function live(browser) {
  await check("a message over SMPP shows at once in the overview and the live tail", () => shown(browser));
  await check("many tabs of one browser leave connections free for asking", () => many(browser));
  await check("a cut stream is said, and comes back without a reload", () => cut(browser));
};

// bound returns a session of an ESME, and how it submits.
async function bound() {
  const session = smpp.connect({ url: `smpp://127.0.0.1:${args.smpp}` });
  session.on("error", () => {});
  await new Promise((done) => session.on("connect", done));
  const bind = await new Promise((done) => session.bind_transceiver({ system_id: "esme1", password: "pw1" }, done));
  expect(bind.command_status === 0, "not bound: " + bind.command_status);
  const submit = (text) => new Promise((done) => session.submit_sm({ source_addr: "acme", source_addr_ton: 5, destination_addr: args.number, dest_addr_ton: 1, dest_addr_npi: 1, short_message: text }, done));
  return { session, submit };
}

const median = (all) => [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)];

// shown measures from the answer of the server to the page. Counting is by
// whole seconds, so a tile has the second that ends and the one that tells it.
async function shown(browser) {
  const { session, submit } = await bound();
  const { context, page } = await signedIn(browser);
  const second = await context.newPage();
  second.setDefaultTimeout(90000);
  await second.goto(args.base + "/#key=" + encodeURIComponent(args.key));
  await second.waitForSelector(LIVE);
  await open(page, "/messages?tail=1");
  await page.waitForSelector(LIVE);
  const rounds = args.long ? 10 : 3;
  const tail = [], tile = [];
  for (let i = 0; i < rounds; i++) {
    await second.waitForFunction(() => [...document.querySelectorAll(".tile")].some((t) => t.innerText.startsWith("Accepted") && parseFloat(t.querySelector(".figure").textContent) === 0), null, { polling: 50 });
    const text = `live ${i} of ${Date.now()}`;
    expect((await submit(text)).command_status === 0, "not accepted");
    const began = performance.now();
    // Other plays send too: theirs may stand above it.
    await Promise.all([
      page.waitForFunction((t) => [...document.querySelectorAll("main tbody tr")].some((tr) => tr.innerText.includes(t)), text, { polling: "raf" }).then(() => tail.push(performance.now() - began)),
      second.waitForFunction(() => [...document.querySelectorAll(".tile")].some((t) => t.innerText.startsWith("Accepted") && parseFloat(t.querySelector(".figure").textContent) > 0), null, { polling: "raf" }).then(() => tile.push(performance.now() - began)),
    ]);
  }
  await new Promise((done) => session.unbind(done));
  session.close();
  await context.close();
  const figures = `live tail ${Math.round(median(tail))} ms, tile ${Math.round(median(tile))} ms after submit_sm_resp (medians of ${rounds})`;
  // A machine that does ten other things may take longer; on its own it is
  // measured with long.
  const limit = args.long ? [1000, 2000] : [10000, 10000];
  expect(median(tail) < limit[0] && median(tile) < limit[1], figures);
  return figures;
}

// many opens more tabs than a browser opens connections to one host: all of
// them show their page, and who has no stream gets one when another goes.
async function many(browser) {
  const { context, page } = await signedIn(browser);
  const tabs = [page];
  for (let i = 0; i < 7; i++) {
    const tab = await context.newPage();
    tab.setDefaultTimeout(90000);
    await tab.goto(args.base + "/#key=" + encodeURIComponent(args.key));
    await ready(tab);
    await tab.waitForFunction(() => /^(live|every)/.test(document.querySelector(".live")?.textContent.trim()));
    tabs.push(tab);
  }
  const live = [];
  for (const tab of tabs) live.push((await tab.$(LIVE)) !== null);
  expect(live[0] && live.filter(Boolean).length === 4, "streams: " + live);
  await tabs[0].close();
  await Promise.any(tabs.filter((_, i) => !live[i]).map((tab) => tab.waitForSelector(LIVE)));
  await context.close();
}

// cut goes through a relay of its own, so that connections can be broken.
async function cut(browser) {
  const target = new URL(args.base);
  const sockets = new Set();
  const relay = net.createServer((near) => {
    const far = net.connect(Number(target.port), target.hostname);
    for (const s of [near, far]) {
      sockets.add(s);
      s.on("error", () => {});
      s.on("close", () => { sockets.delete(s); near.destroy(); far.destroy(); });
    }
    near.pipe(far).pipe(near);
  });
  await new Promise((done) => relay.listen(0, "127.0.0.1", done));
  const port = relay.address().port;
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${port}/#key=${encodeURIComponent(args.key)}`);
  await page.waitForSelector(LIVE);
  await page.evaluate(() => { window.stays = true; });
  await new Promise((done) => { relay.close(done); sockets.forEach((s) => s.destroy()); });
  await page.waitForSelector(".banner:not([hidden])");
  await new Promise((done) => relay.listen(port, "127.0.0.1", done));
  await page.waitForSelector(LIVE);
  await page.waitForSelector(".banner", { state: "hidden" });
  expect(await page.evaluate(() => window.stays), "the page was loaded anew");
  await page.close();
  relay.close();
  sockets.forEach((s) => s.destroy());
}
