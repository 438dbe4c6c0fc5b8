// A stand-in for the script that trackers serve, which asks exactly as docs/semantics.md §8 says: the page's query stands
// decoded in front, subid and revenue are not encoded.
(function () {
  var K = window.KTracking, listeners = K.listeners, subid = (/(?:^|; )subid=([^;]*)/.exec(document.cookie) || [])[1];
  var page = decodeURIComponent(location.search.slice(1));
  function ask(url) {
    var s = document.createElement("script");
    s.src = url;
    document.head.appendChild(s);
  }
  function ready() { while (listeners.length) listeners.shift()(subid, K.token); }
  K.response = function (answer) {
    if (subid) { document.title = "Reported: " + answer; return; }
    subid = answer.sub_id || answer;
    document.cookie = "subid=" + subid + "; path=/";
    ready();
  };
  K.ready = K.getSubId = function (fn) { listeners.push(fn); if (subid) ready(); };
  K.reportConversion = function (revenue, status, params) {
    K.ready(function () {
      var url = K.P_PATH + "?return=jsonp&" + page + "&revenue=" + revenue + "&sub_id=" + subid;
      if (status) url += "&status=" + status;
      for (var name in params) url += "&" + name + "=" + params[name];
      ask(url);
    });
  };
  K.update = function (fields) {
    var url = K.R_PATH + "?_update_tokens=1&sub_id=" + subid;
    for (var name in fields) url += "&" + name + "=" + fields[name];
    ask(url);
  };
  if (K.queued) K.reportConversion.apply(K, K.queued);
  if (subid) ready(); else ask(K.R_PATH + "?return=jsonp&" + page + "&se_referrer=" + encodeURIComponent(document.referrer) +
    "&default_keyword=" + encodeURIComponent(document.title) + "&landing_url=" + encodeURIComponent(location.hostname + location.pathname));
})();
