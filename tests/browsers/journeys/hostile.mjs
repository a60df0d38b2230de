// Scripts and foreign addresses in every text that clients and visitors write: shown as they were written, and dead.

import { createServer } from "node:http";

import { check, fillIn, open, press, same, seen, text } from "../browser.mjs";

const IMAGE = "<img src=x onerror=window.hit=1>";
const SCRIPT = "\"'></textarea></style><script>window.hit=1</script>";
const EVIL = `${SCRIPT}${IMAGE}`;

/** Nothing has run, and nothing was even read as markup. */
async function dead(page, where) {
  const found = await page.evaluate(() => {
    const trees = [document, ...[...document.querySelectorAll("*")].map((it) => it.shadowRoot).filter(Boolean)];
    const count = (selector) => trees.reduce((sum, tree) => sum + tree.querySelectorAll(selector).length, 0);
    return [globalThis.hit ?? 0, count("img[src=x]"), count("script:not([src])"), count("[onerror]")];
  });
  same(found, [0, 0, 0, 0], `hits, images, scripts, handlers at ${where}`);
  same(page.complaints, [], `complaints at ${where}`);
}

/** A second provider whose every text is hostile; made once. */
async function villain(bridge) {
  bridge.villain ??= makeVillain(bridge);
  return bridge.villain;
}

async function makeVillain(bridge) {
  const [iysCode, brandCode] = [900_001, 900_002];
  await bridge.ask("POST", "/v1/providers?test=false", { iysCode, title: EVIL });
  await bridge.ask("POST", "/v1/brands", { iysCode, brandCode, name: EVIL });
  const both = { tr: { title: EVIL, body: EVIL }, en: { title: EVIL, body: EVIL } };
  const sender = { title: SCRIPT.slice(0, 90), contact: IMAGE };
  await bridge.dress(brandCode, { text: both, notice: both, sender });
  return brandCode;
}

export async function scripts_in_every_text(bridge, browser) {
  const brand = await villain(bridge);
  const page = await browser.visitor();
  const form = await bridge.form("kotu", {}, brand);
  for (const lang of ["tr", "en"]) {
    await open(page, `${form.url}?lang=${lang}`);
    check((await text(page)).includes(IMAGE), "shown as it was written");
    await dead(page, `the form in ${lang}`);
  }
  await browser.look(page, "hostile-form");
  await fillIn(page, { fullName: EVIL, phone: EVIL, email: EVIL, boxes: ["MESAJ"] });
  await page.$eval("[name=page]", (it, evil) => { it.value = evil; }, EVIL);
  await page.$eval("[name=lang]", (it, evil) => { it.value = evil; }, EVIL);
  same(await press(page, "button[type=submit]"), 422, "status");
  same(await page.$eval("#phone", (it) => it.value), EVIL.slice(0, 254), "given back as it was typed");
  await dead(page, "the form with mistakes");

  await open(page, form.url);
  await fillIn(page, { fullName: EVIL, phone: "+905324440001", boxes: ["MESAJ"] });
  await press(page, "button[type=submit]");
  await dead(page, "the code page");
  await page.type("#code", IMAGE.slice(0, 12));
  await press(page, "button[type=submit]");
  await dead(page, "the code page with a mistake");

  const quick = await bridge.form("kotu-kisa", { doubleOptIn: false }, brand);
  await open(page, quick.url);
  await fillIn(page, { fullName: EVIL, phone: "+905324440002", boxes: ["MESAJ"] });
  await press(page, "button[type=submit]");
  await dead(page, "the thanks");

  const personal = await bridge.link({ kind: "recipient", form: "kotu", type: "MESAJ", recipient: "+905324440003" }, brand);
  const refusal = await bridge.link({ kind: "refusal", type: "MESAJ", recipient: "+905324440003" }, brand);
  for (const url of [personal.url, refusal.url]) {
    await open(page, url);
    await dead(page, url);
    await press(page, "button");
    await dead(page, `${url} pressed`);
  }
  for (const path of ["f", "l", "r", "c"]) {
    await open(page, `${bridge.api}/${path}/${encodeURIComponent(EVIL)}`);
    await dead(page, `an unknown /${path}/`);
  }
}

/** The same texts in a client's page, by the script, which has no policy of ours to help it. */
export async function scripts_in_an_embedded_form(bridge, browser) {
  const brand = await villain(bridge);
  const server = createServer((_, response) => {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
    response.end(`<!doctype html><title>Mağaza</title><body><script src="${embedUrl}"></script></body>`);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  const { embedUrl } = await bridge.form("kotu-gomulu", { allowedOrigins: [origin], doubleOptIn: false }, brand);
  try {
    const page = await browser.visitor({ embedding: true });
    await page.goto(origin, { waitUntil: "networkidle0" });
    await fillIn(page, { fullName: EVIL, phone: EVIL, boxes: ["MESAJ"] }, (selector) => `body > div >>> ${selector}`);
    await page.click("body > div >>> button");
    await seen(page, "body > div >>> .errors li");
    await dead(page, "the embedded form");
  } finally {
    server.close();
  }
}

/** No parameter and no field leads anywhere else. */
export async function open_redirects(bridge, browser) {
  const evil = "//evil.example/";
  const form = await bridge.form("yonlendirme");
  const page = await browser.visitor();
  const query = ["next", "redirect", "return", "url", "lang", "mail", "page"].map((name) => `${name}=${encodeURIComponent(evil)}`).join("&");
  await open(page, `${form.url}?${query}`);
  await fillIn(page, { fullName: `https:${evil}`, phone: "+905324440005", boxes: ["MESAJ"] });
  for (const name of ["page", "lang"]) await page.$eval(`[name=${name}]`, (it, evil) => { it.value = evil; }, evil);
  await press(page, "button[type=submit]");
  check(page.url().startsWith(`${bridge.api}/c/`), `led to ${page.url()}`);
  await open(page, `${page.url()}?${query}`);
  const places = await page.$$eval("a[href], form[action]", (all) => all.map((it) => new URL(it.action ?? it.href, location.href).origin));
  same([...new Set(places)], [bridge.api], "where the page leads");
  for (const path of [`/f/${evil}`, `//evil.example/f/`, `/c/${encodeURIComponent(evil)}/again`]) {
    const answer = await fetch(`${bridge.api}${path}`, { redirect: "manual" });
    check(answer.status >= 400 && !answer.headers.has("location"), `${path}: ${answer.status}`);
  }
}
