  var macros = /(?:\{|%7B)(subid|sub_id|token|offer|pixel)(?:\}|%7D)/gi;

  function usable(id) {
    return id && /^[\w.:-]{1,128}$/.test(id) && !/^(no_subid|undefined|null|replace)$/i.test(id) ? id : "";
  }

  function cookie(name) {
    var found = new RegExp("(?:^|; )" + name + "=([^;]*)").exec(document.cookie);
    return usable(found && found[1]);
  }

  // tokenOf returns the token in the cookie if it is of that click.
  function tokenOf(subid) { return subid && cookie("subid") === subid ? cookie("token") : ""; }

  // offerOf returns the link to the offer of a click, beside the address of the campaign.
  function offerOf(click, token) {
    return click && token ? click.replace(/[?#].*/, "").replace(/[^/]*$/, "") + "?_lp=1&_token=" + token : "";
  }

  // fillText puts values in for macros, plain or percent-encoded. A macro without a value stays.
  function fillText(text, values) {
    return text.replace(macros, function (macro, name) { return values[name.toLowerCase().replace("_", "")] || macro; });
  }

  function fillAttribute(element, name, values) {
    var text = element.getAttribute(name), filled = text && fillText(text, values);
    if (filled !== text) element.setAttribute(name, filled);
    return filled !== text;
  }

  // fillInputs puts values in for macros and into empty inputs for the subid; it reports whether there is one.
  function fillInputs(form, values) {
    var found = false;
    form.querySelectorAll("input").forEach(function (input) {
      if (input.type !== "file") {
        var text = fillText(input.value, values);
        if (text !== input.value) input.value = text;
      }
      if (!/^(_?subid|sub_id)$/.test(input.name)) return;
      if (!input.value && /^(hidden|text)$/.test(input.type)) input.value = values.subid;
      found = true;
    });
    return found;
  }

  function addHidden(form, name, value) {
    if (!value || form.querySelector('input[name="' + name + '"]')) return;
    var input = document.createElement("input");
    input.type = "hidden";
    input.name = name;
    input.value = value;
    form.appendChild(input);
  }

  // fillPage fills all links and forms now, and what the page adds later when it is used. values returns what is known now.
  function fillPage(values, fillLink, fillForm) {
    var links = "a[href], area[href]";
    function quietly(fill, element) {
      var known = values();
      try { if (known.subid) fill(element, known); } catch (e) { /* An address that is not valid stays as it is. */ }
    }
    function all() {
      document.querySelectorAll(links).forEach(function (link) { quietly(fillLink, link); });
      document.querySelectorAll("form").forEach(function (form) { quietly(fillForm, form); });
    }
    document.addEventListener("click", function (event) {
      var link = event.target.closest && event.target.closest(links);
      if (link) quietly(fillLink, link);
    }, true);
    document.addEventListener("submit", function (event) { quietly(fillForm, event.target); }, true);
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", all); else all();
  }

