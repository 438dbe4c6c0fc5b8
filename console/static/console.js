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

// A list that is watched gets its rows while they are committed. The server draws them, at most 50 in a second, and
// counts the others.
const live = document.querySelector("tbody[data-live]");
if (live) {
  const more = document.querySelector("#more");
  const source = new EventSource(live.dataset.live);
  let left = 0;
  source.addEventListener("row", (event) => {
    const row = document.createElement("template");
    row.innerHTML = event.data;
    live.prepend(row.content);
    while (live.rows.length > 300) {
      live.rows[live.rows.length - 1].remove();
    }
  });
  source.addEventListener("more", (event) => {
    left += Number(event.data);
    more.textContent = more.dataset.text.replace("%", left);
  });
}
