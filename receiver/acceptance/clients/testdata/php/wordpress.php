<?php
// The WordPress plugin's report: a POST with an empty body and everything in the URL. Anything but the exact body Success is
// an error to it.
$url = getenv('POSTBACK');
$url .= (strpos($url, '?') ? '&' : '?') . http_build_query(array('subid' => $_GET['subid'], 'revenue' => '7', 'currency' => 'usd') + $_GET);
$body = file_get_contents($url, false, stream_context_create(array(
    'http' => array('method' => 'POST', 'content' => '', 'ignore_errors' => true),
    'ssl' => array('cafile' => getenv('CERTIFICATE'), 'peer_name' => 'example.com'),
)));
echo $body === 'Success' ? 'reported' : 'error: ' . $body;
