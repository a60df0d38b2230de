// Runs the journeys on both databases and tells what became of each.

import { Bridge } from "./bridge.mjs";
import { Browser } from "./browser.mjs";
import * as embed from "./journeys/embed.mjs";
import * as form from "./journeys/form.mjs";
import * as hostile from "./journeys/hostile.mjs";
import * as links from "./journeys/links.mjs";
import * as panel from "./journeys/panel.mjs";

const JOURNEYS = { ...form, ...links, ...embed, ...hostile, ...panel };

const { KOPRU_PROGRAM, KOPRU_CHROMIUM, KOPRU_SCREENSHOTS, KOPRU_TEST_POSTGRES_URL } = process.env;
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !JOURNEYS[name]);
if (unknown.length) throw new Error(`no such journey: ${unknown}; there are ${Object.keys(JOURNEYS)}`);
const databases = ["sqlite", ...(KOPRU_TEST_POSTGRES_URL ? ["postgres"] : [])];
if (databases.length === 1) console.log("skipped: PostgreSQL (KOPRU_TEST_POSTGRES_URL is not set; run ./tests/run)");

let failed = 0;
for (const database of databases) {
  // The pages are the same on both: it is enough to look at them once.
  const looks = database === "sqlite";
  const browser = await Browser.start({ executable: KOPRU_CHROMIUM, screenshots: KOPRU_SCREENSHOTS, looks });
  const bridge = await Bridge.start(KOPRU_PROGRAM, database, KOPRU_TEST_POSTGRES_URL);
  try {
    await bridge.dress(bridge.brandCode);
    for (const [name, journey] of Object.entries(JOURNEYS)) {
      if (wanted.length && !wanted.includes(name)) continue;
      const start = Date.now();
      let outcome = "ok";
      try {
        await journey(bridge, browser);
        const told = browser.told();
        if (told.length) throw new Error(told.join("\n"));
      } catch (error) {
        outcome = ["FAILED", error.stack, ...browser.told()].join("\n");
        failed += 1;
      }
      console.log(`${database} ${name}: ${((Date.now() - start) / 1000).toFixed(1)} s ${outcome}`);
    }
    if (failed) console.log(bridge.log.join("").split("\n").filter((line) => /ERROR|WARN/.test(line)).slice(-20).join("\n"));
  } finally {
    await browser.stop();
    await bridge.stop();
  }
}
process.exitCode = failed ? 1 : 0;
