// The form in a client's page, on an origin of its own and under the strictest policy.

import { createServer } from "node:http";

import { check, fillIn, focused, press, same, seen } from "../browser.mjs";

/** A client's page that holds a form, served on a port of its own. */
async function client() {
  let page = "";
  let policy = "";
  const server = createServer((request, response) => {
    if (request.url !== "/") {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "content-type": "text/html; charset=utf-8", "content-security-policy": policy }).end(page);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    holds(bridge, form) {
      // Nothing but the bridge's script and what it sends.
      policy = `default-src 'none'; script-src ${bridge.api}; connect-src ${bridge.api}; base-uri 'none'; frame-ancestors 'none'`;
      page = `<!doctype html><html lang="tr"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
        <title>Mağaza</title></head><body><main><h1>Mağaza</h1><div id="izin"></div></main>
        <script src="${form.embedUrl}" data-target="izin"></script></body></html>`;
    },
    stop: () => server.close(),
  };
}

async function visit(page, url) {
  await page.evaluateOnNewDocument(() => {
    globalThis.violations = [];
    addEventListener("securitypolicyviolation", (event) => globalThis.violations.push(`${event.violatedDirective}: ${event.blockedURI}`));
  });
  await page.goto(url, { waitUntil: "networkidle0" });
}

const inside = (selector) => `#izin > div >>> ${selector}`;

export async function embedded_form(bridge, browser) {
  const number = "+905323330001";
  const shop = await client();
  try {
    const form = await bridge.form("gomulu", { allowedOrigins: [shop.origin], channels: ["MESAJ", "EPOSTA"] });
    shop.holds(bridge, form);
    const page = await browser.visitor({ embedding: true });
    await visit(page, shop.origin);
    await seen(page, inside("button"));
    same(await page.$eval("#izin > div", (host) => host.shadowRoot !== null), true, "shadow tree");
    same(await page.$eval(inside("button"), (it) => getComputedStyle(it).backgroundColor), "rgb(11, 92, 138)", "styled");
    same(await page.$$eval(inside("[name=channels]"), (boxes) => boxes.map((box) => box.checked)), [false, false], "boxes");
    await browser.look(page, "embedded");

    await page.click(inside("button"));
    await seen(page, inside(".errors li"));
    same((await focused(page)).classes, "errors", "the focus is on the summary");
    await browser.look(page, "embedded-wrong");
    await page.click(inside(".errors li:nth-child(1) a"));
    check(["fullName", "channels"].includes((await focused(page)).id), "the first mistake leads to its field");

    await fillIn(page, { fullName: "Ayşe Yılmaz", phone: number, boxes: ["MESAJ"] }, inside);
    await page.click(inside("button"));
    const link = await seen(page, inside(".note a"));
    await browser.look(page, "embedded-sent");
    same(await page.evaluate(() => globalThis.violations), [], "violations of the policy");
    const code = await bridge.code(number);
    await Promise.all([page.waitForNavigation(), link.click()]);
    await page.type("#code", code);
    await press(page, "button[type=submit]");
    same(await bridge.registered(number, 1), ["ONAY HS_WEB MESAJ"], "at the registry");
  } finally {
    shop.stop();
  }
}

/** Another page with the same script says that it may not, and what it sends all the same is refused. */
export async function embedded_by_a_stranger(bridge, browser) {
  const stranger = await client();
  try {
    const form = await bridge.form("yabanci", { allowedOrigins: ["https://www.example.com"], doubleOptIn: false });
    stranger.holds(bridge, form);
    const page = await browser.visitor({ embedding: true });
    await visit(page, stranger.origin);
    const said = await seen(page, inside(".note"));
    check((await said.evaluate((it) => it.innerText)).includes("yalnızca izin verilen sayfalardan"), "says so");
    same(await page.$(inside("form")), null, "no form");
    await browser.look(page, "embedded-foreign");
    const before = await bridge.consents();
    const sent = await page.evaluate(async (url) => {
      const body = new URLSearchParams({ fullName: "A", phone: "+905323330002", channels: "MESAJ" });
      const told = [];
      for (const mode of ["cors", "no-cors"]) {
        try {
          told.push((await fetch(url, { method: "POST", body, mode })).type);
        } catch (error) {
          told.push(error.name);
        }
      }
      return told;
    }, form.url);
    same(sent, ["TypeError", "opaque"], "what the page learns");
    // Both are told to whoever looks at the page's console: what is to be allowed, and what was not.
    const console = browser.told();
    same(console.map((line) => /not among the form's allowedOrigins|blocked by CORS policy/.test(line)), [true, true], `${console}`);
    same([await bridge.consents(), await bridge.movements("+905323330002")], [before, []], "nothing was taken");
    const answer = await fetch(form.url, { method: "POST", headers: { origin: stranger.origin, accept: "application/json" } });
    same([answer.status, (await answer.json()).result], [403, "foreign_origin"], "the refusal");
  } finally {
    stranger.stop();
  }
}
