<?php
// The official kclient.php lies beside this file.
require_once __DIR__ . '/kclient.php';
$client = new KClient('https://pb.example.com/', 'the-token');
$client->sendAllParams();
$client->execute();

// Once the visitor has become a lead, on the server, where nobody sees the key:
// $query = http_build_query(['subid' => $client->getSubId(), 'status' => 'lead', 'payout' => '0']);
// file_get_contents('https://pb.example.com/the-key/postback' . '?' . $query);
