// Keys: "g" and the first letter of a section opens it, "/" goes to the first field of the page's form. Everything that
// they do can be done without them.
const sections = { o: "overview", c: "conversions", p: "received", f: "s2s", r: "reports", u: "url" };
let going = false;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) {
    return;
  }
  if (going && sections[event.key]) {
    document.querySelector(`a[data-section="${sections[event.key]}"]`).click();
  }
  going = event.key === "g";
  if (event.key === "/") {
    event.preventDefault();
    document.querySelector(".filters input:not([type=hidden])")?.focus();
  }
});

// A zone that is chosen counts at once.
document.querySelector(".settings select")?.addEventListener("change", (event) => event.target.form.submit());

// What is to be pasted elsewhere gets a button that copies it.
const { copy, copied } = document.body.dataset;
for (const figure of document.querySelectorAll("figure.copy")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = copy;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(figure.querySelector("code").textContent);
    button.textContent = copied;
    setTimeout(() => { button.textContent = copy; }, 2000);
  });
  figure.append(button);
}
