// The browser: pages of visitors, and what every page has to hold.

import { mkdirSync } from "node:fs";
import { join } from "node:path";

import axe from "axe-core";
import puppeteer from "puppeteer-core";

import { until } from "./bridge.mjs";

/** WCAG 2.2, level AA, as far as a program can tell. */
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const WIDTHS = [360, 1280];
/** The smallest target (WCAG 2.5.8), in CSS pixels. */
const TARGET = 24;

export function check(holds, what) {
  if (!holds) throw new Error(what);
}

export function same(found, wanted, what) {
  const [one, other] = [JSON.stringify(found), JSON.stringify(wanted)];
  check(one === other, `${what}: ${one} instead of ${other}`);
}

export class Browser {
  /** `looks`: whether pages are looked at, and not only used. */
  static async start({ executable, screenshots, looks }) {
    const browser = new Browser();
    browser.screenshots = screenshots;
    browser.looks = looks;
    browser.visitors = 0;
    browser.complaints = [];
    browser.driven = await puppeteer.launch({
      executablePath: executable,
      // A browser that runs as root, as in containers, has no sandbox of its own.
      args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
    });
    return browser;
  }

  async stop() {
    await this.driven.close();
  }

  /**
   * A visitor with cookies and a network address of his own. `embedding`: in a page of somebody else, whose requests to the
   * bridge the browser refuses with a header that is not its own; so his address is everybody's.
   */
  async visitor({ lang = "tr", scripts = true, embedding = false } = {}) {
    this.visitors += 1;
    const context = await this.driven.createBrowserContext();
    const page = await context.newPage();
    await page.setJavaScriptEnabled(scripts);
    const address = embedding ? {} : { "x-forwarded-for": `203.0.113.${this.visitors}` };
    await page.setExtraHTTPHeaders({ "accept-language": lang, ...address });
    page.setDefaultTimeout(60_000);
    page.complaints = this.complaints;
    page.on("dialog", (dialog) => {
      page.complaints.push(`dialog: ${dialog.message()}`);
      dialog.dismiss();
    });
    page.on("pageerror", (error) => page.complaints.push(`error: ${error.message}`));
    page.on("console", (message) => {
      const text = message.text();
      // The browser's own remark on an answer with a status of 400 and above is no complaint of the page's.
      if (message.type() === "error" && !text.startsWith("Failed to load resource")) page.complaints.push(text);
    });
    return page;
  }

  /** Looks at a page as it stands, narrow and wide, light and dark: layout, targets, large text, accessibility, pictures. */
  async look(page, name) {
    if (!this.looks) return;
    const before = page.viewport();
    for (const width of WIDTHS) {
      await page.setViewport({ width, height: width === 360 ? 740 : 900 });
      await this.picture(page, `${name}-${width}`);
      for (const wrong of await page.evaluate(layout, TARGET)) this.complaints.push(`${name} at ${width} px: ${wrong}`);
      for (const wrong of await page.evaluate(largeText)) this.complaints.push(`${name} at ${width} px, large text: ${wrong}`);
      for (const scheme of ["light", "dark"]) {
        await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
        if (scheme === "dark") await this.picture(page, `${name}-${width}-dark`);
        for (const wrong of await violations(page)) this.complaints.push(`${name} at ${width} px, ${scheme}: ${wrong}`);
      }
      await page.emulateMediaFeatures([]);
    }
    if (before) await page.setViewport(before);
  }

  /** What was wrong since the last question. */
  told() {
    return this.complaints.splice(0);
  }

  async picture(page, name) {
    if (!this.screenshots) return;
    mkdirSync(this.screenshots, { recursive: true });
    await page.screenshot({ path: join(this.screenshots, `${name}.png`), fullPage: true });
  }
}

/** Opens a page and tells its status. */
export async function open(page, url) {
  const answer = await page.goto(url, { waitUntil: "load" });
  return answer.status();
}

/** Presses something and waits for the page that it leads to. */
export async function press(page, selector) {
  const [answer] = await Promise.all([page.waitForNavigation({ waitUntil: "load" }), page.click(selector)]);
  return answer.status();
}

/** Waits for something in a shadow tree, which the driver's own way of waiting does not notice, nor works under a strict policy. */
export function seen(page, selector) {
  return until(selector, () => page.$(selector));
}

/** Fills in a form: fields by name, and the boxes to be ticked. `place` says where an element is. */
export async function fillIn(page, { boxes, ...fields }, place = (selector) => selector) {
  for (const [name, value] of Object.entries(fields)) await page.type(place(`#${name}`), value);
  for (const box of boxes) await page.click(place(`[value=${box}]`));
}

export function text(page) {
  return page.evaluate(() => document.body.innerText);
}

/** What holds the focus, in shadow trees too: its id or text, and whether one sees it. */
export function focused(page) {
  return page.evaluate(() => {
    let at = document.activeElement;
    while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
    const style = getComputedStyle(at);
    const seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    const value = at.getAttribute("value");
    return { tag: at.tagName, id: at.id, name: at.name ?? "", value, text: at.innerText ?? "", seen, classes: at.className };
  });
}

/** What axe-core finds. */
async function violations(page) {
  await page.evaluate(axe.source);
  return page.evaluate(async (values) => {
    const { violations } = await globalThis.axe.run(document, { runOnly: { type: "tag", values } });
    const places = (it) => it.nodes.map((node) => `${node.html} ${node.failureSummary}`).join(" | ");
    return violations.map((it) => `${it.id} (${it.impact}): ${places(it)}`);
  }, RULES);
}

// What follows runs in the page.

function layout(smallest) {
  const wrong = [];
  const root = document.scrollingElement;
  if (root.scrollWidth > root.clientWidth) wrong.push(`scrolls sideways (${root.scrollWidth} > ${root.clientWidth})`);
  const all = (tree, selector) => [...tree.querySelectorAll("*")].flatMap((it) => [
    ...(it.matches(selector) ? [it] : []),
    ...(it.shadowRoot ? all(it.shadowRoot, selector) : []),
  ]);
  for (const target of all(document, "a, button, input, select, textarea, summary")) {
    const box = target.getBoundingClientRect();
    const hidden = box.width === 0 || box.right < 0 || target.closest(".trap, .skip");
    // A link within a sentence is as high as its line (WCAG 2.5.8, inline).
    const inline = target.tagName === "A" && target.parentElement.matches("p, dd, td, span") && target.parentElement.innerText.trim() !== target.innerText.trim();
    if (!hidden && !inline && (box.width < smallest || box.height < smallest)) {
      wrong.push(`small target ${target.outerHTML.slice(0, 80)} (${box.width} x ${box.height})`);
    }
  }
  return wrong;
}

function largeText() {
  const wrong = [];
  document.documentElement.style.fontSize = "200%";
  const root = document.scrollingElement;
  if (root.scrollWidth > root.clientWidth) wrong.push(`scrolls sideways (${root.scrollWidth} > ${root.clientWidth})`);
  for (const it of document.querySelectorAll("body *")) {
    const cut = getComputedStyle(it).overflowX !== "visible" && it.scrollWidth > it.clientWidth + 1;
    if (cut && !it.closest(".trap, .hidden, thead, svg") && it.tagName !== "INPUT") wrong.push(`text is cut off in ${it.outerHTML.slice(0, 80)}`);
  }
  document.documentElement.style.fontSize = "";
  return wrong;
}
