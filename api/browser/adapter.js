// Puts the visit's subid into links, forms and hidden inputs. The subid is, in this order: what the macro {subid} of the
// offer URL left in data-subid, the page's _subid or subid, the cookie subid.
(function () {
  "use strict";
  var tag = document.currentScript;
  var known = /^[A-Za-z0-9_.:-]{1,128}$/;
  function subid() {
    var query = new URLSearchParams(location.search);
    var cookie = /(?:^|; )subid=([^;]*)/.exec(document.cookie);
    var found = [tag && tag.getAttribute("data-subid"), query.get("_subid"), query.get("subid"), cookie && cookie[1]];
    for (var i = 0; i < found.length; i++) if (found[i] && known.test(found[i])) return found[i];
    return "";
  }
  function fill() {
    var id = subid();
    if (!id) return;
    document.querySelectorAll('a[href*="{subid}"], a[href*="%7Bsubid%7D"]').forEach(function (a) {
      a.setAttribute("href", a.getAttribute("href").replace(/\{subid\}|%7Bsubid%7D/g, id));
    });
    document.querySelectorAll("form").forEach(function (form) {
      var input = form.querySelector('input[name="subid"]');
      if (!input) {
        input = document.createElement("input");
        input.type = "hidden";
        input.name = "subid";
        form.appendChild(input);
      }
      input.value = id;
    });
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", fill);
  else fill();
})();
