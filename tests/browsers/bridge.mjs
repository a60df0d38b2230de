// A bridge with the registry's sandbox in one process, as `kopru serve --sandbox` starts it, and its HTTP interface.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";

import pg from "pg";

// The master key of the runs on PostgreSQL, where none is made.
const MASTER_KEY = "11".repeat(32);

/** Tries until it gives something, for at most so many seconds. */
export async function until(what, attempt, seconds = 60) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = await attempt();
    if (found) return found;
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await pause(200);
  }
}

/** A database of its own on the server of a URL, and how it is dropped. */
async function freshPostgres(server) {
  const name = `browsers_${process.pid}_${Date.now()}`;
  const run = async (statement) => {
    const client = new pg.Client({ connectionString: server });
    await client.connect();
    try {
      await client.query(statement);
    } finally {
      await client.end();
    }
  };
  await run(`CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => run(`DROP DATABASE ${name} WITH (FORCE)`) };
}

export class Bridge {
  /** Starts the program on SQLite or PostgreSQL (`server` is its URL). */
  static async start(program, database, server) {
    const bridge = new Bridge();
    bridge.folder = mkdtempSync(join(tmpdir(), "kopru-browsers-"));
    bridge.postgres = database === "postgres" ? await freshPostgres(server) : null;
    const env = {
      ...process.env,
      KOPRU__DATA_DIR: bridge.folder,
      KOPRU__HTTP__LISTEN: "127.0.0.1:0",
      KOPRU__SANDBOX__LISTEN: "127.0.0.1:0",
      KOPRU__METRICS__LISTEN: "127.0.0.1:0",
      // Each journey is a visitor with an address of his own.
      KOPRU__HTTP__TRUSTED_PROXIES: "127.0.0.1/32",
    };
    if (bridge.postgres) {
      env.KOPRU__DATABASE__URL = bridge.postgres.url;
      env.KOPRU__SECURITY__MASTER_KEY = MASTER_KEY;
    }
    bridge.process = spawn(program, ["serve", "--sandbox", "--json"], { env, stdio: ["ignore", "pipe", "pipe"] });
    // Whatever ends the run ends the program, too.
    process.once("exit", () => {
      bridge.process.kill("SIGKILL");
      rmSync(bridge.folder, { recursive: true, force: true });
    });
    bridge.log = [];
    bridge.process.stderr.on("data", (chunk) => bridge.log.push(chunk.toString()));
    bridge.ended = new Promise((resolve) => bridge.process.once("exit", resolve));
    const first = new Promise((resolve) => createInterface({ input: bridge.process.stdout }).once("line", resolve));
    const line = await Promise.race([first, bridge.ended]);
    if (typeof line !== "string") throw new Error(`the bridge does not start: ${bridge.log.join("")}`);
    Object.assign(bridge, JSON.parse(line));
    return bridge;
  }

  async stop() {
    this.process.kill("SIGTERM");
    await this.ended;
    rmSync(this.folder, { recursive: true, force: true });
    await this.postgres?.drop();
  }

  /** Asks the interface; an answer that is not as expected is an error. */
  async ask(method, path, body, key = this.adminKey) {
    const answer = await fetch(`${this.api}${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : null;
  }

  /** Puts what a brand needs for forms: texts, and a sender. */
  async dress(brand, { text = CONSENT, notice = NOTICE, sender } = {}) {
    await this.ask("POST", `/v1/brands/${brand}/texts`, { code: "onay", kind: "consent", ...text });
    await this.ask("POST", `/v1/brands/${brand}/texts`, { code: "aydinlatma", kind: "notice", ...notice });
    await this.ask("PUT", `/v1/brands/${brand}/sender`, {
      title: "Demo Perakende Ticaret A.Ş.",
      identity: "0123456789012345",
      retNumber: "4609",
      contact: "ret@example.com",
      notices: true,
      ...sender,
    });
  }

  form(code, more = {}, brand = this.brandCode) {
    return this.ask("PUT", `/v1/brands/${brand}/forms/${code}`, {
      mersis: "0123456789012345",
      text: "onay/1",
      notice: "aydinlatma/1",
      channels: ["MESAJ", "ARAMA", "EPOSTA"],
      ...more,
    });
  }

  async link(body, brand = this.brandCode) {
    const answer = await this.ask("POST", `/v1/brands/${brand}/links`, body, this.adminKey);
    return answer.items[0];
  }

  async counters(link) {
    const shown = await this.ask("GET", `/v1/brands/${this.brandCode}/links/${link.id}`);
    return [shown.opened, shown.confirmed, shown.refused];
  }

  /** What was sent to an address so far, oldest first, as the vendor of a trial writes it down. */
  sent(address) {
    let text = "";
    try {
      text = readFileSync(join(this.folder, "messages.jsonl"), "utf8");
    } catch (error) {
      if (error.code !== "ENOENT") throw error;
    }
    return text.split("\n").filter(Boolean).map((line) => JSON.parse(line)).filter((message) => message.to === address);
  }

  /** The code of the newest message to a number. */
  code(number, count = 1) {
    return until(`code ${count} to ${number}`, () => {
      const codes = this.sent(number).map((message) => /(?:kod|code) (\d{6})/.exec(message.text)?.[1]).filter(Boolean);
      return codes.length >= count && codes.at(-1);
    });
  }

  /** What the registry holds of an address: `ONAY HS_WEB MESAJ` and so on, in order. */
  async movements(address) {
    const answer = await fetch(`${this.sandbox}/_sandbox/movements?brandCode=${this.brandCode}&limit=1000`);
    const { list } = await answer.json();
    return list.filter((it) => it.recipient === address).map((it) => `${it.status} ${it.source} ${it.type}`);
  }

  /** Waits for so many movements of an address, and for one too many. */
  async registered(address, count) {
    await until(`${count} movements of ${address}`, async () => (await this.movements(address)).length >= count);
    await pause(1500);
    return (await this.movements(address)).sort();
  }

  async consents() {
    return (await this.ask("GET", `/v1/brands/${this.brandCode}/consents`, undefined, this.apiKey)).items.length;
  }
}

const CONSENT = {
  tr: {
    title: "Ticari elektronik ileti onay metni",
    body: "Demo Perakende Ticaret A.Ş.'nin kampanya, indirim, tanıtım ve anket içerikli ticari elektronik iletilerini aşağıda işaretlediğim yollarla almayı kabul ediyorum.\n\nOnayım yalnızca bu şirket ve markası için geçerlidir.",
  },
  en: {
    title: "Consent to commercial electronic messages",
    body: "I agree to receive commercial electronic messages of Demo Perakende Ticaret A.Ş. about offers, discounts and surveys in the ways that I tick below.\n\nMy consent holds for this company and its brand alone.",
  },
};

const NOTICE = {
  tr: {
    title: "6698 sayılı Kanun uyarınca aydınlatma metni",
    body: "Adınız, telefon numaranız ve e-posta adresiniz, veri sorumlusu sıfatıyla Demo Perakende Ticaret A.Ş. tarafından onayınızı kaydetmek ve İleti Yönetim Sistemi'ne bildirmek için işlenir.\n\nHaklarınız için kvkk@example.com adresine yazabilirsiniz.",
  },
  en: {
    title: "Privacy notice under Law No. 6698",
    body: "Your name, phone number and e-mail address are processed by Demo Perakende Ticaret A.Ş. as the controller, to record your consent and to report it to the national consent registry.\n\nWrite to kvkk@example.com about your rights.",
  },
};
