// Uses the pages below /gear in Chromium, by keyboard alone, and looks at each of them, and at the page of a share.
// scripts/pages runs it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import puppeteer from "puppeteer-core";

const [site, folder, executable, list, ...chosen] = process.argv.slice(2);
const axe = readFileSync("node_modules/axe-core/axe.min.js", "utf8");
const browser = await puppeteer.launch({ executablePath: executable, args: ["--no-sandbox"] });
const complaints = [];
const looked = new Set();

async function stranger(withScript) {
  const page = await (await browser.createBrowserContext()).newPage();
  await page.setJavaScriptEnabled(withScript);
  page.on("console", (message) => /polic|error/i.test(message.text()) && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  return page;
}
async function visitor(withScript) {
  const page = await stranger(withScript);
  await page.goto(`${site}/gear`);
  await page.type("#username", "grace");
  await page.type("#password", process.env.PASSWORD);
  await Promise.all([page.waitForNavigation(), page.click("button.primary")]);
  return page;
}

// Moves the focus to an element with the Tab key, as a person does, and fails if it cannot be reached.
async function tab(page, selector) {
  for (let press = 0; press < 400; press++) {
    await page.keyboard.press("Tab");
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted), selector)) return;
  }
  assert.fail(`Tab does not reach ${selector}`);
}
async function press(page, selector, text = null) {
  await tab(page, selector);
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  if (text) assert.match(await page.$eval("main", (element) => element.textContent), text);
}
async function write(page, selector, text) {
  await tab(page, selector);
  await page.keyboard.down("Control");
  await page.keyboard.press("KeyA");
  await page.keyboard.up("Control");
  await page.keyboard.type(text);
}

// A session by keyboard, without JavaScript: upload a list, change three things, undo one, share, end the share.
const page = await visitor(false);
assert.equal(await page.$eval("h1", (element) => element.textContent), "Your gear shed is empty");
await look(page, "welcome", [false]);
await press(page, 'a.primary[href="/gear/import"]');
await (await page.$("#file")).uploadFile(list);
await press(page, "button[value=check]", /Nothing is stored before you confirm/);
await look(page, "import-verdicts", [false]);
await press(page, "button[value=import]", /Created .* items/);
const setup = new URL(page.url()).pathname;
await press(page, 'a[href="/gear/items"]');
await press(page, 'a[aria-label^="Edit "]');
await write(page, "tr.editing input[name=weight]", "1.2 kg");
await press(page, "tr.editing button.primary", /Changed item/);
await press(page, 'a[href="/gear/items"]');
await write(page, "#new-item-name", "Tarp");
await press(page, 'form[action$="create-item"] button', /Created item "Tarp"/);
await page.goto(site + setup);
await write(page, "#new-line-item", "Tarp");
await press(page, 'form[action$="add-line"] button', /Tarp/);
await press(page, ".notice button", /Redo/);
assert.doesNotMatch(await page.$eval("table.lines", (element) => element.textContent), /Tarp/);
await page.goto(site + setup);
await press(page, 'form[action$="share-setup"] button', /it is shown once/);
const link = await page.$eval(".notice a.link", (element) => element.href);
await look(page, "shared", [false]);
for (const withScript of [false, true]) {
  const reader = await stranger(withScript);
  for (const [name, path] of [["share", link], ["share-embed", `${link}/embed`]]) {
    assert.equal((await reader.goto(path)).status(), 200);
    await look(reader, name, [withScript]);
  }
}
await page.goto(site + setup);
assert(!(await page.content()).includes(link));
await press(page, 'form[action$="end-share"] button', /Deleted a share of setup/);
const late = await stranger(true);
assert.equal((await late.goto(link)).status(), 404);
await look(late, "share-closed", [true]);

// Each page, at three widths and in both themes, without and with JavaScript. axe looks at those with it.
async function look(page, name, scripts) {
  if (chosen.length && !chosen.includes(name)) return;
  looked.add(name);
  for (const [width, height] of [[390, 780], [1000, 800], [1400, 900]])
    for (const scheme of ["light", "dark"]) {
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
      await page.setViewport({ width, height });
      const needed = await page.$eval("html", (element) => element.scrollWidth);
      assert(needed <= width, `${name} needs ${needed} px of ${width}`);
      const kind = scripts.at(-1) ? "-script" : "";
      await page.screenshot({ path: `${folder}/gear-${name}-${width}-${scheme}${kind}.png`, fullPage: true });
      if (scripts.at(-1)) await check(page, `${name}, ${width}, ${scheme}`);
    }
}
async function check(page, where) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run());
  for (const { impact, id, nodes } of found.violations)
    if (["serious", "critical"].includes(impact)) complaints.push(`${where}: ${id}: ${nodes[0].html}`);
}

await press(page, 'a[href="/gear"]');
await write(page, "#new-thread-name", "A lighter shelter");
await press(page, 'form[action$="create-thread"] button');
const thread = new URL(page.url()).pathname;
for (const [name, weight, price] of [["Duplex", "539 g", "749"], ["X-Mid 2", "1.1 kg", "300"], ["Tarp", "", ""]]) {
  await write(page, "#new-candidate-name", name);
  if (weight) await write(page, "#new-candidate-weight", weight);
  if (price) await write(page, "#new-candidate-price", price);
  await press(page, 'form[action$="add-candidate"] button');
}

const paths = {
  overview: "/gear",
  items: "/gear/items",
  "items-edit": "/gear/items?edit=1",
  item: "/gear/items/1",
  setup,
  "setup-edit": `${setup}?edit=1`,
  thread,
  changes: "/gear/changes?show=1",
  import: "/gear/import",
  sample: "/gear/sample",
};
for (const page of [await visitor(false), await visitor(true)]) {
  const withScript = page.isJavaScriptEnabled();
  for (const [name, path] of Object.entries(paths)) {
    if (chosen.length && !chosen.includes(name)) continue;
    await page.goto(site + path);
    await look(page, name, [withScript]);
  }
}

// With JavaScript, links, edits and the search load no page, and the page follows what others change.
const quick = await visitor(true);
await quick.goto(`${site}/gear/items`);
let loads = 0;
quick.on("load", () => loads++);
const shows = (text) => quick.waitForFunction((text) => document.body.innerText.includes(text), {}, text);
await quick.focus("#query");
await quick.keyboard.type("tarp");
await shows("1 item;");
assert.equal(await quick.evaluate(() => document.activeElement.id), "query");
await quick.click('a[aria-label="Edit Tarp"]');
await quick.waitForSelector("tr.editing");
await quick.type("tr.editing input[name=weight]", "heavy");
await quick.click("tr.editing button.primary");
await shows("must be a weight such as");
await quick.$eval("tr.editing input[name=weight]", (element) => (element.value = "480 g"));
await quick.click("tr.editing button.primary");
await shows("480 g");
await page.goto(`${site}/gear/changes`);
await press(page, ".changes button");
await quick.waitForFunction(() => !document.body.innerText.includes("480 g"));
assert.equal(loads, 0);

assert.deepEqual(complaints.filter((text) => !/status of 40[04]/.test(text)), []);
await browser.close();
console.log(`Used /gear by keyboard, and looked at ${looked.size} pages.`);
