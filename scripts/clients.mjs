// A client on the TypeScript SDK: lists the tools, imports the list, reads items and totals. scripts/clients runs it
// with the command of a server, or with a key and the addresses of replicas, between which the calls alternate.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const [file, ...servers] = process.argv.slice(2);

function transport(server) {
  if (!server.startsWith("http")) return new StdioClientTransport({ command: server, env: process.env });
  const options = { requestInit: { headers: { Authorization: `Bearer ${process.env.KEY}` } } };
  const Transport = server.endsWith("/sse") ? SSEClientTransport : StreamableHTTPClientTransport;
  return new Transport(new URL(server), options);
}

const clients = [];
for (const server of servers) {
  const client = new Client({ name: "clients.mjs", version: "1" });
  await client.connect(transport(server));
  clients.push(client);
}
let turn = 0;
const next = () => clients[turn++ % clients.length];

async function call(name, args) {
  const result = await next().callTool({ name, arguments: args });
  assert(!result.isError, result.content[0].text);
  console.log(result.content[0].text);
  return result.structuredContent;
}

const { tools } = await next().listTools();
console.log(tools.map((tool) => tool.name).join(" "));
const imported = await call("import_csv", { csv_text: readFileSync(file, "utf8"), setup_name: "ultimate-hike-2025" });
assert.equal(imported.items, 63);
const page = await call("list_items", { limit: 5, sort: "-weight" });
assert.equal(page.items.length, 5);
const totals = await call("get_totals", {});
assert.equal(totals.items, 63);
const refused = await next().callTool({ name: "create_item", arguments: { name: "Tent", weigth: "1 kg" } });
assert(refused.isError);
console.log(refused.content[0].text);
for (const client of clients) await client.close();
