  // Puts the visitor's subid and token into the links, forms and hidden inputs of a page: see docs/clients.md. They are what
  // the macros left in the tag's data-subid and data-token, else those of the page's query, else those of the cookies.
  var tag = document.currentScript, query = new URLSearchParams(location.search);
  var hosts = [location.host].concat((attribute("data-hosts") || "").split(/[\s,]+/));

  function attribute(name) { return tag && tag.getAttribute(name); }

  function values() {
    var given = usable(attribute("data-subid")) || usable(query.get("_subid")) || usable(query.get("subid"));
    var subid = given || cookie("subid"), token = usable(attribute("data-token")) || usable(query.get("_token")) || tokenOf(subid);
    return {
      subid: subid,
      token: token,
      pixel: usable(attribute("data-pixel")) || usable(query.get("pixel")),
      offer: offerOf(attribute("data-click") || (tag && new URL("/", tag.src).href), token)
    };
  }

  // ours reports whether an address is of the page's own host or of those in data-hosts: no other host gets the subid unless
  // the page itself writes a macro there.
  function ours(url) { return /^https?:$/.test(url.protocol) && hosts.indexOf(url.host) >= 0; }

  function add(url, name, value) {
    // Not by url.searchParams, which writes all the other parameters again.
    if (value) url.search += (url.search ? "&" : "?") + name + "=" + value;
  }

  function fillLink(link, known) {
    if (fillAttribute(link, "href", known)) return;
    var url = new URL(link.href, location.href), elsewhere = url.href.split("#")[0] !== location.href.split("#")[0];
    if (!ours(url) || !elsewhere || /[?&]_?subid=[^&#]/.test(url.search)) return;
    add(url, "_subid", known.subid);
    if (!/[?&]_token=/.test(url.search)) add(url, "_token", known.token);
    link.setAttribute("href", url.href);
  }

  function fillForm(form, known) {
    fillAttribute(form, "action", known);
    var found = fillInputs(form, known);
    if (!ours(new URL(form.getAttribute("action") || "", location.href))) return;
    if (!found) addHidden(form, "subid", known.subid);
    addHidden(form, "_token", known.token);
  }

  function remember(name, value) {
    var days = parseFloat(attribute("data-cookie-days")) || 30;
    document.cookie = name + "=" + value + "; path=/; max-age=" + Math.round(days * 86400) + "; samesite=lax" +
      (location.protocol === "https:" ? "; secure" : "");
  }

  var known = values();
  if (known.subid) remember("subid", known.subid);
  if (known.subid && known.token) remember("token", known.token);
  fillPage(values, fillLink, fillForm);
