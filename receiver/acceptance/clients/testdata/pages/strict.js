KTracking.reportConversion(7, "sale", {tid: "55"}, function (answer) { document.title = "Reported: " + answer; });
