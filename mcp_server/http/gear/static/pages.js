// What pages do beyond plain forms. htmx loads links and forms without a reload (hx-boost in layout.html).
document.documentElement.classList.add("script");

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit], [data-live] select")) event.target.form.requestSubmit();
});

let typing;
document.addEventListener("input", (event) => {
  if (!event.target.matches("[data-live] input")) return;
  clearTimeout(typing);
  typing = setTimeout(() => event.target.form?.requestSubmit(), 200);
});

// The page follows changes that agents and other windows make, unless something is being edited.
const isChanged = (field) =>
  field.type !== "hidden" &&
  (field.type === "checkbox"
    ? field.checked !== field.defaultChecked
    : field.type === "select-one"
      ? [...field.options].some((option) => option.selected !== option.defaultSelected && field.form.method === "post")
      : "defaultValue" in field && field.value !== field.defaultValue);
const isEditing = () => [...document.forms].some((form) => [...form.elements].some(isChanged));

let waiting;
const stream = new EventSource("/gear/events");
stream.addEventListener("message", () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    if (isEditing() || document.querySelector("details[open], tr.editing, [data-once]")) return;
    htmx.ajax("GET", location.pathname + location.search, { target: "#page", select: "#page", swap: "outerMorph" });
  }, 300);
});
addEventListener("pagehide", () => stream.close());
