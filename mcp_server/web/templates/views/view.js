let id = 0, given = {}, unit = "g", currency, inline = true;
const NOTE = "ui/notifications/", waiting = new Map(), root = document.documentElement, main = document.querySelector("main");
const send = (message) => parent.postMessage({ jsonrpc: "2.0", ...message }, "*");
const ask = (method, params) => new Promise((...ends) => { waiting.set(++id, ends); send({ id, method, params }); });
addEventListener("message", ({ source, data }) => {
  if (source !== parent || data?.jsonrpc !== "2.0") return;
  const { method, params } = data;
  if (!method) {
    const [done, failed] = waiting.get(data.id) ?? [];
    waiting.delete(data.id);
    return data.error ? failed?.(data.error) : done?.(data.result);
  }
  if (method === NOTE + "tool-input") given = params.arguments ?? {};
  if (method === NOTE + "tool-result") receive(params);
  if (method === NOTE + "host-context-changed") adopt(params);
  if (data.id === undefined) return;
  send({ id: data.id, ...(/^(ping|ui.resource-teardown)$/.test(method) ? { result: {} } : { error: { code: -32601, message: "Unknown" } }) });
});
function adopt(context = {}) {
  if (context.theme) root.style.colorScheme = context.theme;
  for (const [name, value] of Object.entries(context.styles?.variables ?? {})) if (value) root.style.setProperty(name, value);
  if (context.availableDisplayModes) larger.hidden = !context.availableDisplayModes.includes("fullscreen");
  if (context.displayMode) inline = context.displayMode === "inline";
  measure();
}
function el(tag, attributes, ...children) {
  const made = /^(svg|g|circle|rect|text)$/.test(tag) ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) made.setAttribute(name, value);
  made.append(...children.filter((child) => child != null));
  return made;
}
function button(label, action, key = label) {
  const made = el("button", { type: "button", id: key }, label);
  made.onclick = action;
  return made;
}
const larger = button("Full screen", () => ask("ui/request-display-mode", { mode: "fullscreen" }));
larger.hidden = true;
const say = (text) => { document.getElementById("status").textContent = text; };
const textOf = (result) => result?.content?.find((block) => block.text)?.text ?? "No result.";
function receive(result) {
  const data = result?.structuredContent, focused = document.activeElement?.id;
  if (result?.isError || !data) return main.replaceChildren(el("p", null, textOf(result)));
  const weights = [data, data.replaces, ...(data.setups ?? []), ...(data.candidates ?? [])].map((each) => each?.weight).join();
  unit = ["lb", "kg", "oz"].find((name) => RegExp(`\\d ${name}\\b`).test(weights)) ?? "g";
  currency = data.display?.match(/\b[A-Z]{3}\b/)?.[0];
  main.replaceChildren(...show(data).filter(Boolean));
  document.getElementById(focused)?.focus();
}
async function call(name, values) {
  say("…");
  try {
    const result = await ask("tools/call", { name, arguments: values });
    say(result.isError ? textOf(result) : "");
    return result.isError ? null : result;
  } catch (error) { say(error.message); }
}
async function refresh() { const result = await call(TOOL, given); if (result) receive(result); }
const number = (value, digits) => value.toLocaleString("en", Math.abs(value) < 10 ** -digits ? { maximumSignificantDigits: 2 } : { maximumFractionDigits: digits });
function weight(grams) {
  if (grams == null) return "unknown";
  const tenths = Math.round(Math.abs(grams) / 2.8349523125), pounds = Math.floor(tenths / 160);
  if (unit === "lb" && pounds) return [(grams < 0 ? "-" : "") + number(pounds, 0), "lb", ...(tenths % 160 ? [(tenths % 160) / 10, "oz"] : [])].join(" ");
  if (unit === "lb" && !grams) return "0 lb";
  return unit === "g" ? number(grams, 1) + " g" : unit === "kg" ? number(grams / 1000, 3) + " kg" : number(grams / 28.349523125, 1) + " oz";
}
const count = (n, noun) => `${n} ${noun}${n === 1 ? "" : "s"}`;
const name = (text, ...before) => el("th", { scope: "row", dir: "auto" }, ...before, text);
const cell = (...shown) => el("td", { class: "n" }, ...shown);
const row = (label, ...texts) => el("tr", null, name(label), ...texts.map((text) => cell(text)));
const head = (...labels) => el("tr", { class: "muted" }, ...labels.map((label, i) => el("th", { scope: "col", class: i ? "n" : "" }, label)));
const table = (caption, ...rows) => el("table", null, caption && el("caption", null, caption), ...rows);
const dot = (color) => el("svg", { class: "dot", viewBox: "0 0 1 1", "aria-hidden": "true" }, el("rect", { width: 1, height: 1, fill: color }));
const titled = (title, ...buttons) => el("header", null, el("h1", { dir: "auto" }, title), ...buttons, larger);
const unweighed = (n) => n && el("p", { class: "muted" }, `At least this: ${count(n, "line")} of unknown weight`);
const measure = () => send({ method: NOTE + "size-changed", params: { height: Math.min(Math.ceil(root.getBoundingClientRect().height), inline ? 500 : 1e5) } });
new ResizeObserver(measure).observe(root);
ask("ui/initialize", { protocolVersion: "2026-01-26", appInfo: { name: "gearshed", version: "1" }, appCapabilities: { availableDisplayModes: ["inline", "fullscreen"] } })
  .then((result) => { adopt(result.hostContext); send({ method: NOTE + "initialized", params: {} }); });
