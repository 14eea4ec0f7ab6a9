// A client on the TypeScript SDK: list the tools, import the list, ask for items and totals. scripts/clients runs it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";

const [command, file] = process.argv.slice(2);
const client = new Client({ name: "clients.mjs", version: "1" });
await client.connect(new StdioClientTransport({ command, env: process.env }));

async function call(name, args) {
  const result = await client.callTool({ name, arguments: args });
  assert(!result.isError, result.content[0].text);
  console.log(result.content[0].text);
  return result.structuredContent;
}

const { tools } = await client.listTools();
console.log(tools.map((tool) => tool.name).join(" "));
const imported = await call("import_csv", { csv_text: readFileSync(file, "utf8"), setup_name: "ultimate-hike-2025" });
assert.equal(imported.items, 63);
const page = await call("list_items", { limit: 5, sort: "-weight" });
assert.equal(page.items.length, 5);
const totals = await call("get_totals", {});
assert.equal(totals.items, 63);
const refused = await client.callTool({ name: "create_item", arguments: { name: "Tent", weigth: "1 kg" } });
assert(refused.isError);
console.log(refused.content[0].text);
await client.close();
