// A host of views in the chat, on the official AppBridge. scripts/apps bundles it for Chromium.
import { AppBridge, PostMessageTransport } from "@modelcontextprotocol/ext-apps/app-bridge";

window.openView = async ({ html, sandbox, input, result, theme, width }) => {
  const frame = document.createElement("iframe");
  frame.width = width;
  frame.height = 300;
  frame.setAttribute("sandbox", "allow-scripts allow-same-origin allow-forms");
  const ready = new Promise((resolve) => {
    addEventListener("message", function listen({ source, data }) {
      if (source !== frame.contentWindow || data?.method !== "ui/notifications/sandbox-proxy-ready") return;
      removeEventListener("message", listen);
      resolve();
    });
  });
  frame.src = sandbox;
  document.body.append(frame);
  await ready;

  const info = { name: "gearshed-apps", version: "1" };
  const capabilities = { openLinks: {}, serverTools: {}, serverResources: {}, message: { text: {} } };
  const hostContext = {
    theme,
    displayMode: "inline",
    availableDisplayModes: ["inline", "fullscreen"],
    containerDimensions: { width, maxHeight: 900 },
    styles: { variables: {} },
  };
  const bridge = new AppBridge(null, info, capabilities, { hostContext });
  window.seen = { sizes: [], calls: [], messages: [], modes: [] };
  bridge.oncalltool = async (params) => {
    window.seen.calls.push(params);
    return window.mcp(params);
  };
  bridge.onmessage = async (params) => {
    window.seen.messages.push(params);
    return {};
  };
  bridge.onrequestdisplaymode = async ({ mode }) => {
    window.seen.modes.push(mode);
    return { mode };
  };
  bridge.onsizechange = ({ height }) => {
    window.seen.sizes.push(height);
    if (height) frame.height = height;
  };
  const initialized = new Promise((resolve) => (bridge.oninitialized = resolve));
  await bridge.connect(new PostMessageTransport(frame.contentWindow, frame.contentWindow));
  await bridge.sendSandboxResourceReady({ html });
  await initialized;
  await bridge.sendToolInput({ arguments: input });
  await bridge.sendToolResult(result);
  // A view that waits for this answer would be stuck in a host that tears it down.
  window.teardown = () => bridge.teardownResource({});
};
