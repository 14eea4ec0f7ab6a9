const change = (amount, shown) => (amount > 0 ? "+" : "") + shown(amount);
const price = (cents) => cents == null ? "unknown" : (cents / 100).toLocaleString("en", currency ? { style: "currency", currency, currencyDisplay: "code" } : { minimumFractionDigits: 2 });
function bar(parts, longest) {
  let x = 0;
  return el("svg", { class: "bar", viewBox: `0 0 ${longest || 1} 1`, preserveAspectRatio: "none", "aria-hidden": "true" },
    ...parts.map(([width, fill]) => { x += width; return el("rect", { x: x - width, width, height: 1, fill }); }));
}
