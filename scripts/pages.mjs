// Signs in and authorizes a client, in Chromium. scripts/pages runs it.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import puppeteer from "puppeteer-core";

const [site, folder, executable] = process.argv.slice(2);
const verifier = randomBytes(32).toString("base64url");

// The client's redirect URI, which redirects to another host, as some web clients do.
const visits = [];
const program = createServer((request, response) => {
  visits.push(request.url);
  const onward = `http://localhost:${program.address().port}/connected`;
  response.writeHead(request.url.startsWith("/back") ? 302 : 200, { Location: onward }).end("Connected.");
}).listen(0, "127.0.0.1");
await once(program, "listening");
const back = `http://127.0.0.1:${program.address().port}/back`;

async function post(path, body) {
  const response = await fetch(site + path, { method: "POST", body });
  assert(response.ok, await response.clone().text());
  return response.json();
}

const metadata = { client_name: "Claude", redirect_uris: [back, "https://claude.ai/api/mcp/auth_callback"] };
const { client_id } = await post("/register", JSON.stringify(metadata));
const asked = (redirect_uri, scope) => {
  const code_challenge = createHash("sha256").update(verifier).digest("base64url");
  const request = { response_type: "code", code_challenge, code_challenge_method: "S256", resource: `${site}/mcp` };
  return `${site}/authorize?${new URLSearchParams({ ...request, client_id, redirect_uri, scope, state: "s" })}`;
};

const browser = await puppeteer.launch({ executablePath: executable, args: ["--no-sandbox"] });
const page = await browser.newPage();
await page.setJavaScriptEnabled(false);
const complaints = [];
page.on("console", (message) => /polic/i.test(message.text()) && complaints.push(message.text()));

async function picture(name) {
  for (const [size, width, height] of [["", 1000, 800], ["-phone", 390, 780], ["-narrow", 320, 640]])
    for (const scheme of ["light", "dark"]) {
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
      await page.setViewport({ width, height, deviceScaleFactor: 2 });
      const needed = await page.$eval("html", (element) => element.scrollWidth);
      assert(needed <= width, `${name} needs ${needed} px of ${width}`);
      await page.screenshot({ path: `${folder}/${name}${size}${scheme === "dark" ? "-dark" : ""}.png`, fullPage: true });
    }
}
const press = (selector) => Promise.all([page.waitForNavigation(), page.click(selector)]);
const heading = () => page.$eval("h1", (element) => element.textContent);

await page.goto(asked("https://claude.ai/api/mcp/auth_callback", "read write"));
await picture("sign-in");
await page.type("#username", "ada");
await page.type("#password", "a wrong one");
await press("button.primary");
await picture("sign-in-wrong");
await page.type("#password", process.env.PASSWORD);
await press("button.primary");
assert.equal(await heading(), "Allow Claude to use your gear?");
await picture("consent");

await page.goto(asked(back, "read"));
await picture("consent-local");
await press("button[value=write]");
while (!visits.includes("/connected")) await new Promise((resolve) => setTimeout(resolve, 50));
const answer = new URL(visits[0], back).searchParams;
assert.equal(answer.get("iss"), site);
const grant = { grant_type: "authorization_code", code: answer.get("code"), redirect_uri: back, client_id };
const tokens = await post("/token", new URLSearchParams({ ...grant, code_verifier: verifier }));
assert.equal(tokens.scope, "read write");

// Another browser signs in, and the program writes.
const another = await (await browser.createBrowserContext()).newPage();
await another.setUserAgent("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Safari/604.1");
await another.goto(`${site}/account`);
await another.type("#username", "ada");
await another.type("#password", process.env.PASSWORD);
await Promise.all([another.waitForNavigation(), another.click("button.primary")]);
const headers = {
  Authorization: `Bearer ${tokens.access_token}`,
  Accept: "application/json",
  "Content-Type": "application/json",
  "MCP-Protocol-Version": "2025-11-25",
};
for (const name of ["Tarp", "A tent with a long name: DurstonXMidPro2PlusDyneemaWithoutAnySpace"]) {
  const params = { name: "create_item", arguments: { name } };
  const call = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params });
  const answer = await fetch(`${site}/mcp`, { method: "POST", headers, body: call });
  assert.match(await answer.text(), /change_id/);
}

await page.goto(`${site}/account`);
await picture("account");
await page.goto(`${site}/account/writes`);
await picture("writes");
await press("ol.writes a");
assert.match(await page.$eval("main", (element) => element.textContent), /Only writes with the key or connection Claude/);
await picture("writes-by-program");
await page.goto(`${site}/account`);
await press("form.grant:not(.session) button");
await press("form.session button");
await picture("account-empty");
await another.goto(`${site}/account`);
assert.equal(await another.$eval("h1", (element) => element.textContent), "Sign in");
await page.goto(`${site}/account/password`);
await picture("password");
await page.type("#password", process.env.PASSWORD);
await page.type("#new", "battery staple");
await page.type("#again", "battery stable");
await press("button.primary");
await picture("password-problem");
await page.type("#password", process.env.PASSWORD);
await page.type("#new", "battery staple");
await page.type("#again", "battery staple");
await press("button.primary");
assert.equal(await heading(), "Password changed");
await picture("password-changed");
await page.goto(`${site}/authorize?client_id=unknown&redirect_uri=${back}`);
await picture("problem");
assert.deepEqual(complaints, []);
await browser.close();
program.close();
console.log(`Signed in, allowed, connected, revoked, changed the password. The screenshots are in ${folder}.`);
