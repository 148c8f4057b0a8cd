// Pages to test, made by the built program, and the browser that shows them.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const ROOT = resolve(import.meta.dirname, "../..");
const PROGRAM = process.env.SESSIONLINT ?? join(ROOT, "target/debug/sessionlint");
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** A folder for this run, removed at its end. */
const folder = mkdtempSync(join(tmpdir(), "sessionlint-page-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

/** The folder of the protocol in `examples/`. */
export const EXAMPLE = join(ROOT, "examples/agent-over-stdio");

let number = 0;

/**
 * Makes the page of a recording, and returns its path.
 * @param {string} recording
 * @param {string[]} [options]
 * @param {string} [name]
 * @param {string | null} [config] the text of a sessionlint.toml
 */
export function pageOf(recording, options = [], name = `recording-${number}.ndjson`, config = null) {
  const out = join(folder, `page-${number++}.html`);
  writeFileSync(join(folder, name), recording);
  if (config !== null) writeFileSync(join(folder, "config.toml"), config);
  const chosen = config === null ? ["--no-config"] : ["--config", "config.toml"];
  execFileSync(PROGRAM, ["view", name, ...chosen, "--out", out, ...options], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  return out;
}

export function launch() {
  const args = [
    "--no-sandbox", "--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--enable-precise-memory-info",
  ];
  return chromium.launch({ executablePath: CHROMIUM, args });
}

/**
 * Opens a page in a window of a certain size. Whatever it logs, throws or asks the network for is collected.
 * @param {import("playwright-core").Browser} browser
 * @param {string} path
 * @param {{dark?: boolean}} [options]
 */
export async function open(browser, path, { dark = false } = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 860 }, colorScheme: dark ? "dark" : "light" });
  const page = await context.newPage();
  /** @type {string[]} */
  const complaints = [];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    if (!request.url().startsWith("file:")) complaints.push(request.url());
  });
  await page.goto(pathToFileURL(path).href);
  await page.waitForSelector("#events [role=option]");
  return { page, complaints, close: () => context.close() };
}

/**
 * Returns an event of a session, as a line.
 * @param {string} type
 * @param {number} second
 * @param {object} payload
 */
export function event(type, second, payload) {
  const timestamp = new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString();
  return `${JSON.stringify({ type, timestamp, payload })}\n`;
}

/**
 * Returns a turn of a session that conforms, and the second after it. `chunks`: the number of its pieces of text.
 * @param {string} session
 * @param {number} second
 * @param {number} chunks
 */
export function turn(session, second, chunks) {
  const made = [event("session.status", second++, { session_id: session, pending: true, status_label: "thinking..." })];
  const id = `call-${session}-${second}`;
  const call = { session_id: session, tool_call_id: id, tool_name: "bash" };
  made.push(event("session.tool.call.started", second++, { ...call, tool_input: { command: "ls" } }));
  made.push(event("session.tool.call.completed", second++, { ...call, ok: true, duration_ms: 900 }));
  made.push(event("session.tool.results", second++, { session_id: session, results: [{ tool_call_id: id, tool_name: "bash", ok: true, output: {} }] }));
  for (let piece = 0; piece < chunks; piece++) {
    made.push(event("session.stream.chunk", second++, { session_id: session, text: `word ${piece} `, done: piece === chunks - 1 }));
  }
  const whole = Array.from({ length: chunks }, (_, piece) => `word ${piece} `).join("");
  made.push(event("session.completed", second++, { session_id: session, final_message: whole }));
  made.push(event("session.status", second++, { session_id: session, pending: false, status_label: "idle" }));
  return { text: made.join(""), next: second };
}

/**
 * Returns a recording of at least so many events, in turns of several sessions.
 * @param {number} events
 */
export function recording(events) {
  let [text, second, made] = ["", 0, 0];
  for (let one = 0; made < events; one++) {
    const { text: more, next } = turn(`session-${one % 4}`, second, 44);
    [text, second, made] = [text + more, next + 20, made + 50];
  }
  return text;
}

/** A stream in which a call's result is missing, and the text of the answer is another one. */
export function broken() {
  const session = { session_id: "ses-1" };
  const call = { ...session, tool_call_id: "call-1", tool_name: "bash" };
  return turn("ses-1", 0, 3).text + [
    event("session.status", 20, { ...session, pending: true, status_label: "thinking..." }),
    event("session.tool.call.started", 21, { ...call, tool_input: { command: "ls" } }),
    event("session.tool.call.completed", 22, { ...call, ok: true, duration_ms: 1000 }),
    event("session.stream.chunk", 23, { ...session, text: "Two files.", done: true }),
    event("session.completed", 24, { ...session, final_message: "Three files." }),
    event("session.status", 25, { ...session, pending: false, status_label: "idle" }),
    event("session.status", 26, { ...session, pending: "no", status_label: "idle" }),
  ].join("");
}
