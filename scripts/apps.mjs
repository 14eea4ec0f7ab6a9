// Opens each view in a host in Chromium, light and dark, and presses its buttons. scripts/apps runs it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { once } from "node:events";
import { createServer } from "node:http";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import puppeteer from "puppeteer-core";

const [target, list, executable, folder] = process.argv.slice(2);
const LARGEST = 10_000, HIGHEST = 500, WIDTHS = [720, 358];
const MIME_TYPE = "text/html;profile=mcp-app";
// The specification's policy for views that declare no domains. As a header, a view cannot weaken it.
const POLICY =
  "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "media-src 'self' data:; object-src 'none'; connect-src 'none'; frame-src 'self'; base-uri 'self'";
const PROXY = `<!doctype html><meta charset="utf-8"><style>body{margin:0}iframe{width:100%;height:100vh;border:0}</style><body><script>
const host = new URL(document.referrer).origin, inner = document.createElement("iframe");
inner.setAttribute("sandbox", "allow-scripts allow-same-origin allow-forms");
document.body.append(inner);
addEventListener("message", ({ source, origin, data }) => {
  if (source === parent && origin === host) {
    if (data?.method === "ui/notifications/sandbox-resource-ready") {
      inner.contentDocument.open();
      inner.contentDocument.write(data.params.html);
      inner.contentDocument.close();
    } else inner.contentWindow.postMessage(data, "*");
  } else if (source === inner.contentWindow) parent.postMessage(data, host);
});
parent.postMessage({ jsonrpc: "2.0", method: "ui/notifications/sandbox-proxy-ready", params: {} }, host);
</script>`;

async function serve(body, headers = {}) {
  const server = createServer((_, response) => {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8", ...headers }).end(body);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}
const host = await serve(`<!doctype html><meta charset="utf-8"><body><script>${readFileSync("host.js", "utf8")}</script>`);
const sandbox = await serve(PROXY, { "content-security-policy": POLICY });

const extensions = { "io.modelcontextprotocol/ui": { mimeTypes: [MIME_TYPE] } };
const client = new Client({ name: "gearshed-apps", version: "1" }, { capabilities: { extensions } });
const transport = target.startsWith("http")
  ? new StreamableHTTPClientTransport(new URL(target), {
      requestInit: { headers: { Authorization: `Bearer ${process.env.KEY}` } },
    })
  : new StdioClientTransport({ command: target, env: process.env });
await client.connect(transport);

async function call(name, values) {
  const result = await client.callTool({ name, arguments: values });
  assert(!result.isError, JSON.stringify(result.content));
  return result;
}
const made = async (name, values) => (await call(name, values)).structuredContent;

// A real list, a lighter copy without some lines, and a thread about its heaviest line. Names try to be markup.
await made("import_csv", { csv_text: readFileSync(list, "utf8"), setup_name: "Hike" });
const hike = await made("get_setup", { setup_id: "Hike", sort: "-weight" });
const heaviest = hike.lines[0];
const light = await made("copy_setup", { setup_id: hike.id, name: "Hike, <b>lighter</b>" });
const removed = hike.lines.slice(1, 6).map((line) => line.item_id);
await made("set_setup_items", { setup_id: light.id, remove: removed });
const thread = await made("create_thread", { name: "Replacement", replaces_item_id: heaviest.item_id });
const candidates = [
  { name: "<img src=x onerror=alert(1)>", weight: "400 g", price_cents: 30000 },
  { name: "Second", weight: "500 g", price_cents: 20000 },
  { name: "Third, of unknown weight", price_cents: 10000 },
];
for (const each of candidates) await made("add_candidate", { thread_id: thread.id, ...each });
const criteria = [
  { name: "weight", importance: 2, worst: 1500, best: 300 },
  { name: "price", importance: 1, worst: 50000, best: 5000 },
];
await made("update_thread", { thread_id: thread.id, changes: { criteria } });
await made("update_settings", { changes: { currency: "EUR" } });

const browser = await puppeteer.launch({ executablePath: executable, args: ["--no-sandbox"] });
const tools = new Map((await client.listTools()).tools.map((tool) => [tool.name, tool]));

async function viewOf(page) {
  for (let attempt = 0; attempt < 100; attempt++) {
    for (const frame of page.frames()) if (await frame.$("h1").catch(() => null)) return frame;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("The view shows nothing.");
}

async function opened(tool, input, theme, width) {
  const uri = tools.get(tool)._meta.ui.resourceUri;
  const [{ text: html, mimeType }] = (await client.readResource({ uri })).contents;
  assert.equal(mimeType, MIME_TYPE);
  assert(Buffer.byteLength(html) < LARGEST, `${uri} has ${Buffer.byteLength(html)} bytes`);
  const page = await browser.newPage();
  await page.setViewport({ width: width + 40, height: 1000 });
  page.complaints = [];
  page.on("console", (message) => ["error", "warn"].includes(message.type()) && page.complaints.push(message.text()));
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  page.on("dialog", (dialog) => page.complaints.push(dialog.message()) && dialog.dismiss());
  await page.exposeFunction("mcp", (params) => client.callTool(params));
  await page.goto(`http://127.0.0.1:${host.address().port}/`);
  const result = await call(tool, input);
  const proxy = `http://localhost:${sandbox.address().port}/`;
  await page.evaluate((values) => window.openView(values), { html, sandbox: proxy, input, result, theme, width });
  return { page, view: await viewOf(page), bytes: Buffer.byteLength(html) };
}

const seen = (page) => page.evaluate(() => window.seen);
const text = (view) => view.$eval("body", (body) => body.innerText);
async function shows(view, pattern) {
  const found = await view
    .waitForFunction((source) => new RegExp(source, "u").test(document.body.innerText), { timeout: 5000 }, pattern.source)
    .catch(() => null);
  assert(found, `${pattern} is not in:\n${await text(view)}`);
}
// Not by the mouse: a view may just be growing.
const press = (view, selector) => view.$eval(selector, (element) => element.click());
async function calls(page, name, number) {
  const made = (await seen(page)).calls.filter((each) => each.name === name);
  assert.equal(made.length, number, name);
  return made.at(-1).arguments;
}

const VIEWS = {
  get_setup: [
    { setup_id: "Hike" },
    async (page, view) => {
      assert.equal((await view.$$("details tr")).length, hike.lines.length);
      await shows(view, /= Base/);
      await press(view, "summary");
      await press(view, "details tr input");
      await shows(view, /−[\d,]+ g/);
      await press(view, "[id^=What]");
      await page.waitForFunction(() => window.seen.messages.length === 1);
      const [{ role, content }] = (await seen(page)).messages;
      assert.equal(role, "user");
      assert.match(content[0].text, new RegExp(`what_if with setup ${hike.id} and remove \\[${heaviest.item_id}\\]`));
    },
  ],
  compare_setups: [
    { setup_id: hike.id, other_setup_id: light.id },
    async (page, view) => {
      await shows(view, /5 different lines/);
      await shows(view, /total\s+9,342.7 g\s+6,753.7 g\s+-2,589 g\s+base/);
      await shows(view, /WM Astralite 175\s+1 base\s+–\s+-501 g/);
      await shows(view, /<b>lighter<\/b>/);
    },
  ],
  get_thread: [
    { thread_id: thread.id },
    async (page, view) => {
      await shows(view, /<img src=x onerror=alert\(1\)>/);
      await press(view, "[id^=effect]");
      await shows(view, /With <img/);
      await shows(view, /Hike, <b>lighter/);
      await calls(page, "preview_candidate", 1);
      await press(view, "[id=Decide]");
      await shows(view, /Decision/);
      await calls(page, "decide_thread", 1);
    },
  ],
  list_changes: [
    { limit: 5 },
    async (page, view) => {
      const summary = (await made("list_changes", { limit: 1 })).changes[0].summary;
      await press(view, "[id^=undo]");
      await shows(view, /Undone: /);
      await calls(page, "undo_change", 1);
      await shows(view, /undone by \d+/);
      assert((await text(view)).includes(summary));
    },
  ],
};

const brightness = (view) =>
  view.$eval("body", (body) => getComputedStyle(body).backgroundColor.match(/\d+/g).slice(0, 3).reduce((a, b) => a + +b, 0));

for (const [tool, [input, use]] of Object.entries(VIEWS))
  for (const theme of ["light", "dark"])
    for (const width of WIDTHS) {
      const { page, view, bytes } = await opened(tool, input, theme, width);
      const where = `${tool}, ${theme}, ${width} px`;
      assert.equal((await brightness(view)) > 384, theme === "light", where);
      await page.waitForFunction(() => window.seen.sizes.some((height) => height > 50));
      if (folder) await page.screenshot({ path: `${folder}/${tool}-${width}-${theme}.png` });
      await press(view, "#Refresh");
      await page.waitForFunction((name) => window.seen.calls.some((each) => each.name === name), {}, tool);
      await view.waitForFunction(() => !document.getElementById("status").textContent);
      assert.deepEqual(await calls(page, tool, 1), input);
      await use(page, view);
      if (folder) await page.screenshot({ path: `${folder}/${tool}-${width}-${theme}-pressed.png` });
      await press(view, "[id='Full screen']");
      await page.waitForFunction(() => window.seen.modes.length === 1);
      assert.deepEqual(await page.evaluate(() => window.teardown()), {});
      const needed = await view.$eval("html", (element) => element.scrollWidth);
      assert(needed <= width, `${where} needs ${needed} px`);
      const highest = Math.max(...(await seen(page)).sizes);
      assert(highest <= HIGHEST, `${where} is ${highest} px high`);
      assert.deepEqual(page.complaints, [], where);
      await page.close();
      console.log(`${where}: ${bytes} bytes, at most ${highest} px high`);
    }
await browser.close();
await client.close();
host.close();
sandbox.close();
