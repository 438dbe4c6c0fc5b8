// Puts the visitor's subid into the links, forms and hidden inputs of a page: see docs/clients.md. The subid is what the
// macro {subid} left in the tag's data-subid, else the page's _subid or subid, else that of the cookie.
(function (document) {
  "use strict";
  var tag = document.currentScript, macro = /\{subid\}|%7Bsubid%7D/i, macros = /\{subid\}|%7Bsubid%7D/gi;
  var hosts = [location.host].concat(((tag && tag.getAttribute("data-hosts")) || "").split(/[\s,]+/));

  function usable(id) {
    return id && /^[\w.:-]{1,128}$/.test(id) && !/^(no_subid|undefined|null|replace)$/i.test(id) ? id : "";
  }

  function find() {
    var query = new URLSearchParams(location.search), cookie = /(?:^|; )subid=([^;]*)/.exec(document.cookie);
    return usable(tag && tag.getAttribute("data-subid")) || usable(query.get("_subid")) || usable(query.get("subid")) ||
      usable(cookie && cookie[1]);
  }

  // ours reports whether an address is one of the page's own host or of those in data-hosts: nobody else is told the subid
  // unless the page itself says {subid} there.
  function ours(url) { return /^https?:$/.test(url.protocol) && hosts.indexOf(url.host) >= 0; }

  function fillLink(link, subid) {
    var href = link.getAttribute("href");
    if (macro.test(href)) {
      link.setAttribute("href", href.replace(macros, subid));
      return;
    }
    var url = new URL(link.href, location.href), elsewhere = url.href.split("#")[0] !== location.href.split("#")[0];
    if (ours(url) && elsewhere && !/[?&]_?subid=[^&#]/.test(url.search)) {
      // Not by url.searchParams, which writes all the other parameters anew.
      url.search += (url.search ? "&" : "?") + "_subid=" + subid;
      link.setAttribute("href", url.href);
    }
  }

  function fillForm(form, subid) {
    var action = form.getAttribute("action") || "", filled = false;
    if (macro.test(action)) form.setAttribute("action", action.replace(macros, subid));
    form.querySelectorAll("input").forEach(function (input) {
      if (macro.test(input.value)) input.value = input.value.replace(macros, subid);
      if (/^(_?subid|sub_id)$/.test(input.name)) {
        if (!input.value && input.type === "hidden") input.value = subid;
        filled = true;
      }
    });
    if (filled || !ours(new URL(form.getAttribute("action") || "", location.href))) return;
    var input = document.createElement("input");
    input.type = "hidden";
    input.name = "subid";
    input.value = subid;
    form.appendChild(input);
  }

  function quietly(fill, element) {
    var subid = find();
    try { if (subid) fill(element, subid); } catch (e) { /* An address that is none stays as it is. */ }
  }

  function fillPage() {
    document.querySelectorAll("a[href], area[href]").forEach(function (link) { quietly(fillLink, link); });
    document.querySelectorAll("form").forEach(function (form) { quietly(fillForm, form); });
  }

  // What a page adds later is filled when it is used.
  document.addEventListener("click", function (event) {
    var link = event.target.closest && event.target.closest("a[href], area[href]");
    if (link) quietly(fillLink, link);
  }, true);
  document.addEventListener("submit", function (event) { quietly(fillForm, event.target); }, true);

  var subid = find();
  if (subid) {
    document.cookie = "subid=" + subid + "; path=/; max-age=2592000; samesite=lax" + (location.protocol === "https:" ? "; secure" : "");
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", fillPage); else fillPage();
})(document);
